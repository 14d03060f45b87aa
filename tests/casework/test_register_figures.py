"""Lines of the register and what is counted of them: nothing is claimed that cannot be known."""

from __future__ import annotations

import statistics
from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.application import Application, Decision, Pause, Role, Step
from casework.lifecycle import State
from casework.register import register_line
from casework.register_entry import Entry, Outcome, Timeliness, entry_of
from casework.register_figures import RegisterFigures, figures_of
from tests.casework.test_time_limits import (
    AT_ONCE,
    CALENDAR_DAYS,
    PERMIT,
    UNKNOWN,
    accepted_on,
    handling,
    noon,
    received_on,
)

pytestmark = pytest.mark.fast

MONDAY = date(2026, 11, 2)


def decided(application: Application, day: date) -> Application:
    ruling = Decision(granted=True, reason="", document_name="", document_no="", decided_on=noon(day))
    return replace(application, state=State.CONCLUDED, decision=ruling, concluded_at=noon(day))


def line(application: Application, item: object, today: date = date(2026, 12, 24), **more: object) -> Entry:
    return entry_of(application, handling(application, item, today), **more)


def test_what_was_decided_by_its_day_was_in_time_and_the_day_after_late() -> None:
    accepted = accepted_on(MONDAY)
    due = handling(accepted, PERMIT, MONDAY).due
    assert due is not None
    assert line(decided(accepted, due), PERMIT).timeliness is Timeliness.IN_TIME
    assert line(decided(accepted, due + timedelta(days=1)), PERMIT).timeliness is Timeliness.LATE


def test_what_fell_due_on_a_rest_day_was_in_time_on_the_next_working_day() -> None:
    accepted = next(
        one
        for one in (accepted_on(MONDAY + timedelta(days=ahead)) for ahead in range(14))
        if (day := handling(one, CALENDAR_DAYS, MONDAY).due) is not None and day.weekday() == 5
    )
    due = handling(accepted, CALENDAR_DAYS, MONDAY).due
    assert due is not None
    assert line(decided(accepted, due + timedelta(days=2)), CALENDAR_DAYS).timeliness is Timeliness.IN_TIME
    assert line(decided(accepted, due + timedelta(days=3)), CALENDAR_DAYS).timeliness is Timeliness.LATE


def test_an_unknown_limit_is_judged_by_nobody_and_is_in_no_share() -> None:
    one = line(decided(accepted_on(MONDAY), MONDAY + timedelta(days=40)), UNKNOWN)
    assert (one.timeliness, one.due) == (Timeliness.UNJUDGED, None)
    figures = figures_of([one]).total
    assert (figures.unjudged, figures.on_time_share) == (1, None)


def test_an_acceptance_by_a_doubtful_clock_and_an_estimated_calendar_are_judged_by_nobody() -> None:
    doubtful = decided(accepted_on(MONDAY, accepted_unsure=True), MONDAY + timedelta(days=50))
    assert line(doubtful, PERMIT).timeliness is Timeliness.UNJUDGED
    no_calendar_yet = decided(accepted_on(date(2027, 3, 1)), date(2027, 6, 1))
    found = line(no_calendar_yet, PERMIT, date(2027, 7, 1))
    assert (found.timeliness, found.due_estimated) == (Timeliness.UNJUDGED, True)


def test_what_is_open_is_running_overdue_or_paused() -> None:
    accepted = accepted_on(MONDAY)
    assert line(accepted, PERMIT, MONDAY).timeliness is Timeliness.RUNNING
    assert line(accepted, PERMIT, date(2026, 12, 24)).timeliness is Timeliness.OVERDUE
    paused = replace(accepted, pauses=(Pause("专家评审", "", "", noon(MONDAY), pauses_clock=True),))
    assert line(paused, PERMIT).timeliness is Timeliness.PAUSED
    assert line(received_on(MONDAY), PERMIT).timeliness is Timeliness.NOT_STARTED
    assert entry_of(accepted, None).timeliness is Timeliness.UNJUDGED


