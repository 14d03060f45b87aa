"""The calendar and the two clocks, day by day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.application import Application, Decision, Pause
from casework.catalog import LIMIT_UNITS, Limit, ServiceItem
from casework.errors import MalformedCatalog
from casework.lifecycle import State, draft
from casework.standstill import CLOCKS
from casework.time_limits import (
    CITY_TIME,
    Calendar,
    Clock,
    DaySpan,
    Standing,
    Standstill,
    city_day,
    due,
    handling_clock,
    notice_clock,
)
from tests.casework.drawn_events import APPLICATION_ID, walk

pytestmark = pytest.mark.fast

SEED = Path(__file__).parents[2] / "seed_catalog"
PLAIN = json.loads((SEED / "calendar.json").read_text())
CALENDAR = Calendar.from_plain(PLAIN)
ITEMS = {
    plain["item_id"]: ServiceItem.from_plain(plain) for plain in json.loads((SEED / "items.json").read_text())["items"]
}
PERMIT, UNKNOWN, CALENDAR_DAYS, AT_ONCE = (ITEMS[f"GA-{one}"] for one in ("LY-001", "YB-005", "GA-004", "YB-001"))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=CITY_TIME).astimezone(UTC)


def standstill(first: date, last: date) -> Standstill:
    """Days that a notice takes out of every limit."""
    return Standstill("N-1", DaySpan(first, last), frozenset(CLOCKS), frozenset(LIMIT_UNITS))


def received_on(day: date) -> Application:
    return replace(draft(APPLICATION_ID), state=State.PRE_REVIEW, collected_at=noon(day), received_at=noon(day))


def accepted_on(day: date, **more: object) -> Application:
    return replace(received_on(day), state=State.UNDER_REVIEW, accepted_at=noon(day), notice_given_at=noon(day), **more)


def handling(application: Application, item: ServiceItem, today: date, *, sure: bool = True) -> Clock:
    return handling_clock(application, item, CALENDAR, noon(today), sure)


def notice(application: Application, item: ServiceItem, today: date, *, sure: bool = True) -> Clock:
    return notice_clock(application, item, CALENDAR, noon(today), sure)


@pytest.mark.parametrize("year", PLAIN["years"], ids=lambda year: str(year["year"]))
def test_the_working_days_of_a_year_are_those_the_catalog_counts(year: dict) -> None:
    first = date(year["year"], 1, 1)
    days = [first + timedelta(days=number) for number in range(366)]
    working = [CALENDAR.is_working_day(day) for day in days if day.year == first.year]
    assert sum(is_working for is_working, _estimated in working) == year["workday_count"]
    assert not any(estimated for _is_working, estimated in working)


def test_a_year_nobody_published_is_estimated_by_weekdays() -> None:
    assert CALENDAR.is_working_day(date(2027, 1, 1)) == (True, True)
    assert CALENDAR.is_working_day(date(2027, 1, 2)) == (False, True)


def test_make_up_days_count_and_holidays_do_not() -> None:
    assert CALENDAR.is_working_day(date(2026, 2, 14)) == (True, False)
    assert CALENDAR.is_working_day(date(2026, 2, 17)) == (False, False)
    # Over the spring festival: 13, 14 (a Saturday made up for), then from the 24th.
    assert CALENDAR.add_working_days(date(2026, 2, 12), 3) == (date(2026, 2, 24), False)


def test_a_broken_calendar_is_refused() -> None:
    for broken in ({}, {"years": [{"year": 2026}]}, {"years": [{"year": 1, "holidays": [{"date": "x"}]}]}):
        with pytest.raises(MalformedCatalog):
            Calendar.from_plain(broken)


def test_the_legal_day_is_the_citys_day() -> None:
    assert city_day(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == date(2026, 3, 2)
    assert city_day(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == date(2026, 3, 1)


days_covered = st.dates(date(2018, 1, 1), date(2026, 9, 1))


@given(days_covered, st.integers(1, 60))
def test_counting_forward_and_counting_between_agree(start: date, days: int) -> None:
    end, provisional = CALENDAR.add_working_days(start, days)
    assert CALENDAR.working_days_between(start, end) == days
    assert CALENDAR.is_working_day(end) == (True, provisional)


@given(days_covered, st.integers(0, 60), st.sampled_from(["working_day", "calendar_day"]))
def test_a_longer_limit_never_ends_earlier(start: date, days: int, unit: str) -> None:
    shorter, longer = (due(start, Limit(value, unit), CALENDAR) for value in (days, days + 1))
    assert start <= shorter.date < longer.date
    assert shorter.latest >= shorter.date


@given(days_covered, st.integers(1, 40), st.integers(0, 30), st.integers(0, 30))
def test_skipped_days_never_bring_the_end_closer(start: date, days: int, after: int, length: int) -> None:
    first = start + timedelta(days=after)
    limit = Limit(days, "working_day")
    plain = due(start, limit, CALENDAR)
    skipped = due(start, limit, CALENDAR, [DaySpan(first, first + timedelta(days=length))])
    assert skipped.date >= plain.date


def test_the_starting_day_does_not_count() -> None:
    assert due(date(2026, 3, 2), Limit(1, "working_day"), CALENDAR).date == date(2026, 3, 3)
    assert due(noon(date(2026, 3, 2)), Limit(15, "calendar_day"), CALENDAR).date == date(2026, 3, 17)


def test_at_once_means_the_same_day() -> None:
    assert due(date(2026, 3, 2), Limit(0, "immediate"), CALENDAR).date == date(2026, 3, 2)


def test_a_calendar_limit_that_ends_on_a_rest_day_is_overdue_only_by_the_milder_reading() -> None:
    application = accepted_on(date(2026, 3, 6))
    end = due(date(2026, 3, 6), Limit(15, "calendar_day"), CALENDAR)
    assert (end.date, end.latest) == (date(2026, 3, 21), date(2026, 3, 23))
    for day, standing in ((21, Standing.DUE_TODAY), (23, Standing.DUE_TODAY), (24, Standing.OVERDUE)):
        assert handling(application, CALENDAR_DAYS, date(2026, 3, day)).standing is standing


@pytest.mark.parametrize(
    ("day", "standing", "left"),
    [
        (2, Standing.RUNNING, 5),
        (4, Standing.RUNNING, 3),
        (5, Standing.SOON, 2),
        (6, Standing.SOON, 1),
        (8, Standing.SOON, 1),
        (9, Standing.DUE_TODAY, 0),
        (10, Standing.OVERDUE, -1),
    ],
)
def test_the_notice_clock_day_by_day(day: int, standing: Standing, left: int) -> None:
    clock = notice(received_on(date(2026, 3, 2)), PERMIT, date(2026, 3, day))
    assert (clock.due, clock.standing, clock.remaining_days) == (date(2026, 3, 9), standing, left)


def test_a_permit_nobody_answered_counts_as_accepted_and_others_do_not() -> None:
    late = date(2026, 3, 10)
    assert notice(received_on(date(2026, 3, 2)), PERMIT, late).deemed_accepted
    assert not notice(received_on(date(2026, 3, 2)), UNKNOWN, late).deemed_accepted
    assert not notice(received_on(date(2026, 3, 2)), PERMIT, late, sure=False).deemed_accepted


def test_a_permit_accepted_too_late_is_handled_from_the_day_of_receipt() -> None:
    in_time = replace(accepted_on(date(2026, 3, 9)), received_at=noon(date(2026, 3, 2)))
    too_late = replace(accepted_on(date(2026, 3, 11)), received_at=noon(date(2026, 3, 2)))
    today = date(2026, 3, 12)
    assert handling(in_time, PERMIT, today).due == due(date(2026, 3, 9), Limit(20, "working_day"), CALENDAR).date
    assert handling(too_late, PERMIT, today).due == due(date(2026, 3, 2), Limit(20, "working_day"), CALENDAR).date


def test_an_answered_notice_is_met_and_says_by_how_much() -> None:
    application = replace(received_on(date(2026, 3, 2)), notice_given_at=noon(date(2026, 3, 5)))
    clock = notice(application, PERMIT, date(2026, 5, 1))
    assert (clock.standing, clock.remaining_days) == (Standing.MET, 2)


def test_nothing_is_overdue_by_an_estimated_calendar() -> None:
    clock = notice(received_on(date(2026, 12, 30)), PERMIT, date(2027, 2, 1))
    assert (clock.standing, clock.provisional, clock.deemed_accepted) == (Standing.PROVISIONAL, True, False)
    assert handling(accepted_on(date(2026, 12, 30)), CALENDAR_DAYS, date(2027, 6, 1)).standing is Standing.PROVISIONAL


@given(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 400), st.booleans())
def test_no_verdict_without_a_published_calendar_and_a_believed_clock(start: date, later: int, sure: bool) -> None:
    today = start + timedelta(days=later)
    for item in (PERMIT, CALENDAR_DAYS, AT_ONCE, UNKNOWN):
        for clock in (
            notice(received_on(start), item, today, sure=sure),
            handling(accepted_on(start), item, today, sure=sure),
        ):
            if clock.standing is Standing.OVERDUE:
                assert sure
                assert not clock.provisional
                assert clock.due is not None
                assert clock.due.year <= 2026


def test_an_unknown_limit_is_unknown_and_not_zero() -> None:
    clock = handling(accepted_on(date(2026, 3, 2)), UNKNOWN, date(2026, 9, 1))
    assert (clock.standing, clock.due, clock.remaining_days) == (Standing.UNKNOWN, None, None)


def test_before_acceptance_the_handling_clock_has_not_started() -> None:
    assert handling(received_on(date(2026, 3, 2)), PERMIT, date(2026, 9, 1)).standing is Standing.NOT_STARTED


def test_what_was_withdrawn_is_not_counted() -> None:
    gone = replace(accepted_on(date(2026, 3, 2)), state=State.WITHDRAWN)
    assert handling(gone, PERMIT, date(2026, 9, 1)).standing is Standing.NOT_STARTED
    unanswered = replace(received_on(date(2026, 3, 2)), state=State.WITHDRAWN)
    assert notice(unanswered, PERMIT, date(2026, 9, 1)).standing is Standing.NOT_STARTED


def pause(first: date, last: date | None, *, stops: bool | None, kind: str = "鉴定、专家评审") -> Pause:
    return Pause(kind, "", "", noon(first), last and noon(last), stops)


def test_only_a_procedure_that_says_so_stops_the_clock() -> None:
    start, first, last = date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 11)
    plain = handling(accepted_on(start), PERMIT, first).due
    assert plain == date(2026, 3, 30)
    for stops in (None, False):
        paused = accepted_on(start, pauses=(pause(first, last, stops=stops),))
        assert handling(paused, PERMIT, last).due == plain
    paused = accepted_on(start, pauses=(pause(first, last, stops=True),))
    # Five working days were taken out: 5, 6, 9, 10, 11 March.
    assert handling(paused, PERMIT, last).due == date(2026, 4, 7)


def test_while_it_is_stopped_the_clock_shows_what_is_left() -> None:
    application = accepted_on(date(2026, 3, 2), pauses=(pause(date(2026, 3, 4), None, stops=True),))
    clock = handling(application, PERMIT, date(2026, 8, 1))
    assert (clock.standing, clock.due, clock.remaining_days) == (Standing.PAUSED, None, 18)
    silent = accepted_on(date(2026, 3, 2), pauses=(pause(date(2026, 3, 4), None, stops=None),))
    assert handling(silent, PERMIT, date(2026, 8, 3)).standing is Standing.OVERDUE


def test_an_extension_adds_to_the_limit_in_its_own_unit() -> None:
    application = accepted_on(date(2026, 3, 2), extended_days=10)
    assert (
        handling(application, PERMIT, date(2026, 3, 3)).due
        == due(date(2026, 3, 2), Limit(30, "working_day"), CALENDAR).date
    )
    assert handling(accepted_on(date(2026, 3, 2), extended_days=3), AT_ONCE, date(2026, 3, 3)).due == date(2026, 3, 5)


def test_a_ruling_stops_the_handling_clock() -> None:
    decision = Decision(True, "", "", "", noon(date(2026, 4, 1)))
    clock = handling(accepted_on(date(2026, 3, 2), decision=decision), PERMIT, date(2026, 9, 1))
    assert (clock.standing, clock.remaining_days) == (Standing.MET, -2)


def test_days_an_emergency_notice_takes_out_are_taken_out_of_both_clocks() -> None:
    span = [standstill(date(2026, 3, 3), date(2026, 3, 9))]
    now = noon(date(2026, 3, 10))
    application = received_on(date(2026, 3, 2))
    assert notice_clock(application, PERMIT, CALENDAR, now, True, span).due == date(2026, 3, 16)
    assert handling_clock(accepted_on(date(2026, 3, 2)), PERMIT, CALENDAR, now, True, span).due == date(2026, 4, 7)


def test_moments_of_a_broken_clock_do_not_stop_the_count() -> None:
    extremes = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
    for start in extremes:
        for now in extremes:
            application = replace(
                walk("collected", "submitted", "pre_review_started", "accepted"),
                received_at=start,
                accepted_at=start,
                pauses=(Pause("x", "", "", extremes[0], extremes[1], True),),
            )
            for item in (PERMIT, CALENDAR_DAYS):
                clock = handling_clock(application, item, CALENDAR, now, True)
                assert clock.standing in Standing
                assert clock.standing is not Standing.OVERDUE
                assert notice_clock(replace(application, notice_given_at=None), item, CALENDAR, now, True) is not None
