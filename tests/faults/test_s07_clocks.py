"""S07: clocks that are years off, jump, run five times too fast or go back in mid-sync, on the node, at the city or on
both. No operation is refused for it, the order of a case holds, lock-outs hold, nothing becomes overdue by doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city_gateway.acts.outline import outline
from edge_node.acts import listing
from edge_node.acts import sign_in as signing
from edge_node.counter.errors import LockedOut, WrongPassphrase
from edge_node.counter.trusted_clock import MachineClock, TrustedClock
from sync_agent.uplink import Uplink
from tests.edge_node.city import submitted
from tests.edge_node.village import AGENT, PASSPHRASE, HandClock, Village, new_counter
from tests.faults.tally import record
from tests.simulators.post import Post, posted

pytestmark = pytest.mark.fault

DECADE = timedelta(days=3653)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Shape = Callable[[datetime, int], datetime]
"""What a wrong clock says at a true moment; the number counts how often it was asked."""

SHAPES: dict[str, Shape] = {
    "ten years ahead": lambda true, _n: true + DECADE,
    "ten years behind": lambda true, _n: true - DECADE,
    "1970": lambda true, n: EPOCH + timedelta(seconds=n),
    "jumps": lambda true, n: true + timedelta(days=400 * (n // 60 % 3 - 1)),
    "five times too fast": lambda true, n: true + timedelta(seconds=4 * n),
    "back in mid-sync": lambda true, n: true - timedelta(hours=n // 40),
}
EVERYDAY = {("1970", "both"), ("jumps", "city"), ("back in mid-sync", "node")}
WHERE = ["node", "city", "both"]
CASES = [
    pytest.param(shape, where, marks=[] if (shape, where) in EVERYDAY else [pytest.mark.full], id=f"{shape}, {where}")
    for shape in SHAPES
    for where in WHERE
]


def wrong(clock: Callable[[], datetime], shape: Shape) -> Callable[[], datetime]:
    asked = 0

    def says() -> datetime:
        nonlocal asked
        asked += 1
        return shape(clock(), asked)

    return says


def set_clocks(post: Post, shape: Shape, where: str) -> None:
    """Let the node's clock, the city's or both go wrong from now on."""
    true = post.city.clock
    if where in {"node", "both"}:
        post.rounds._uplink._clock = wrong(true, shape)
    if where in {"city", "both"}:
        object.__setattr__(post.city.gateway, "clock", wrong(true, shape))  # the same city, another clock


@pytest.mark.parametrize(("shape", "where"), CASES)
async def test_no_operation_is_refused_for_a_clock(shape: str, where: str, tmp_path: Path) -> None:
    async with posted(tmp_path) as post:
        post.file(b"one" * 1000)
        await post.drain()
        set_clocks(post, SHAPES[shape], where)
        for number in range(3):
            post.file(bytes([number]) * 20_000)
            await post.drain(20)
        post.everything_arrived_once()
        steps = [case["history"] for case in outline(post.city.gateway.ledger)]
        record("S07", f"{shape}, {where}", len(post.filed), *post.counted())
        assert post.counted() == (0, 0, 0, 0)
    assert steps == [["collected", "submitted"]] * 4


async def test_a_courier_that_does_not_learn_the_citys_time_gets_nothing_through(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(Uplink, "learn_time", lambda _self, _time: None)
    async with posted(tmp_path) as post:
        post.rounds._uplink._clock = wrong(post.city.clock, SHAPES["ten years ahead"])
        post.file(b"one" * 1000)
        with pytest.raises(AssertionError):
            await post.drain(4)
        assert post.receipt() is None
        found = post.counted()
        assert found == (2, 0, 0, 0), "the operation and its scan"
    record("S07", "control: the city's time is not learnt", 1, *found)


# --- on the node ------------------------------------------------------------------------------------------------------


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path / "n")


def locked(village: Village) -> bool:
    try:
        signing.sign_in(village.counter, AGENT, PASSPHRASE)
    except LockedOut:
        return True
    return False


def lock_out(village: Village) -> None:
    for _ in range(20):
        try:
            signing.sign_in(village.counter, AGENT, "wrong")
        except LockedOut:
            return
        except WrongPassphrase:
            continue
    raise AssertionError("nobody is ever locked out")


@pytest.mark.parametrize("jump", [DECADE, -DECADE, timedelta(hours=2)])
@pytest.mark.parametrize("restart", [False, True])
def test_a_lock_out_is_ended_by_time_and_by_no_wall_clock(village: Village, jump: timedelta, restart: bool) -> None:
    lock_out(village)
    village.clock.wall += jump
    if restart:
        village.clock.boot_id = "f" * 32
        village.counter.desk.close()
        village.counter = new_counter(village.counter.paths.root, gateway=village.gateway, clock=village.clock)
    assert locked(village)
    village.clock.monotonic += timedelta(hours=2).total_seconds()
    assert not locked(village)


def test_a_lock_out_never_lasts_longer_than_an_hour_after_weeks_without_the_city(village: Village) -> None:
    village.clock.passes(days=20)
    lock_out(village)
    village.clock.boot_id, village.clock.monotonic = "f" * 32, 100.0
    village.counter.desk.close()
    village.counter = new_counter(village.counter.paths.root, gateway=village.gateway, clock=village.clock)
    assert locked(village)
    village.clock.passes(hours=1)
    assert not locked(village)


def test_a_lock_out_by_the_wall_clock_would_be_opened_by_a_jump(village: Village, monkeypatch) -> None:
    monkeypatch.setattr(TrustedClock, "for_waiting", lambda self: self._machine.wall())
    lock_out(village)
    village.clock.wall += DECADE
    opened = not locked(village)
    assert opened
    record("S07", "control: lock-out by the wall clock", 1, 0, 0, phantom=int(opened))


@pytest.mark.parametrize("shape", list(SHAPES))
def test_nothing_is_overdue_by_a_clock_that_nobody_confirmed(village: Village, shape: str) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    village.clock.boot_id = "f" * 32
    true = village.clock.wall + timedelta(days=1)
    again = village.restarted()
    for asked in (1, 70, 130):
        again.clock.wall = SHAPES[shape](true, asked)
        assert listing.page(again.counter, again.who).rows[0].light != "red"


def test_a_city_whose_clock_was_wrong_once_makes_nothing_overdue_after_it_was_set_right(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    village.receipt(server_time=village.clock.wall + DECADE)
    village.mail.turn()
    village.receipt(server_time=village.clock.wall)
    village.mail.turn()
    reading = village.counter.clock.read()
    assert (reading.now, reading.confident) == (village.clock.wall, False)
    assert listing.page(village.counter, village.who).rows[0].light != "red"


MOVES = st.one_of(
    st.tuples(st.just("wall"), st.integers(-5_000_000, 5_000_000)),
    st.tuples(st.just("passes"), st.integers(0, 100_000)),
    st.tuples(st.just("served"), st.integers(-400_000_000, 400_000_000)),
    st.tuples(st.just("floor"), st.integers(-400_000_000, 400_000_000)),
    st.tuples(st.just("reboot"), st.just(0)),
)


@given(st.lists(MOVES, max_size=40))
def test_trusted_time_never_goes_back_whatever_the_clocks_do(moves: list[tuple[str, int]]) -> None:
    hand = HandClock()
    clock, boots = TrustedClock(hand.machine()), 0
    before = clock.read().trusted
    for what, seconds in moves:
        span = timedelta(seconds=seconds)
        if what == "wall":
            hand.wall += span
        elif what == "passes":
            hand.passes(seconds=seconds)
        elif what == "served":
            clock.hear(before + span)
        elif what == "floor":
            clock.not_before(before + span)
        else:
            boots += 1
            hand.boot_id, hand.monotonic = f"{boots:032x}", 1.0
            machine = MachineClock(lambda: hand.wall, lambda: hand.monotonic, hand.boot_id)
            clock = TrustedClock(machine, floor=clock.read().trusted, anchor=clock.anchor)
        now = clock.read().trusted
        assert now >= before
        before = now
