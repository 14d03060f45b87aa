"""The courier does not know a practice store: it opens no road and writes no stick; at a true node it does both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.errors import OnlyForPractice
from offline_store.paths import NodePaths
from sync_agent import catalog_errand
from sync_agent.commands import app
from sync_agent.running import open_uplink
from sync_agent.settings import AgentSettings
from tests.simulators.practice_beside import Beside, practice_beside
from wire.keys import SigningKey

pytestmark = pytest.mark.node

CANNOT_START = 2


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    with practice_beside(tmp_path) as both:
        for village in (both.true, both.practice):  # even where somebody laid a key of a courier
            village.counter.paths.transport_key.write_bytes(SigningKey.generate().to_bytes())
            village.collected()
        both.true.mail.turn()
        yield both


def test_no_transport_key_is_made_for_practice(tmp_path: Path) -> None:
    with practice_beside(tmp_path) as both:
        assert not both.practice.counter.paths.transport_key.exists()


ROADS: dict[str, Callable[[NodePaths], object]] = {
    "uplink": lambda paths: open_uplink(paths, AgentSettings()),
    "catalog": lambda paths: catalog_errand.look(paths, 0),
}


@pytest.mark.parametrize("road", ROADS)
def test_no_road_is_opened_from_a_practice_store(beside: Beside, road: str) -> None:
    with pytest.raises(OnlyForPractice):
        ROADS[road](beside.practice.counter.paths)


async def test_the_same_road_opens_from_a_true_node(beside: Beside) -> None:
    async with open_uplink(beside.true.counter.paths, AgentSettings()) as uplink:
        assert uplink is not None


def test_no_stick_is_written_from_a_practice_store(beside: Beside, tmp_path: Path) -> None:
    written = {}
    for name, village in (("true", beside.true), ("practice", beside.practice)):
        stick = tmp_path / f"stick-{name}"
        stick.mkdir()
        asked = ["courier", "out", "--root", str(village.counter.paths.root), "--to", str(stick)]
        done = CliRunner().invoke(app, asked)
        written[name] = done.exit_code, any(path.is_file() for path in stick.rglob("*"))
    assert written == {"true": (0, True), "practice": (1, False)}


def test_the_courier_does_not_start_on_a_practice_store(beside: Beside) -> None:
    asked = [sys.executable, "-m", "sync_agent", "run", "--root", str(beside.practice.counter.paths.root)]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, env={"LANG": "zh_CN.UTF-8"})
    assert ended.returncode == CANNOT_START
    assert "Traceback" not in ended.stderr
    assert "练习" in ended.stderr
