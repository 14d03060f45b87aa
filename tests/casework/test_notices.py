"""Emergency notices: where and when they hold, and what they do to limits."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import MalformedCatalog
from casework.notices import Effect, Notices
from casework.time_limits import Clock, Standing, handling_clock, notice_clock
from tests.casework.test_time_limits import (
    AT_ONCE,
    CALENDAR,
    CALENDAR_DAYS,
    PERMIT,
    SEED,
    accepted_on,
    noon,
    received_on,
)

pytestmark = pytest.mark.fast

SEEDED = json.loads((SEED / "notices.json").read_text())
VILLAGE, COUNTY, OTHER_COUNTY, CITY = "511603106205", "511603000000", "511602000000", "511600000000"
MONDAY = date(2026, 3, 2)
SHIFT = {
    "effect": "shift",
    "clocks": ["notice", "handling"],
    "units": ["working_day", "calendar_day", "immediate"],
}


def notice(notice_id: str = "N-1", *, policy: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An active notice for the whole county; `policy` are the params of its word about limits."""
    measures = [{"code": "WINDOW_SUSPENDED", "summary": "暂停现场窗口"}]
    if policy is not None:
        measures.append({"code": "DEADLINE_POLICY", "params": policy})
    return {
        "notice_id": notice_id,
        "title": f"公告{notice_id}",
        "effective_from": "2026-03-03",
        "effective_to": "2026-03-09",
        "status": "active",
        "scope": {"regions": [COUNTY], "items": "all"},
        "measures": measures,
        **more,
    }


def read(*plain: dict[str, Any]) -> Notices:
    return Notices.from_plain({**SEEDED, "notices": list(plain)})


def notice_limit(notices: Notices, today: date, region: str = VILLAGE, received: date = MONDAY) -> Clock:
    still = notices.standstills(PERMIT.item_id, region, today)
    return notice_clock(received_on(received), PERMIT, CALENDAR, noon(today), True, still)


def handling_limit(notices: Notices, today: date, item: Any = PERMIT, accepted: date = MONDAY) -> Clock:
    still = notices.standstills(item.item_id, VILLAGE, today)
    return handling_clock(accepted_on(accepted), item, CALENDAR, noon(today), True, still)


def test_the_seed_notice_is_read_whole_and_orders_nothing_any_more() -> None:
    notices = Notices.from_plain(SEEDED)
    (seeded,) = notices.listed
    assert (seeded.active, len(seeded.measures), seeded.places) == (False, 11, ("市政务服务大厅",))
    assert notices.for_item(PERMIT.item_id, VILLAGE) == ()
    assert notices.vocabulary["WINDOW_SUSPENDED"] == "暂停现场窗口受理"


def test_the_seed_notice_brought_back_leaves_limits_undecided() -> None:
    (seeded,) = SEEDED["notices"]
    notices = read({**seeded, "status": "active", "effective_from": "2026-03-03"})
    (held,) = notices.in_force(PERMIT.item_id, VILLAGE, date(2026, 3, 4))
    assert (held.effect, held.last) == (Effect.UNKNOWN, None)
    assert held.shuts(date(2026, 3, 4), "市政务服务大厅")
    assert not held.shuts(date(2026, 3, 4), "护安镇便民服务中心")


def test_a_shift_takes_its_days_out_of_the_limits_it_names_and_is_named() -> None:
    notices = read(notice(policy=SHIFT))
    today = date(2026, 3, 10)
    clock = notice_limit(notices, today)
    assert (clock.due, clock.standing, clock.doubt) == (date(2026, 3, 16), Standing.RUNNING, "")
    assert (clock.shifted_days, clock.notices) == (5, ("N-1",))
    assert handling_limit(notices, today).due == date(2026, 4, 7)
    calendar_days = handling_limit(notices, today, CALENDAR_DAYS)
    assert calendar_days.shifted_days == 7


@pytest.mark.parametrize(
    ("narrowed", "moved"),
    [
        ({"clocks": ["notice"]}, (5, 0, 0)),
        ({"clocks": ["handling"]}, (0, 5, 7)),
        ({"units": ["working_day"]}, (5, 5, 0)),
        ({"units": ["calendar_day"]}, (0, 0, 7)),
    ],
)
def test_a_shift_moves_only_the_clocks_and_units_it_names(narrowed: dict, moved: tuple[int, int, int]) -> None:
    notices, today = read(notice(policy={**SHIFT, **narrowed})), date(2026, 3, 10)
    clocks = (
        notice_limit(notices, today),
        handling_limit(notices, today),
        handling_limit(notices, today, CALENDAR_DAYS),
    )
    assert tuple(clock.shifted_days for clock in clocks) == moved
    assert not any(clock.doubt for clock in clocks)


