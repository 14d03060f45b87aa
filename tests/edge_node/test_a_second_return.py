"""The notice is given once: a later return names only what was named before or what the supplement touched."""

from typing import Any

import pytest

from casework.application import HandedIn, ReturnPoint, Seen
from casework.states import State
from edge_node.acts import reviewing
from edge_node.counter.errors import AddedLater
from edge_node.faults import fault_of
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import Town
from wire.counter import ReturnPointView

pytestmark = pytest.mark.node

FIRST = ReturnPoint("material", "GA-LY-001-M01", "缺少伐区位置图", "补交位置图")


def _view(kind: Any, ref: str) -> ReturnPointView:
    return ReturnPointView(kind=kind, ref=ref, problem="仍不清楚", remedy="重新提交")


def _answered(town: Town) -> str:
    """An application that was returned for one point and came back with that point and the phone changed."""
    it = town.application(1).application_id
    points = [ReturnPointView(kind=FIRST.kind, ref=FIRST.ref, problem=FIRST.problem, remedy=FIRST.remedy)]
    reviewing.return_once(town.counter, town.clerk(), it, points)
    town.supplemented(
        it,
        form={"applicant_phone": "13800000009"},
        handed_in=(HandedIn(FIRST.ref, Seen.ORIGINAL_SEEN, copies=1),),
        answers={FIRST.ref: "已补位置图"},
    )
    return it


@pytest.mark.parametrize(
    ("kind", "ref"), [("material", "GA-LY-001-M02"), ("field", "applicant_name"), ("condition", "GA-LY-001-C01")]
)
def test_what_was_neither_named_nor_touched_cannot_be_added(town: Town, kind: str, ref: str) -> None:
    it = _answered(town)
    before = town.state(it)
    with pytest.raises(AddedLater) as refused:
        reviewing.return_once(town.counter, town.clerk(), it, [_view("material", FIRST.ref), _view(kind, ref)])
    status, error = fault_of(refused.value)
    assert (status, error["code"]) == (409, "return.added_later")
    assert ref in error["message"]
    assert town.state(it) == before


def test_what_was_named_and_what_the_supplement_touched_can_be_named_again(town: Town) -> None:
    it = _answered(town)
    who = town.clerk()
    allowed = reviewing.guide(town.counter, who, it).points
    assert [(one.kind, one.ref) for one in allowed] == [("material", FIRST.ref), ("field", "applicant_phone")]
    reviewing.return_once(town.counter, who, it, [_view(one.kind, one.ref) for one in allowed])
    after = town.state(it)
    assert (after.state, after.returns_count) == (State.RETURNED, 2)
    assert [[point.ref for point in one.points] for one in after.rounds] == [
        [FIRST.ref],
        [FIRST.ref, "applicant_phone"],
    ]


async def test_the_file_shows_every_round_with_its_answers(browser: Browser, town: Town) -> None:
    it = _answered(town)
    reviewing.return_once(town.counter, town.clerk(), it, [_view("field", "applicant_phone")])
    shown = (await browser.get(f"/review/{it}")).text
    for words in ("第 1 次退回补正", "缺少伐区位置图", "已补位置图", "第 2 次退回补正", "仍不清楚"):
        assert words in shown


async def test_the_page_offers_only_what_may_be_named_and_says_why(browser: Browser, town: Town) -> None:
    it = _answered(town)
    shown = await browser.get(f"/review/{it}/return")
    assert "已经告知过一次" in shown.text
    assert 'value="material-GA-LY-001-M01"' in shown.text
    assert "GA-LY-001-M02" not in shown.text
    added = "material-GA-LY-001-M02"
    sent = (("tick", added), (f"problem.{added}", "没有"), (f"remedy.{added}", "请提供"))
    answer = await browser.submit(f"/review/{it}/return", f"/review/{it}/return", [("step", "do"), *sent])
    assert answer.status_code == 422
    assert "不能再要求补正" in answer.text
    assert town.state(it).state is State.PRE_REVIEW
