"""How many scan bytes may move: counted before they go, over restarts, by the day of the city; never an operation."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_agent.allowance import DAILY_CAP, FILE, HEAD_BYTES, MIB, OPERATIONS_ONLY, QUIET_HOURS, Allowance
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import HandClock
from tests.simulators.post import SETTINGS, Post, posted, stored_at

pytestmark = pytest.mark.node

KIB = 1024
CAPPED = AgentSettings(scan_mib_per_day=1)
NOON_IN_THE_CITY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON_IN_THE_CITY)


def test_without_a_cap_everything_goes_and_nothing_is_written(tmp_path: Path, clock: HandClock) -> None:
    allowance = Allowance(tmp_path, AgentSettings(), clock)
    assert allowance.take(10 * MIB) == 10 * MIB
    assert (allowance.held(), allowance.spent, list(tmp_path.iterdir())) == (None, 0, [])


def test_the_cap_is_never_passed_and_lasts_over_restarts(tmp_path: Path, clock: HandClock) -> None:
    taken = []
    for _ in range(40):
        allowance = Allowance(tmp_path, CAPPED, clock)  # a courier that is started anew for each piece
        taken.append(allowance.take(64 * KIB))
    went = sum(taken) + HEAD_BYTES * sum(1 for one in taken if one)
    assert MIB - 8 * KIB <= went <= MIB
    held = allowance.held()
    assert held is not None
    assert (held.because, held.until) == (DAILY_CAP, datetime(2026, 11, 23, 16, 0, tzinfo=UTC))


def test_a_courier_that_counted_only_in_memory_would_pass_the_cap(tmp_path: Path, clock: HandClock) -> None:
    """The control: the file is what keeps the count."""
    went = 0
    for _ in range(40):
        (tmp_path / FILE).unlink(missing_ok=True)
        went += Allowance(tmp_path, CAPPED, clock).take(64 * KIB)
    assert went > MIB


def test_a_new_day_of_the_city_begins_anew_and_yesterday_gives_nothing_back(tmp_path: Path, clock: HandClock) -> None:
    allowance = Allowance(tmp_path, CAPPED, clock)
    allowance.take(900 * KIB)
    clock.forward(hours=13)
    assert allowance.spent == 0
    allowance.take(500 * KIB)
    clock.now -= timedelta(days=1)
    assert allowance.spent == 500 * KIB + HEAD_BYTES


def test_a_count_written_under_a_clock_of_the_future_does_not_hold_scans_for_years(
    tmp_path: Path, clock: HandClock
) -> None:
    clock.now = datetime(2036, 1, 1, tzinfo=UTC)
    Allowance(tmp_path, CAPPED, clock).take(MIB)
    clock.now = NOON_IN_THE_CITY
    allowance = Allowance(tmp_path, CAPPED, clock)
    clock.forward(days=1)
    assert allowance.take(64 * KIB) == 64 * KIB


def test_a_damaged_count_costs_the_rest_of_the_day_and_no_more(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / FILE).write_bytes(b"{")
    allowance = Allowance(tmp_path, CAPPED, clock)
    assert allowance.take(64 * KIB) == 0
    clock.forward(days=1)
    assert allowance.take(64 * KIB) == 64 * KIB


def test_what_surely_did_not_go_is_given_back(tmp_path: Path, clock: HandClock) -> None:
    allowance = Allowance(tmp_path, CAPPED, clock)
    allowance.give_back(allowance.take(64 * KIB) + HEAD_BYTES)
    assert allowance.spent == 0


# --- the whole courier ------------------------------------------------------------------------------------------------


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("setting", "because"),
    [
        ({"quiet_hours": ((8 * 60, 22 * 60),)}, QUIET_HOURS),
        ({"operations_only": True}, OPERATIONS_ONLY),
    ],
)
async def test_operations_and_news_go_on_while_scans_are_held(
    post: Post, setting: dict[str, object], because: str
) -> None:
    post.settings = AgentSettings(**(SETTINGS | setting))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(30_000))
    heard = await post.rounds.make_one()
    assert heard.ok
    receipt, line = post.receipt(), post.incoming.line()
    assert receipt is not None
    assert line is not None
    assert (receipt.hwm, stored_at(post.city)) == (1, set())
    assert len(list(post.incoming.feed())) == 1
    assert (line.held_because, line.backlog_scans) == (because, 1)


async def test_when_the_quiet_hours_end_the_courier_is_called_and_the_scans_go(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"quiet_hours": ((8 * 60, 22 * 60),)}))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(30_000))
    await post.rounds.make_one()
    assert not post.rounds.is_called()
    post.city.clock.forward(hours=10)
    assert post.rounds.is_called()
    await post.drain()
    post.everything_arrived_once()


async def test_a_cap_in_the_middle_of_a_scan_stops_at_the_byte_and_goes_on_tomorrow(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"scan_mib_per_day": 1, "connections": 1}))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(1_500_000))
    await post.rounds.make_one()
    went = sum(one.length for one in post.road.passed if one.path.startswith("/v1/scans"))
    assert went <= MIB
    line = post.incoming.line()
    assert line is not None
    assert (line.held_because, line.scan_bytes_a_day) == (DAILY_CAP, MIB)
    assert line.scan_bytes_today <= MIB
    post.restart()
    await post.rounds.make_one()
    assert sum(one.length for one in post.road.passed if one.path.startswith("/v1/scans")) == went
    post.city.clock.forward(hours=12)
    await post.drain()
    post.everything_arrived_once()
    assert sum(one.length for one in post.road.passed if one.path.startswith("/v1/scans")) <= 1_600_000
