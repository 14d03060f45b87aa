"""What a clerk types into the return form and the forms of the other acts."""

import asyncio
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from edge_node.routes import page_acts, page_return_points
from edge_node.routes.page_acts import ACTS, Pick
from edge_node.routes.page_body import FORM_TYPE, FormRefused, Posted, clean, posted_form
from edge_node.routes.page_refusals import bad_form, own_path
from edge_node.routes.page_views import clock_row
from wire.counter import AcceptProvisionally, ClockView, Decline, ReturnablePoint

pytestmark = pytest.mark.fast

GUIDE = [
    ReturnablePoint(kind="material", ref="GA-LY-001-M01", label="林木采伐申请材料"),
    ReturnablePoint(kind="material", ref="field:photo", label="照片"),
    ReturnablePoint(kind="condition", ref="GA-LY-001-C01", label="采伐林地上的林木"),
    ReturnablePoint(kind="field", ref="applicant_name", label="申请人姓名"),
]
POINTS = page_return_points.points_of(GUIDE, {"applicant_name": "张测试"})
TODAY = date(2026, 11, 23)


def posted(*fields: tuple[str, str]) -> Posted:
    return Posted(tuple(fields))


def test_every_thing_the_guide_names_has_one_box_with_a_key_of_its_own() -> None:
    assert len({point.key for point in POINTS}) == len(GUIDE)
    assert POINTS[3].value == "张测试"
    assert POINTS[0].value == ""


def test_a_ticked_point_with_problem_and_remedy_is_asked_for() -> None:
    form = posted(
        ("tick", "material-GA-LY-001-M01"),
        ("problem.material-GA-LY-001-M01", " 缺少伐区位置图 "),
        ("remedy.material-GA-LY-001-M01", "补交伐区位置图"),
    )
    points = page_return_points.judged(page_return_points.filled(POINTS, form))
    assert page_return_points.problems(points, form) == ()
    (asked,) = page_return_points.asked(points)
    assert (asked.kind, asked.ref, asked.problem, asked.remedy) == (
        "material",
        "GA-LY-001-M01",
        "缺少伐区位置图",
        "补交伐区位置图",
    )


def test_a_box_that_the_guide_does_not_have_is_refused_by_name() -> None:
    form = posted(("tick", "material-LEXUS"), ("problem.material-LEXUS", "无"), ("remedy.material-LEXUS", "交"))
    points = page_return_points.judged(page_return_points.filled(POINTS, form))
    (problem,) = page_return_points.problems(points, form)
    assert "material-LEXUS" in problem["message"]
    assert page_return_points.asked(points) == []


def test_words_without_a_tick_are_not_dropped_silently() -> None:
    form = posted(("problem.field-applicant_name", "与身份证不一致"))
    points = page_return_points.judged(page_return_points.filled(POINTS, form))
    assert points[3].kept
    assert points[3].problem == "与身份证不一致"
    assert [problem["field"] for problem in page_return_points.problems(points, form)] == ["p-field-applicant_name"]


def test_a_tick_without_words_says_which_point_lacks_them() -> None:
    form = posted(("tick", "condition-GA-LY-001-C01"))
    points = page_return_points.judged(page_return_points.filled(POINTS, form))
    (problem,) = page_return_points.problems(points, form)
    assert "采伐林地上的林木" in problem["message"]


def test_a_return_without_any_point_is_refused() -> None:
    points = page_return_points.judged(page_return_points.filled(POINTS, posted()))
    assert len(page_return_points.problems(points, posted())) == 1


def test_words_beyond_the_limit_are_refused_and_kept() -> None:
    form = posted(
        ("tick", "field-applicant_name"),
        ("problem.field-applicant_name", "长" * 501),
        ("remedy.field-applicant_name", "改"),
    )
    points = page_return_points.judged(page_return_points.filled(POINTS, form))
    assert page_return_points.problems(points, form)
    assert points[3].problem == "长" * 501


DECLINE = ACTS["decline"]
REASONS = (("reason", "位于核心区"), ("basis", "森林法第五十五条"), ("remedy", "可以依法申请行政复议"))


def _judged(name: str, *fields: tuple[str, str], picks: tuple[Pick, ...] = ()) -> tuple[page_acts.ActField, ...]:
    form = posted(*fields)
    return page_acts.judged(page_acts.filled(ACTS[name], form, picks), form, TODAY)


def test_a_decline_carries_reason_basis_and_remedy() -> None:
    fields = _judged("decline", *REASONS)
    assert page_acts.problems(fields) == ()
    asked = DECLINE.ask({one.name: one for one in fields})
    assert asked == Decline(reason="位于核心区", basis="森林法第五十五条", remedy="可以依法申请行政复议")


