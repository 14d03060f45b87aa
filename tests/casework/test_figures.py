"""The assessment figures: what is counted, what is left out and said so, and whom a rating may not give away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.application import Application, Decision
from casework.catalog import LIMIT_UNITS, ServiceItem
from casework.figures import RATED_AT_LEAST, Assessment, Counted, Figures, Period, Share, assess
from casework.lifecycle import State
from casework.standstill import CLOCKS, DaySpan, Standstill
from casework.time_limits import Keeping, handling_days, keeping
from tests.casework.test_time_limits import CALENDAR, CALENDAR_DAYS, PERMIT, UNKNOWN, accepted_on, noon

pytestmark = pytest.mark.fast

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
MONDAY = date(2026, 11, 2)
NOW = noon(date(2026, 12, 1))
SITES = ("511603106205", "511603106206", "511603106207")


def filed(day: date = MONDAY, site: str = SITES[0], item: str = "A", **more: object) -> Application:
    return replace(accepted_on(day, **more), submitted_at=noon(day), site=site, item_id=item)


def decided(accepted: date, on: date, **more: object) -> Application:
    return filed(accepted, decision=Decision(True, "", "", "", noon(on)), **more)


def reckon(*counted: Counted, period: Period = NOVEMBER) -> Figures:
    return assess(counted, period, CALENDAR, NOW).total


def limited(item: ServiceItem, value: int) -> ServiceItem:
    assert item.handling_limit is not None
    return replace(item, promised_limit=replace(item.handling_limit, value=value, unit="working_day"))


FIVE_DAYS = limited(CALENDAR_DAYS, 5)


def test_a_decision_on_the_last_day_is_on_time_and_a_day_later_is_not() -> None:
    last, late = decided(MONDAY, date(2026, 11, 9)), decided(MONDAY, date(2026, 11, 10))
    found = reckon(Counted(last, FIVE_DAYS), Counted(late, FIVE_DAYS))
    assert (found.decided, found.in_time, found.late) == (2, 1, 1)
    assert found.on_time_rate.percent == 50.0
    assert found.average_days == 5.5


def test_an_item_without_a_limit_is_neither_on_time_nor_late() -> None:
    found = reckon(Counted(decided(MONDAY, date(2026, 11, 27)), UNKNOWN), Counted(decided(MONDAY, MONDAY), None))
    assert (found.decided, found.limit_unknown, found.on_time_rate) == (2, 2, Share(0, 0))
    assert found.on_time_rate.percent is None, "unknown is shown as unknown, never as 0 or 100"


def test_what_a_doubtful_clock_accepted_is_counted_apart() -> None:
    found = reckon(Counted(decided(MONDAY, date(2026, 11, 27), accepted_unsure=True), FIVE_DAYS))
    assert (found.doubtful, found.late, found.in_time) == (1, 0, 0)


def test_a_year_without_a_calendar_makes_nothing_late() -> None:
    far = decided(date(2034, 11, 1), date(2034, 11, 30))
    assert keeping(far, FIVE_DAYS, CALENDAR) is Keeping.DOUBTFUL


@pytest.mark.parametrize("stands", [True, False], ids=["moves limits", "does not say"])
def test_a_notice_that_begins_after_the_decision_makes_it_not_doubtful(stands: bool) -> None:
    twenty = limited(CALENDAR_DAYS, 20)
    before, after = decided(MONDAY, date(2026, 11, 4)), decided(MONDAY, date(2026, 11, 13))

    def began(day: date) -> Standstill:
        span = DaySpan(day, date(2026, 12, 1))
        return Standstill("N-1", span, frozenset(CLOCKS), frozenset(LIMIT_UNITS), stands=stands, open_ended=True)

    found = [keeping(one, twenty, CALENDAR, [began(date(2026, 11, 12))]) for one in (before, after)]
    assert found == [Keeping.IN_TIME, Keeping.DOUBTFUL]


def test_what_is_overdue_and_undecided_stands_beside_the_rate() -> None:
    found = reckon(Counted(filed(MONDAY), FIVE_DAYS))
    assert (found.overdue, found.decided, found.on_time_rate.percent) == (1, 0, None)


def test_what_was_voided_counts_nowhere() -> None:
    voided = replace(decided(MONDAY, MONDAY), state=State.VOIDED, returns_count=3)
    assert reckon(Counted(voided, FIVE_DAYS, "line", 1)) == Figures()


def test_what_came_on_a_stick_is_not_online_and_what_nobody_noted_is_unknown() -> None:
    roads = ("line", "relay", "stick", None)
    found = reckon(*[Counted(filed(), None, road) for road in roads])
    assert (found.online_rate, found.road_unknown) == (Share(2, 3), 1)


def test_returns_are_told_as_a_share_and_for_each_application() -> None:
    found = reckon(Counted(filed(returns_count=2), None), Counted(filed(), None))
    assert (found.returned_rate.percent, found.returns_each) == (50.0, 1.0)


def test_only_the_period_counts_by_the_days_of_the_city() -> None:
    outside = [filed(date(2026, 10, 31)), filed(date(2026, 12, 1))]
    assert reckon(*[Counted(one, None, "line") for one in outside]).filed == 0
    assert reckon(Counted(filed(date(2026, 11, 30)), None, "line")).filed == 1


def test_a_pause_takes_its_days_out_of_the_average() -> None:
    assert handling_days(decided(MONDAY, date(2026, 11, 9)), PERMIT, CALENDAR) == 5
    assert handling_days(filed(), PERMIT, CALENDAR) is None


def rated(site: str, *levels: int, item: str = "A") -> list[Counted]:
    one = filed(site=site, item=item, rated_at=noon(MONDAY))
    return [Counted(one, None, None, level) for level in levels]


def by_site(*counted: Counted) -> Assessment:
    return assess(counted, NOVEMBER, CALENDAR, NOW)


def test_a_small_group_is_not_shown_and_cannot_be_had_by_subtraction() -> None:
    found = by_site(*rated(SITES[0], 1, 1, 5), *rated(SITES[1], *[1] * 6), *rated(SITES[2], *[2] * 9))
    assert [found.by_site[site].rated for site in SITES] == [None, None, 9], "the next larger one is hidden with it"
    assert found.total.rated == 18
    assert found.total.good_rate == Share(17, 18)


def test_all_that_were_rated_by_enough_people_are_shown() -> None:
    found = by_site(*rated(SITES[0], *[1] * 5), *rated(SITES[1], *[4] * 5))
    assert [found.by_site[site].rated for site in SITES[:2]] == [5, 5]
    assert found.by_site[SITES[1]].good_rate == Share(0, 5)
    assert found.total.average_level == 2.5


def test_a_total_of_few_is_not_shown_either() -> None:
    found = by_site(*rated(SITES[0], 1, 2), *rated(SITES[1], 3, 3))
    assert (found.total.rated, found.by_site[SITES[0]].rated) == (None, None)


ONES = st.builds(
    lambda site, item, day, road, level, returns, took, known: Counted(
        replace(
            decided(date(2026, 11, day), date(2026, 11, min(30, day + took)), returns_count=returns),
            site=site,
            item_id=item,
            rated_at=noon(MONDAY) if level else None,
        ),
        FIVE_DAYS if known else None,
        road,
        level,
    ),
    st.sampled_from(SITES),
    st.sampled_from("ABCD"),
    st.integers(1, 30),
    st.sampled_from(["line", "relay", "stick", None]),
    st.none() | st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 20),
    st.booleans(),
)


@given(st.lists(ONES, max_size=40))
def test_the_groups_make_up_the_whole_and_no_small_group_of_ratings_can_be_reckoned(counted: list[Counted]) -> None:
    found = assess(counted, NOVEMBER, CALENDAR, NOW)
    for groups in (found.by_site, found.by_item):
        for name in Figures.__dataclass_fields__:
            if name != "levels":
                assert sum(getattr(one, name) for one in groups.values()) == getattr(found.total, name)
        shown = [one for one in groups.values() if one.rated is not None]
        assert all(one.rated == 0 or one.rated >= RATED_AT_LEAST for one in shown)
        if found.total.rated is not None:
            hidden = found.total.rated - sum(one.rated or 0 for one in shown)
            assert hidden == 0 or hidden >= RATED_AT_LEAST
            assert hidden == 0 or len(groups) - len(shown) > 1, "one hidden group is what is left of the sum"
    one = found.total
    assert one.in_time + one.late + one.limit_unknown + one.doubtful == one.decided
    assert one.by_line + one.by_stick + one.road_unknown == one.filed
    assert one.returned <= min(one.filed, one.returns)


@given(st.lists(ONES, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_applications_changes_no_figure(counted: list[Counted], chance) -> None:
    other = list(counted)
    chance.shuffle(other)
    assert assess(counted, NOVEMBER, CALENDAR, NOW) == assess(other, NOVEMBER, CALENDAR, NOW)
