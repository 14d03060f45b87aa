"""The node's clock: never backwards, never sure without the city, never a reason to lock anybody out."""

from datetime import UTC, datetime, timedelta

import pytest

from edge_node.counter.trusted_clock import BUILD_TIME, Anchor, Confidence, MachineClock, TrustedClock

pytestmark = pytest.mark.fast

SERVED = datetime(2026, 11, 23, 1, tzinfo=UTC)


class Machine:
    def __init__(self, wall=datetime(2026, 11, 23, tzinfo=UTC), boot="a" * 32):
        self.wall, self.monotonic, self.boot = wall, 1000.0, boot

    def clock(self) -> MachineClock:
        return MachineClock(lambda: self.wall, lambda: self.monotonic, self.boot)

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds


def test_without_the_city_the_wall_is_an_estimate_that_decides_nothing():
    reading = TrustedClock(Machine().clock()).read()
    assert (reading.confidence, reading.confident) == (Confidence.ESTIMATED, False)


@pytest.mark.parametrize("year", [1970, 2020, 2050])
def test_a_wrong_wall_clock_is_doubtful_and_not_used(year):
    reading = TrustedClock(Machine(datetime(year, 1, 1, tzinfo=UTC)).clock()).read()
    assert (reading.now, reading.confidence) == (BUILD_TIME, Confidence.DOUBTFUL)


def test_a_signed_server_time_makes_the_clock_sure_and_time_runs_on_from_it():
    machine = Machine(datetime(1970, 1, 1, tzinfo=UTC))
    clock = TrustedClock(machine.clock())
    clock.hear(SERVED)
    machine.passes(90)
    reading = clock.read()
    assert (reading.now, reading.confident) == (SERVED + timedelta(seconds=90), True)


def test_a_stepped_wall_clock_moves_nothing_once_the_city_was_heard():
    machine = Machine()
    clock = TrustedClock(machine.clock())
    clock.hear(SERVED)
    machine.wall += timedelta(days=3650)
    assert clock.read().now == SERVED


def test_an_older_server_time_never_turns_the_clock_back():
    machine = Machine()
    clock = TrustedClock(machine.clock())
    clock.hear(SERVED)
    machine.passes(10)
    clock.hear(SERVED - timedelta(days=1))
    assert clock.read().now == SERVED + timedelta(seconds=10)


def test_an_anchor_of_this_boot_stays_sure_after_a_restart_of_the_program():
    machine = Machine()
    clock = TrustedClock(machine.clock(), anchor=Anchor(SERVED, 400.0, machine.boot))
    assert clock.read().now == SERVED + timedelta(seconds=600)
    assert clock.read().confident


def test_an_anchor_of_another_boot_is_only_a_floor():
    machine = Machine(datetime(1970, 1, 1, tzinfo=UTC))
    clock = TrustedClock(machine.clock(), anchor=Anchor(SERVED, 400.0, "b" * 32))
    reading = clock.read()
    assert (reading.trusted, reading.confidence) == (SERVED, Confidence.DOUBTFUL)


def test_a_server_time_of_unknown_age_is_only_a_floor():
    clock = TrustedClock(Machine(SERVED - timedelta(days=5)).clock())
    clock.not_before(SERVED)
    assert (clock.read().trusted, clock.read().confident) == (SERVED, False)


def test_a_step_of_the_wall_clock_is_noticed_once():
    machine = Machine()
    clock = TrustedClock(machine.clock())
    assert clock.step() is None
    machine.passes(300)
    assert clock.step() is None
    machine.wall += timedelta(hours=2)
    assert clock.step() == timedelta(hours=2)
    assert clock.step() is None
