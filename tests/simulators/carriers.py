"""A village whose mail is carried: onto a stick, to the city, an answer onto a stick, and home."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from city_gateway.acts.courier_in import Taken
from city_gateway.acts.courier_in import take_in as city_takes_in
from city_gateway.acts.courier_out import answer_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.outline import outline
from city_gateway.ledger.tables import CARRIED_BUNDLES, JOURNAL, NODES
from sync_agent.arriving import Arrived
from sync_agent.courier_in import TakenIn, take_in
from sync_agent.courier_out import Written, write_out
from sync_agent.packing import Sack
from tests.simulators.post import Post, posted
from tests.simulators.sticks import fingerprint, stick
from wire.stick import DOWN, UP, Medium, bundles, read_inventory, read_part, write_bundle

MIB = 1024 * 1024


@asynccontextmanager
async def carrying(folder: Path) -> AsyncIterator[Post]:
    """A village node and its city, with the node's transport key where its courier looks for it."""
    async with posted(folder) as made:
        made.paths.transport_key.write_bytes(made.node.transport.to_bytes())
        yield made


def sack(post: Post) -> Sack:
    return Sack.of(post.paths, lambda: datetime.now(UTC))


def out(post: Post, root: Path, **how: Any) -> Written:
    """The village writes a stick."""
    return write_out(sack(post), stick(root), **how)


def at_the_city(post: Post, root: Path, *, gateway: Gateway | None = None, medium: Medium | None = None) -> list[Taken]:
    """The city takes in what lies on it."""
    place = medium or stick(root)
    return [taken_in(gateway or post.city.gateway, place, one) for one in bundles(place, UP)]


def taken_in(gateway: Gateway, medium: Medium, one: str) -> Taken:
    return city_takes_in(gateway, read_inventory(medium, one), lambda place, part: read_part(medium, one, place, part))


def answer(post: Post, root: Path, node_id: str | None = None, *, gateway: Gateway | None = None) -> None:
    """The city writes its answer."""
    write_answer(post, stick(root), node_id, gateway=gateway)


def write_answer(post: Post, medium: Medium, node_id: str | None = None, *, gateway: Gateway | None = None) -> None:
    made = answer_for(gateway or post.city.gateway, node_id or post.node.document.node_id, most_bytes=64 * MIB)
    write_bundle(medium, DOWN, made.document, [(part, chunks()) for part, chunks in made.parts])


def read(post: Post, root: Path) -> list[Arrived]:
    """The village reads it."""
    return read_all(post, root).arrived


def read_all(post: Post, root: Path) -> TakenIn:
    """The village reads it, and is told what was damaged."""
    return take_in(sack(post), stick(root))


def city_state(gateway: Gateway) -> object:
    """Everything at the city that a bundle could change: the ledger's rows and the bytes of its scans."""
    with gateway.ledger.reading() as tx:
        marks = [tuple(row) for row in tx.execute(sa.select(NODES.c.node_id, NODES.c.hwm, NODES.c.standing))]
        links = tx.scalar(sa.select(sa.func.count()).select_from(JOURNAL))
        carried = tx.scalar(sa.select(sa.func.count()).select_from(CARRIED_BUNDLES))
    return list(outline(gateway.ledger)), marks, links, carried, fingerprint(gateway.folder.scans)


def unchanged(look: Callable[[], object], attempt: Callable[[], object], *reasons: type[Exception]) -> bool:
    """Whether `attempt` was refused for one of `reasons` and left what `look` sees as it was."""
    before = look()
    try:
        attempt()
    except reasons:
        return look() == before
    return False
