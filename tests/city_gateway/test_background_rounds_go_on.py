"""Background work of the gateway survives whatever one round comes to, and says of it only what kind it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from city_gateway import app
from city_gateway.acts import arrival
from city_gateway.ledger import outbox
from tests.city_gateway.gateway_fixtures import City, PlatformAway, city_in

pytestmark = pytest.mark.node
MARKER = "李标记"


async def until_delivered(city: City) -> None:
    async with asyncio.timeout(10):
        while True:
            with city.gateway.ledger.reading() as tx:
                if not outbox.undelivered(tx, 1):
                    return
            await asyncio.sleep(0.02)


def kinds(caplog: pytest.LogCaptureFixture) -> set[str]:
    return {vars(record)["error"] for record in caplog.records if record.message == "background"}


async def test_a_platform_that_answers_nonsense_is_asked_again_in_the_next_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[int] = []

    def nonsense_twice(_port: PlatformAway, records: Sequence[object]) -> None:
        asked.append(len(records))
        if len(asked) <= 2:
            raise KeyError(MARKER)

    monkeypatch.setattr(PlatformAway, "deliver", nonsense_twice)
    monkeypatch.setattr(app, "PLATFORM_ROUND_S", 0.02)
    with caplog.at_level(logging.WARNING):
        async with city_in(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}") as city:
            village = await city.enrol()
            await village.exchange(village.collect()[1])
            await until_delivered(city)
    assert len(asked) >= 3
    assert kinds(caplog) == {"KeyError"}
    assert all(MARKER not in str(vars(record)) for record in caplog.records)


async def test_a_scan_that_could_not_be_shared_stays_for_the_next_try(
    city: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nonsense(*_: object) -> None:
        raise KeyError(MARKER)

    monkeypatch.setattr(arrival, "share_scans", nonsense)
    with caplog.at_level(logging.WARNING):
        assert app._share(city.gateway, ["a" * 64]) is False
    assert kinds(caplog) == {"KeyError"}


async def test_a_cancelled_round_is_over() -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    rounds: list[int] = []

    def work() -> int:
        rounds.append(1)
        loop.call_soon_threadsafe(begun.set)
        return 0

    task = asyncio.create_task(app._rounds(asyncio.Event(), 3600, work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (task.cancelled(), rounds) == (True, [1])