def test_a_decline_may_name_the_competent_body() -> None:
    fields = _judged("decline", *REASONS, ("elsewhere", "广安市林业局"))
    asked = DECLINE.ask({one.name: one for one in fields})
    assert isinstance(asked, Decline)
    assert (asked.reason, asked.elsewhere) == ("位于核心区", "广安市林业局")


@pytest.mark.parametrize("left_out", ["reason", "basis", "remedy"])
def test_a_decline_without_its_reasons_says_which_one(left_out: str) -> None:
    fields = _judged("decline", *((name, text) for name, text in REASONS if name != left_out))
    assert [problem["field"] for problem in page_acts.problems(fields)] == [left_out]


def test_the_drafted_remedy_cannot_be_sent_with_its_blanks() -> None:
    drafted = next(one.value for one in page_acts.empty(DECLINE, ()) if one.name == "remedy")
    fields = _judged("decline", *REASONS[:2], ("remedy", drafted))
    assert [problem["field"] for problem in page_acts.problems(fields)] == ["remedy"]


PICKS = (Pick("M1", "照片"), Pick("M2", "证明"))


def test_a_provisional_acceptance_names_deferred_materials_a_day_and_a_promise() -> None:
    fields = _judged(
        "accept-provisionally", ("deferred", "M2"), ("due", "2026-12-31"), ("promise", "年底前补齐"), picks=PICKS
    )
    assert page_acts.problems(fields) == ()
    asked = ACTS["accept-provisionally"].ask({one.name: one for one in fields})
    assert asked == AcceptProvisionally(deferred=["M2"], due=date(2026, 12, 31), promise="年底前补齐")


@pytest.mark.parametrize("due", ["2026-11-23", "2020-01-01", "31.12.2026", "2026-02-30"])
def test_a_day_that_is_none_or_has_passed_is_refused(due: str) -> None:
    fields = _judged("accept-provisionally", ("deferred", "M1"), ("due", due), ("promise", "补齐"), picks=PICKS)
    assert [problem["field"] for problem in page_acts.problems(fields)] == ["due"]
    assert next(one.value for one in fields if one.name == "due") == due


def test_a_material_that_may_not_be_deferred_cannot_be_picked() -> None:
    fields = _judged("accept-provisionally", ("deferred", "M9"), ("due", "2026-12-31"), ("promise", "补"), picks=PICKS)
    assert [problem["field"] for problem in page_acts.problems(fields)] == ["deferred"]


def test_what_was_typed_is_what_goes_back_into_the_form() -> None:
    form = posted(("reason", "<b>理由</b>"), ("basis", ""), ("csrf", "x"), ("step", "check"))
    assert form.typed() == (("reason", "<b>理由</b>"), ("basis", ""))
    kept = page_acts.filled(DECLINE, form, ())
    assert kept[0] == replace(kept[0], value="<b>理由</b>")


@given(st.text(max_size=60))
def test_reading_a_text_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\r" not in once
    assert "\x00" not in once


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=20)), max_size=8))
def test_a_form_of_any_text_is_read_back_as_it_was_sent(fields: list[tuple[str, str]]) -> None:
    clean_fields = [(k, v) for k, v in fields if not any("\ud800" <= sign <= "\udfff" for sign in k + v)]
    assert parse_qsl(urlencode(clean_fields), keep_blank_values=True) == clean_fields


@pytest.mark.parametrize(
    "path", ["//evil.example/", "https://evil.example/", "/\\evil.example", "review", "", "/" + "a" * 400, "/re\nview"]
)
def test_going_on_never_leaves_this_page(path: str) -> None:
    assert own_path(path) == "/review"


async def test_a_body_that_never_arrives_is_given_up_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_node.routes.page_body.BODY_DEADLINE_SECONDS", 0.05)

    async def never() -> dict[str, object]:
        return await asyncio.Future()

    headers = [(b"content-type", FORM_TYPE.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, never)
    with pytest.raises(FormRefused) as refused:
        await posted_form(request)
    assert (refused.value.status, refused.value.key) == (408, "page.refused.slow")
    answer = await bad_form(request, refused.value)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


@pytest.mark.parametrize("deemed", [True, False])
def test_a_permit_that_counts_as_accepted_by_law_is_told_so(deemed: bool) -> None:
    clock = ClockView(kind="notice", standing="overdue", remaining_days=-2, deemed_accepted=deemed)
    row = clock_row(clock, "working_day")
    assert ("视为受理" in row.deemed_words) is deemed