def test_what_was_due_at_once_on_a_day_that_does_not_count_is_due_on_the_next_that_does() -> None:
    clock = handling_limit(read(notice(policy=SHIFT)), date(2026, 3, 5), AT_ONCE, date(2026, 3, 5))
    assert (clock.due, clock.standing) == (date(2026, 3, 10), Standing.SOON)


def test_a_notice_that_says_no_shift_changes_no_limit() -> None:
    assert notice_limit(read(notice(policy={"effect": "no_shift"})), date(2026, 3, 10)) == notice_limit(
        read(), date(2026, 3, 10)
    )


@pytest.mark.parametrize("policy", [None, {"effect": "unknown"}, {}, {"effect": "shift"}, {"effect": "later"}])
def test_a_limit_that_nobody_decided_about_is_counted_as_usual_and_never_overdue(policy: dict | None) -> None:
    plain, today = notice_limit(read(), date(2026, 3, 10)), date(2026, 3, 10)
    assert (plain.standing, plain.deemed_accepted) == (Standing.OVERDUE, True)
    clock = notice_limit(read(notice(policy=policy)), today)
    assert (clock.due, clock.shifted_days) == (plain.due, 0)
    assert (clock.standing, clock.provisional, clock.doubt) == (Standing.PROVISIONAL, True, "unstated")
    assert not clock.deemed_accepted


def test_a_permit_is_not_taken_as_accepted_while_nobody_decided_about_its_notice() -> None:
    late = replace(accepted_on(date(2026, 3, 12)), received_at=noon(MONDAY))
    today = date(2026, 3, 12)
    still = read(notice()).standstills(PERMIT.item_id, VILLAGE, today)
    from_receipt = handling_clock(late, PERMIT, CALENDAR, noon(today), True)
    from_acceptance = handling_clock(late, PERMIT, CALENDAR, noon(today), True, still)
    assert from_receipt.due == date(2026, 3, 30)
    assert from_acceptance.due == date(2026, 4, 10)


def test_a_notice_without_an_end_skips_until_today_and_stays_provisional() -> None:
    notices = read(notice(policy=SHIFT, effective_to=None))
    for today in (date(2026, 3, 5), date(2026, 3, 20)):
        clock = notice_limit(notices, today)
        assert (clock.provisional, clock.doubt, clock.remaining_days) == (True, "open", 5)
        assert clock.due > today
    assert notice_limit(notices, date(2026, 3, 20)).shifted_days == 14


def test_a_limit_that_ended_before_the_notice_began_is_overdue_as_ever() -> None:
    for policy in (SHIFT, None):
        clock = notice_limit(
            read(notice(policy=policy, effective_to=None)), date(2026, 3, 10), received=date(2026, 2, 2)
        )
        assert (clock.standing, clock.doubt, clock.notices) == (Standing.OVERDUE, "", ())


def test_measures_that_shut_nothing_and_say_nothing_of_limits_leave_limits_alone() -> None:
    masks = notice(measures=[{"code": "MASK_REQUIRED", "summary": "进入须戴口罩"}])
    assert notice_limit(read(masks), date(2026, 3, 10)) == notice_limit(read(), date(2026, 3, 10))


def test_an_unknown_measure_is_kept_with_its_summary() -> None:
    (one,) = read(notice(measures=[{"code": "DRONE_DELIVERY", "summary": "无人机送达"}])).listed
    assert (one.measures[0].code, one.measures[0].summary) == ("DRONE_DELIVERY", "无人机送达")


def test_a_later_notice_that_supersedes_ends_the_earlier_the_day_before() -> None:
    first = notice("N-1", policy=SHIFT, effective_to=None)
    second = notice("N-2", policy={"effect": "no_shift"}, effective_from="2026-03-06", supersedes="N-1")
    for order in itertools.permutations((first, second)):
        held = read(*order).for_item(PERMIT.item_id, VILLAGE)
        assert [(one.notice.notice_id, one.last) for one in held] == [
            ("N-1", date(2026, 3, 5)),
            ("N-2", date(2026, 3, 9)),
        ]
        assert notice_limit(read(*order), date(2026, 3, 10)).shifted_days == 3


def test_a_notice_that_resumes_the_windows_ends_what_shut_them() -> None:
    shut = notice("N-1", policy=SHIFT, effective_to=None)
    resumed = notice(
        "N-2", effective_from="2026-03-05", effective_to=None, measures=[{"code": "WINDOW_RESUMED", "summary": "恢复"}]
    )
    clock = notice_limit(read(shut, resumed), date(2026, 3, 20))
    assert (clock.shifted_days, clock.doubt, clock.standing) == (2, "", Standing.OVERDUE)


