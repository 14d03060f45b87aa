"""A catalog brings an emergency notice: the node tells it, and counts limits by it, offline, until it is taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from casework.errors import CaseworkError
from edge_node.acts import catalog_release, catalogue_reading, listing, reviewing
from offline_store.desk import applications
from tests.edge_node.city import known, submitted
from tests.edge_node.notices import OTHER_COUNTY, SHIFT, TITLE, declare, notice
from tests.edge_node.town import MORNING, Town, seed
from tests.edge_node.village import Village
from wire.counter import ApplicationBrief, ClockView

pytestmark = pytest.mark.node

ITEM, PERMIT = "GA-YB-001", "GA-LY-001"
PLAIN_DUE, MOVED_DUE = date(2026, 11, 30), date(2026, 12, 11)
ELSEWHERE = {"regions": [OTHER_COUNTY], "items": "all"}


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path / "village")


def brief(village: Village, application_id: str) -> ApplicationBrief:
    return next(row for row in listing.page(village.counter, village.who).rows if row.application_id == application_id)


def clock(village: Village, application_id: str, kind: str = "notice") -> ClockView:
    detail = listing.detail(village.counter, village.who, application_id)
    return next(one for one in detail.clocks if one.kind == kind)


def test_the_guide_tells_what_is_ordered_here_in_the_words_of_the_catalog(village: Village) -> None:
    declare(village.counter, 2, notice())
    (told,) = catalogue_reading.guide(village.counter, ITEM).notices
    assert (told.title, told.first, told.last) == (TITLE, date(2026, 11, 23), date(2026, 12, 4))
    assert (told.shut_here, told.effect, told.contacts) == (True, "shift", [])
    assert [(one.name, one.summary) for one in told.measures][:3] == [
        ("暂停现场窗口受理", "暂停现场窗口受理办理"),
        ("确需现场的须预约", "确需到场的先预约"),
        ("", "无人机送达"),
    ]
    assert [(one.name, one.at) for one in told.channels] == [("电话", None)]
    assert told.regions == ["前锋区"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"scope": ELSEWHERE},
        {"scope": {"regions": ["511603000000"], "items": [PERMIT]}},
        {"effective_from": "2026-11-24"},
        {"effective_from": "2026-11-01", "effective_to": "2026-11-22"},
        {"status": "historical"},
        {"status": "withdrawn"},
    ],
)
def test_a_notice_of_another_region_item_or_time_is_not_told(village: Village, elsewhere: dict) -> None:
    declare(village.counter, 2, notice(**elsewhere))
    assert catalogue_reading.guide(village.counter, ITEM).notices == []


def test_a_window_elsewhere_is_not_shut_here(village: Village) -> None:
    scope = {"regions": ["511600000000"], "places": ["市政务服务大厅"], "items": "all"}
    declare(village.counter, 2, notice(scope=scope))
    (told,) = catalogue_reading.guide(village.counter, ITEM).notices
    assert (told.places, told.shut_here) == (["市政务服务大厅"], False)


def test_limits_of_open_applications_move_with_a_notice_and_back_without_it(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    before = brief(village, application_id)
    assert (before.due, before.shifted_days, before.due_doubt) == (PLAIN_DUE, 0, "")

    declare(village.counter, 2, notice())
    moved = brief(village, application_id)
    assert (moved.due, moved.shifted_days, moved.due_unit, moved.due_doubt) == (MOVED_DUE, 9, "working_day", "")
    assert clock(village, application_id).notices == [TITLE]

    declare(village.counter, 3)
    after = brief(village, application_id)
    assert (after.due, after.light, after.shifted_days) == (before.due, before.light, 0)
    assert known(village, application_id).shown.catalog_version == 1


def test_a_notice_of_another_region_moves_no_limit(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    declare(
        village.counter, 2, notice(scope=ELSEWHERE), notice({"effect": "unknown"}, notice_id="N-2", scope=ELSEWHERE)
    )
    shown = brief(village, application_id)
    assert (shown.due, shown.shifted_days, shown.due_doubt) == (PLAIN_DUE, 0, "")
    assert clock(village, application_id).notices == []


@pytest.mark.parametrize("policy", [{"effect": "unknown"}, {"effect": "shift"}])
def test_nothing_is_overdue_while_nobody_decided_about_limits(village: Village, policy: dict) -> None:
    application_id = village.collected(PERMIT)
    submitted(village, application_id)
    village.clock.passes(days=14)
    village.receipt()
    village.mail.turn()
    overdue = clock(village, application_id)
    assert (overdue.standing, overdue.deemed_accepted, brief(village, application_id).light) == ("overdue", True, "red")
    declare(village.counter, 2, notice(policy))
    told = clock(village, application_id)
    assert (told.standing, told.deemed_accepted, told.due) == ("provisional", False, PLAIN_DUE)
    assert (told.doubt, told.notices) == ("unstated", [TITLE])
    assert brief(village, application_id).light == "grey"


def test_the_order_of_the_queue_follows_once_and_is_written_down(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    assert known(village, application_id).due == PLAIN_DUE
    assert "limits_recounted" not in village.noted()
    declare(village.counter, 2, notice())
    village.clock.passes(hours=1)
    village.mail.turn()
    village.mail.turn()
    assert known(village, application_id).due == MOVED_DUE
    assert village.noted().count("limits_recounted") == 1


def test_a_notice_without_an_end_moves_the_order_again_each_day(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    declare(village.counter, 2, notice(effective_to=None))
    for _ in range(2):
        village.clock.passes(days=1)
        village.mail.turn()
    assert known(village, application_id).due == date(2026, 12, 2)
    assert village.noted().count("limits_recounted") == 2
    assert brief(village, application_id).due_doubt == "open"


def test_nobody_waits_for_the_applications_that_are_over(village: Village) -> None:
    application_id = village.collected()
    declare(village.counter, 2, notice())
    with village.counter.desk.transaction() as tx:
        (number, found), *more = applications.open_after(tx, 0, 10)
        assert (found.application_id, more) == (application_id, [])
        assert applications.open_after(tx, number, 10) == []


def test_a_release_with_a_notice_that_cannot_be_applied_is_refused() -> None:
    documents = {"calendar": seed("calendar"), "notices": {**seed("notices"), "notices": [notice(effective_from=None)]}}
    with pytest.raises(CaseworkError):
        catalog_release.check_content(seed("items")["items"], seed("forms")["forms"], documents)


# --- the township ---------------------------------------------------------------------------------------------------


def accepted(town: Town, number: int = 1) -> str:
    it = town.application(number, PERMIT).application_id
    reviewing.accept(town.counter, town.clerk(), it)
    return it


def handling_due(town: Town, application_id: str) -> date | None:
    detail = listing.detail(town.counter, town.clerk(), application_id)
    return next(one.due for one in detail.clocks if one.kind == "handling")


def test_an_acceptance_during_a_notice_is_written_with_the_day_it_moves_to(town: Town) -> None:
    assert town.state(accepted(town)).limit_due == date(2026, 12, 21)
    declare(town.counter, 2, notice(effective_to="2026-11-27"))
    assert town.state(accepted(town, 2)).limit_due == date(2026, 12, 25)


@pytest.mark.parametrize(
    "open_one", [notice(effective_to=None), notice({"effect": "unknown"}), notice({**SHIFT, "units": []})]
)
def test_a_day_that_a_notice_leaves_open_is_not_written_into_an_acceptance(town: Town, open_one: dict) -> None:
    declare(town.counter, 2, open_one)
    it = accepted(town)
    assert (town.state(it).limit_due, town.state(it).accepted_at) == (None, MORNING)
    assert handling_due(town, it) is not None


def test_a_notice_that_comes_later_changes_no_acceptance_and_moves_its_clock(town: Town) -> None:
    it = accepted(town)
    written, history = town.state(it).limit_due, town.state(it).history
    declare(town.counter, 2, notice())
    assert town.state(it).limit_due == written
    assert town.state(it).history == history
    moved = handling_due(town, it)
    assert written is not None
    assert moved is not None
    assert moved > written
    declare(town.counter, 3)
    assert handling_due(town, it) == written
