"""A true village with a published catalog, and a practice store beside it, made by the code that makes one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge_node.acts import sign_in
from edge_node.acts.practice_round import PracticeRound
from edge_node.app import open_counter
from edge_node.settings import NodeSettings
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.paths import NodePaths
from provisioning import practice_store
from tests.city_gateway.catalog_world import CatalogWorld
from tests.edge_node.village import Gateway, HandClock, Village
from wire.practice import CLERK, PASSPHRASE

PRACTICE_KEY = bytes(range(1, 33))


@dataclass
class Beside:
    """Both, and what an agent does at the practice counter."""

    true: Village
    practice: Village


def true_village(folder: Path) -> Village:
    """A village whose mailbox holds a whole signed release, which is in use."""
    city = CatalogWorld(folder / "city")
    city.begin()
    city.publish()
    clock = HandClock(wall=datetime.now(UTC))
    village = Village.at(folder / "node", catalog=False, tuf_root=city.root, clock=clock)
    city.cache = village.counter.paths.catalog_cache
    city.fetch()
    village.mail.turn()
    return village


def made(folder: Path, true: Village, now: datetime) -> NodePaths:
    """A fresh practice store in `folder`."""
    paths = NodePaths(folder)
    practice_store.make(
        paths, true.counter.paths, machine=PRACTICE_KEY, randomness=os.urandom, now=now, cost=ONLY_FOR_TESTS
    )
    return paths


@contextmanager
def practice_beside(folder: Path, *, begun: bool = True) -> Iterator[Beside]:
    """Both counters open; `begun` when the practice has its catalog in use."""
    true = true_village(folder)
    paths = made(folder / "practice", true, true.clock.wall)
    counter = open_counter(
        paths, PRACTICE_KEY, clock=true.clock.machine(), settings=NodeSettings(disk_reserve_mib=16), practice=True
    )
    round_ = PracticeRound(counter)
    if begun:
        round_.begin()
    who = sign_in.sign_in(counter, CLERK, PASSPHRASE)[1]
    practice = Village(counter, Gateway(), true.clock, who, round_)  # type: ignore[arg-type]  # the round in its place
    try:
        yield Beside(true, practice)
    finally:
        counter.desk.close()
        true.counter.desk.close()
