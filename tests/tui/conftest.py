"""Words compiled in memory, a simulated node, and the screen on it."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulators.agent_at_the_screen import Agent
from tests.simulators.counter_simulator import CounterSimulator
from tests.simulators.real_node import picture
from tests.simulators.words import words_of
from tui import wording
from tui.app import CounterApp

TERMINAL = (80, 24)


@pytest.fixture(scope="session", autouse=True)
def _nothing_old_is_collected() -> None:
    """The wizard collects garbage between two steps; what a test run has loaded would make that six times as long."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot looks every 20 ms, twice a key, whether the program is idle: half of the time of these tests."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.0004)


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "_spoken", words_of("zh_CN"))


class HandClock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
        self.ran = 1000.0

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)
        self.ran += timedelta(**by).total_seconds()


class Road(httpx.AsyncBaseTransport):
    """The way to the node, which can be cut."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("nobody listens")
        return await httpx.ASGITransport(app=self._node.app).handle_async_request(request)


@pytest.fixture(params=["simulated", "real"])
def node(request: pytest.FixtureRequest, tmp_path: Path):
    """The node behind the screen: a fake is only worth what has been verified, so flows run on both."""
    if request.param == "simulated":
        yield CounterSimulator()
        return
    from tests.simulators.real_node import real_node

    with real_node(tmp_path / "node") as real:
        yield real


@pytest.fixture
def road(node) -> Road:
    return Road(node)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(3):
        (folder / f"page_{number}.jpg").write_bytes(picture(number))
    return folder


@pytest.fixture
def at_the_screen(node, road: Road, clock: HandClock, scans: Path):
    """Opens the screen; the agent inside presses keys and reads."""

    @asynccontextmanager
    async def open_screen(size: tuple[int, int] = TERMINAL, *, signed_in: bool = True) -> AsyncIterator[Agent]:
        app = CounterApp(
            road, now=clock, uptime=lambda: clock.ran, scan_folder=scans, idle_seconds=600, look_seconds=0.2
        )
        async with app.run_test(size=size) as pilot:
            agent = Agent(app, pilot, node.clerk, node.passphrase)
            await agent.settle()
            if signed_in:
                await agent.begin_at_home()
            yield agent

    return open_screen
