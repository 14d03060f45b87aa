"""The road over the township is taken while the city does not answer, at a pace of its own, and left off at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from sync_agent.conversation import Heard
from sync_agent.relay_road import RelayHeard
from sync_agent.running import Keeping
from sync_agent.settings import AgentSettings

pytestmark = pytest.mark.node


@dataclass
class Rounds:
    """A courier whose city answers or does not."""

    city_answers: bool
    told: list[str | None] = field(default_factory=list)
    has_met = False
    halted = False

    def saved_something(self) -> bool:
        return False

    def is_called(self) -> bool:
        return False

    async def make_one(self) -> Heard:
        return Heard(ok=self.city_answers, why=None if self.city_answers else "no_answer")

    def tell_next_try(self, _seconds: float) -> None:
        pass

    def tell_relay(self, problem: str | None) -> None:
        self.told.append(problem)


@dataclass
class Relay:
    """A relay that counts how often it is asked; `work` is what a round with it takes."""

    work: Callable[[], Awaitable[RelayHeard]]
    asked: int = 0

    def saved_something(self) -> bool:
        return False

    async def make_one(self) -> RelayHeard:
        self.asked += 1
        return await self.work()


async def kept(rounds: Rounds, relay: Relay, until: Callable[[], bool], ticks: int = 400) -> bool:
    """Keep the time on a clock that runs fast; says whether it came to that before the ticks were over."""
    now = [0.0]

    def clock() -> float:
        now[0] += 5.0
        return now[0]

    def over() -> bool:
        return until() or now[0] > 5.0 * ticks

    settings = AgentSettings(idle_s=60.0, hold_s=0)
    keeping = Keeping(rounds, settings, over, clock=clock, chance=lambda: 0.5, relay=relay)  # type: ignore[arg-type]
    await asyncio.wait_for(keeping.time(), 60)
    return until()


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.running.TICK_S", 0.001)


async def does_its_part() -> RelayHeard:
    return RelayHeard(handed=1)


async def is_away() -> RelayHeard:
    return RelayHeard(why="ConnectError")


async def test_while_the_city_answers_nobody_asks_the_relay() -> None:
    relay = Relay(does_its_part)
    await kept(Rounds(city_answers=True), relay, lambda: False)
    assert relay.asked == 0


async def test_while_the_city_does_not_answer_the_relay_is_asked_again_and_again() -> None:
    rounds, relay = Rounds(city_answers=False), Relay(does_its_part)
    assert await kept(rounds, relay, lambda: relay.asked >= 5)
    assert set(rounds.told) == {None}


async def test_a_relay_that_is_away_is_asked_less_and_less() -> None:
    near, far = Relay(does_its_part), Relay(is_away)
    rounds = Rounds(city_answers=False)
    await kept(Rounds(city_answers=False), near, lambda: False)
    await kept(rounds, far, lambda: False)
    assert 0 < far.asked < near.asked
    assert set(rounds.told) == {"ConnectError"}


async def test_being_told_to_stop_does_not_wait_for_a_relay_that_hangs() -> None:
    async def hangs() -> RelayHeard:
        await asyncio.sleep(3600)
        return RelayHeard()

    rounds, relay = Rounds(city_answers=False), Relay(hangs)
    assert await kept(rounds, relay, lambda: relay.asked == 1)
    assert rounds.told == []