def test_an_erased_line_that_had_a_special_procedure_is_not_called_late() -> None:
    paused = Pause("专家评审", "", "", noon(MONDAY), noon(date(2026, 12, 2)), pauses_clock=True)
    step = Step(noon(MONDAY), "suspended", Role.DEPARTMENT, "d" * 32)
    kept = decided(accepted_on(MONDAY, pauses=(paused,), history=(step,)), date(2026, 12, 10))
    assert line(kept, PERMIT).timeliness is Timeliness.IN_TIME
    erased = line(register_line(kept), PERMIT, erased=True)
    assert (erased.timeliness, erased.due) == (Timeliness.UNJUDGED, None)
    without = replace(kept, history=(), pauses=())
    assert line(register_line(without), PERMIT, erased=True).timeliness is Timeliness.LATE


def test_without_its_guide_a_line_shows_only_that_the_day_of_its_acceptance_was_kept() -> None:
    written = MONDAY + timedelta(days=10)
    kept = decided(accepted_on(MONDAY, limit_due=written), written)
    assert entry_of(register_line(kept), None, erased=True).timeliness is Timeliness.IN_TIME
    later = decided(kept, written + timedelta(days=1))
    assert entry_of(register_line(later), None, erased=True).timeliness is Timeliness.UNJUDGED
    unsure = replace(kept, accepted_unsure=True)
    assert entry_of(register_line(unsure), None, erased=True).timeliness is Timeliness.UNJUDGED


@pytest.mark.parametrize("state", [State.DECLINED, State.NOT_REQUIRED, State.FORWARDED, State.WITHDRAWN, State.VOIDED])
def test_what_closed_without_a_ruling_ended_on_its_day_and_counts_for_no_limit(state: State) -> None:
    closed = replace(received_on(MONDAY), state=state, closed_at=noon(MONDAY + timedelta(days=1)))
    found = line(closed, PERMIT)
    assert (found.outcome.value, found.timeliness) == (state.value, Timeliness.NOT_COUNTED)
    assert found.ended_on == MONDAY + timedelta(days=1)
    assert figures_of([found]).total.concluded == 0


def test_a_line_says_that_it_was_rated_and_has_no_place_for_how() -> None:
    rated = replace(decided(accepted_on(MONDAY), MONDAY), state=State.RATED, rated_at=noon(MONDAY))
    assert line(rated, AT_ONCE).rated is True
    assert not {one.name for one in fields(Entry)} & {"rating", "level", "sealed"}


def test_shares_and_medians_of_nothing_are_unknown_and_never_zero() -> None:
    assert (RegisterFigures().on_time_share, RegisterFigures().median_days) == (None, None)
    open_one = figures_of([line(received_on(MONDAY), PERMIT)]).total
    assert (open_one.filed, open_one.on_time_share, open_one.median_days) == (1, None, None)


entries = st.builds(
    Entry,
    application_id=st.just("0" * 32),
    receipt_no=st.just(""),
    item_id=st.sampled_from(["a", "b", "c"]),
    applicant=st.just("张测试"),
    site=st.sampled_from(["1", "2"]),
    proxy_mode=st.just(""),
    proxy_name=st.just(""),
    state=st.sampled_from(State),
    outcome=st.sampled_from(Outcome),
    returns=st.integers(0, 5),
    collected_on=st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 1)),
    accepted_on=st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 1)),
    due=st.none(),
    due_estimated=st.booleans(),
    timeliness=st.sampled_from(Timeliness),
    ended_on=st.none() | st.dates(date(2026, 6, 1), date(2026, 12, 1)),
    delivered_on=st.none(),
    rated=st.booleans(),
    erased=st.booleans(),
)


@given(st.lists(entries, max_size=30))
def test_every_line_is_counted_once_in_all_once_by_item_and_once_by_site(lines: list[Entry]) -> None:
    found = figures_of(lines)
    for name in ("filed", "returned", "returns", "accepted", "declined", "ended_otherwise", "concluded", "unjudged"):
        for by in (found.items, found.sites):
            assert sum(getattr(one, name) for one in by.values()) == getattr(found.total, name), name
    assert found.total.filed == len(lines) == sum(found.total.states.values()) == sum(found.total.times.values())
    took = [
        (one.ended_on - one.collected_on).days
        for one in lines
        if one.outcome in {Outcome.GRANTED, Outcome.REFUSED} and one.ended_on and one.collected_on
    ]
    assert found.total.median_days == (statistics.median(took) if took else None)
    share = found.total.on_time_share
    judged = found.total.in_time + found.total.overdue
    assert share == (found.total.in_time / judged if judged else None)
