"""A town that is founded once for the whole run, whichever worker comes first; each test starts a copy of it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.at_the_counter import Town, copied_town, town

FOUNDED = "founded-town"


@pytest.fixture(scope="session")
def founded_town(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of a founded city, village and township, all at rest, the first catalog in use."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    kept = shared / FOUNDED
    with (shared / f"{FOUNDED}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _found(shared / f"{FOUNDED}.part").rename(kept)
    return kept


@pytest.fixture
def place(founded_town: Path) -> Iterator[Town]:
    """A copy of that town, at work."""
    with copied_town(founded_town) as made:
        yield made


def _found(part: Path) -> Path:
    shutil.rmtree(part, ignore_errors=True)
    with town(None) as made:
        for program in (made.village.edge, made.village.agent, made.township.edge, made.township.agent):
            program.stop()
        if made.world.gateway is not None:
            made.world.gateway.stop()
        shutil.copytree(made.world.folder, part, ignore=shutil.ignore_patterns("*.sock"))
    return part