def test_a_narrower_notice_ends_nothing_beyond_its_scope() -> None:
    wide = notice("N-1", policy=SHIFT, effective_to=None, scope={"regions": [CITY], "items": "all"})
    narrow = notice("N-2", policy={"effect": "no_shift"}, effective_from="2026-03-06", supersedes=["N-1"])
    notices = read(wide, narrow)
    assert notice_limit(notices, date(2026, 3, 10)).shifted_days == 3
    assert notice_limit(notices, date(2026, 3, 10), OTHER_COUNTY).doubt == "open"
    assert {one.notice.notice_id for one in notices.reaching(CITY, date(2026, 3, 8))} == {"N-1", "N-2"}


@pytest.mark.parametrize(
    "scope",
    [
        {"regions": [OTHER_COUNTY], "items": "all"},
        {"regions": ["511603107000"], "items": "all"},
        {"regions": [COUNTY], "items": ["GA-YB-001"]},
    ],
)
@pytest.mark.parametrize("policy", [SHIFT, None])
def test_a_notice_of_another_region_or_item_changes_nothing(scope: dict, policy: dict | None) -> None:
    other = read(notice(policy=policy, scope=scope, effective_to=None))
    for today in (date(2026, 3, 4), date(2026, 3, 30)):
        assert notice_limit(other, today) == notice_limit(read(), today)
        assert handling_limit(other, today) == handling_limit(read(), today)


@pytest.mark.parametrize(
    "broken",
    [
        {"effective_from": None},
        {"effective_from": "3月3日"},
        {"effective_to": "2026-03-01"},
        {"scope": {"items": "all"}},
        {"title": None},
        {"measures": [{"summary": "没有代码"}]},
        {"measures": ["暂停"]},
    ],
)
def test_a_notice_that_cannot_be_applied_is_refused(broken: dict) -> None:
    with pytest.raises(MalformedCatalog):
        read({**notice(), **broken})


days = st.dates(date(2026, 1, 5), date(2026, 6, 1))
policies = st.sampled_from(
    [SHIFT, {**SHIFT, "clocks": ["notice"]}, {**SHIFT, "units": ["calendar_day"]}, {"effect": "no_shift"}, None]
)


@st.composite
def shifts(draw: st.DrawFn, notice_id: str = "N-1") -> dict[str, Any]:
    first = draw(days)
    length = draw(st.none() | st.integers(0, 60))
    last = None if length is None else (first + timedelta(days=length)).isoformat()
    return notice(notice_id, policy=draw(policies), effective_from=first.isoformat(), effective_to=last)


def clocks_of(notices: Notices, started: date, today: date) -> list[Clock]:
    both = (received_on(started), PERMIT), (received_on(started), CALENDAR_DAYS)
    taken = [(accepted_on(started), item) for item in (PERMIT, CALENDAR_DAYS, AT_ONCE)]
    still = {item.item_id: notices.standstills(item.item_id, VILLAGE, today) for _, item in (*both, *taken)}
    now = noon(today)
    return [
        *(notice_clock(it, item, CALENDAR, now, True, still[item.item_id]) for it, item in both),
        *(handling_clock(it, item, CALENDAR, now, True, still[item.item_id]) for it, item in taken),
    ]


@given(shifts(), days, st.integers(0, 90))
def test_a_notice_never_makes_a_limit_end_earlier_or_overdue_sooner(plain: dict, started: date, after: int) -> None:
    today = started + timedelta(days=after)
    for with_it, without in zip(clocks_of(read(plain), started, today), clocks_of(read(), started, today), strict=True):
        assert with_it.due is not None
        assert without.due is not None
        assert with_it.due >= without.due
        assert with_it.standing is not Standing.OVERDUE or without.standing is Standing.OVERDUE
        assert with_it.shifted_days >= 0


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=4, unique=True).flatmap(
        lambda numbers: st.tuples(*(shifts(f"N-{number}") for number in numbers))
    ),
    st.randoms(use_true_random=False),
    days,
    st.integers(0, 60),
)
def test_the_order_of_notices_does_not_matter(plain: tuple, rng: Any, started: date, after: int) -> None:
    listed = [{**one, "supersedes": rng.choice([None, "N-0", ["N-1", "N-2"]])} for one in plain]
    shuffled = rng.sample(listed, len(listed))
    today = started + timedelta(days=after)
    assert clocks_of(read(*listed), started, today) == clocks_of(read(*shuffled), started, today)
