"""A town that is founded once for the whole run; each test that wants one starts a copy of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.at_the_counter import town


@pytest.fixture(scope="session")
def founded_town() -> Iterator[Path]:
    """The folder of a founded city, village and township, all at rest, the first catalog in use."""
    kept = Path(tempfile.mkdtemp(prefix="guangan-founded-"))
    with town(None) as made:
        for program in (made.village.edge, made.village.agent, made.township.edge, made.township.agent):
            program.stop()
        if made.world.gateway is not None:
            made.world.gateway.stop()
        shutil.copytree(made.world.folder, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    yield kept
    shutil.rmtree(kept, ignore_errors=True)
