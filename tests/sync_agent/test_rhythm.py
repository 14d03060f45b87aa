"""The courier's rhythm, as a machine: no clock, no network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_agent.rhythm import BACKOFF_CEILING_S, IDLE_SPREAD, Mood, Rhythm, failed, succeeded, woken

pytestmark = pytest.mark.fast

chances = st.floats(min_value=0.0, max_value=1.0, exclude_max=True)
moments = st.floats(min_value=0.0, max_value=1e9)


def test_a_new_courier_tries_at_once() -> None:
    assert Rhythm(idle_s=60).due(0.0)


@given(now=moments, chance=chances)
def test_after_success_it_rests_about_the_idle_interval(now: float, chance: float) -> None:
    rested = succeeded(Rhythm(idle_s=60), now, lambda: chance)
    assert 60 * (1 - IDLE_SPREAD) - 1e-3 <= rested.next_try - now <= 60 * (1 + IDLE_SPREAD) + 1e-3
    assert rested.failures == 0


@given(now=moments, failures=st.integers(0, 10_000), chance=chances)
def test_a_rest_after_failure_never_passes_the_ceiling(now: float, failures: int, chance: float) -> None:
    backing_off = failed(Rhythm(idle_s=60, failures=failures), now, lambda: chance)
    assert now <= backing_off.next_try <= now + BACKOFF_CEILING_S
    assert backing_off.failures == failures + 1


@given(now=moments, chance=chances, wish=st.floats(min_value=0, max_value=3600))
def test_the_gateways_wish_is_a_floor(now: float, chance: float, wish: float) -> None:
    backing_off = failed(Rhythm(idle_s=60), now, lambda: chance, retry_after_s=wish)
    assert backing_off.next_try >= now + wish - 1e-6


def test_the_bound_of_the_random_rest_doubles_with_each_failure() -> None:
    rhythm, rests = Rhythm(idle_s=60), []
    for _ in range(6):
        rhythm = failed(rhythm, 0.0, lambda: 1.0)
        rests.append(rhythm.next_try)
    assert rests == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0]


def test_something_saved_ends_an_idle_rest() -> None:
    resting = succeeded(Rhythm(idle_s=60), 100.0, lambda: 0.5)
    assert not resting.due(101.0)
    assert woken(resting, 101.0).due(101.0)


def test_something_saved_does_not_hurry_a_courier_that_backs_off() -> None:
    backing_off = failed(Rhythm(idle_s=60, failures=5), 100.0, lambda: 0.9)
    assert woken(backing_off, 101.0) == backing_off
    assert backing_off.mood is Mood.BACKING_OFF


def test_success_after_failures_forgets_them() -> None:
    rhythm = failed(failed(Rhythm(idle_s=60), 0.0, lambda: 0.5), 3.0, lambda: 0.5)
    assert succeeded(rhythm, 9.0, lambda: 0.5).failures == 0
