"""What a township clerk does on the page, step by step and without script."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from casework.forms import visible
from casework.states import State
from edge_node.routes.page_body import BODY_MAX_BYTES
from offline_store.desk import journal
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import Town

pytestmark = pytest.mark.node

POINT = "material-GA-LY-001-M01"
RETURN = (("tick", POINT), (f"problem.{POINT}", "缺少伐区位置图"), (f"remedy.{POINT}", "补交位置图"))
DECLINE = (
    ("reason", "位于自然保护区核心区"),
    ("basis", "森林法第五十五条"),
    ("elsewhere", "广安市林业局"),
    ("remedy", "可以自收到本通知书之日起六十日内申请行政复议"),
)
FORWARD = (("to", "广安市前锋区林业局"), ("reason", "不属于本中心职权"))
NOT_REQUIRED = (("reason", "房前屋后零星林木不需许可"),)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; drop table applications; --",
    "</textarea><svg/onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202e\u2066反向文字",
    "%s %(name)s {name}",
]


async def _confirm(browser: Browser, path: str, fields: Any = ()) -> httpx.Response:
    """Fill in, check, confirm; the answer to the confirmation."""
    shown = await browser.submit(path, path, [("step", "check"), *fields])
    assert shown.status_code == 200, shown.text
    return await browser.post(path, [*browser.all_hidden(shown), ("step", "do")])


def _wrong(answer: httpx.Response) -> str:
    found = re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)
    return found.group(0) if found else ""


ACTS = [
    ("accept", (), State.ACCEPTED, "accepted"),
    ("decline", DECLINE, State.DECLINED, "declined"),
    ("forward", FORWARD, State.FORWARDED, "forwarded"),
    ("not-required", NOT_REQUIRED, State.NOT_REQUIRED, "not_required"),
    ("return", RETURN, State.RETURNED, "returned"),
]


@pytest.mark.parametrize(("path", "fields", "state", "done"), ACTS, ids=[act[0] for act in ACTS])
async def test_an_act_is_filled_in_checked_and_done(
    browser: Browser, town: Town, path: str, fields: Any, state: State, done: str
) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/{path}"
    checked = await browser.submit(where, where, [("step", "check"), *fields])
    assert checked.status_code == 200
    assert town.state(it).state is State.PRE_REVIEW
    answer = await browser.post(where, [*browser.all_hidden(checked), ("step", "do")])
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/review/{it}?done={done}"
    assert town.state(it).state is state
    assert (await browser.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize(("path", "fields", "state", "done"), ACTS, ids=[act[0] for act in ACTS])
async def test_a_confirmation_pressed_twice_acts_once(
    browser: Browser, town: Town, path: str, fields: Any, state: State, done: str
) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/{path}"
    checked = await browser.submit(where, where, [("step", "check"), *fields])
    sent = [*browser.all_hidden(checked), ("step", "do")]
    await browser.post(where, sent)
    after = town.state(it)
    second = await browser.post(where, sent)
    assert second.headers["location"] == f"/review/{it}?done=already"
    assert town.state(it) == after


@pytest.mark.parametrize(("path", "fields", "state", "done"), ACTS, ids=[act[0] for act in ACTS])
@pytest.mark.parametrize("forged", [None, "", "0" * 64])
async def test_without_the_form_token_nothing_is_done(
    browser: Browser, town: Town, path: str, fields: Any, state: State, done: str, forged: str | None
) -> None:
    it = await browser.begun(town, 1)
    before = town.state(it)
    token = [] if forged is None else [("csrf", forged)]
    answer = await browser.post(f"/review/{it}/{path}", [*token, ("step", "do"), *fields])
    assert answer.status_code == 403
    assert town.state(it) == before


async def test_another_sites_form_is_refused_even_with_the_token(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    csrf = browser.csrf_of(await browser.get(f"/review/{it}/accept"))
    answer = await browser.post(
        f"/review/{it}/accept", {"csrf": csrf, "step": "do"}, **{"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert town.state(it).state is State.PRE_REVIEW


async def test_a_token_of_another_session_is_worth_nothing(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    async with Browser.at(town.counter) as other:
        await other.sign_in()
        foreign = other.csrf_of(await other.get(f"/review/{it}/accept"))
    answer = await browser.post(f"/review/{it}/accept", {"csrf": foreign, "step": "do"})
    assert answer.status_code == 403
    assert town.state(it).state is State.PRE_REVIEW


async def test_a_return_names_every_material_condition_and_field_that_the_guide_asks_for_here(
    browser: Browser, town: Town
) -> None:
    it = await browser.begun(town, 1)
    laid = town.state(it)
    shown = await browser.get(f"/review/{it}/return")
    boxes = set(re.findall(r'name="tick" value="([^"]+)"', shown.text))
    with town.counter.desk.reading() as tx:
        item = town.counter.shelf.item(tx, laid.item_id, 1)
        form = town.counter.shelf.form(tx, laid.form_id, 1)
    assert {f"material-{one.material_id}" for one in item.materials} <= boxes
    asked = visible(form, town.state(it).form)
    assert {f"field-{name}" for name in form.by_id if name in asked} <= boxes
    assert not {f"field-{name}" for name in form.by_id if name not in asked} & boxes
    assert len([box for box in boxes if box.startswith("condition-")]) == len(item.conditions)


@pytest.mark.parametrize("added", ["material-GA-LY-001-M99", "material-健康证明", "condition-x", "field-salary", "x"])
async def test_a_requirement_that_the_guide_does_not_name_is_refused(browser: Browser, town: Town, added: str) -> None:
    it = await browser.begun(town, 1)
    before = town.state(it)
    extra = (("tick", added), (f"problem.{added}", "没有"), (f"remedy.{added}", "请提供"))
    for step in ("check", "do"):
        answer = await browser.submit(f"/review/{it}/return", f"/review/{it}/return", [("step", step), *RETURN, *extra])
        assert answer.status_code == 422
        assert "缺少伐区位置图" in answer.text
        assert _wrong(answer)
    assert town.state(it) == before


async def test_a_return_shows_in_full_before_it_is_sent_and_arrives_whole(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    more = (
        ("tick", "field-applicant_name"),
        ("problem.field-applicant_name", "与身份证不一致"),
        ("remedy.field-applicant_name", "按身份证更正"),
    )
    where = f"/review/{it}/return"
    checked = await browser.submit(where, where, [("step", "check"), *RETURN, *more])
    for words in ("缺少伐区位置图", "补交位置图", "与身份证不一致", "按身份证更正"):
        assert words in checked.text
    edited = await browser.post(where, [*browser.all_hidden(checked), ("step", "edit")])
    assert "与身份证不一致" in edited.text
    assert town.state(it).state is State.PRE_REVIEW
    await browser.post(where, [*browser.all_hidden(checked), ("step", "do")])
    assert [(point.kind, point.ref, point.problem, point.remedy) for point in town.state(it).return_points] == [
        ("material", "GA-LY-001-M01", "缺少伐区位置图", "补交位置图"),
        ("field", "applicant_name", "与身份证不一致", "按身份证更正"),
    ]


@pytest.mark.parametrize(("path", "fields", "state", "done"), ACTS, ids=[act[0] for act in ACTS])
async def test_going_back_from_the_check_finds_everything_that_was_typed(
    browser: Browser, town: Town, path: str, fields: Any, state: State, done: str
) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/{path}"
    csrf = browser.csrf_of(await browser.get(where))
    sent = await browser.client.post(
        where,
        content=urlencode([("csrf", csrf), ("step", "check"), *fields]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"{where}?step=check")
    for address in (sent.headers["location"], where, sent.headers["location"], where):
        shown = await browser.get(address)
        assert shown.status_code == 200
        for name, text in fields:
            assert name == "tick" or text in shown.text
    assert town.state(it).state is State.PRE_REVIEW


async def test_what_was_typed_is_seen_by_nobody_else_and_goes_with_the_session(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/decline"
    await browser.submit(where, where, [("step", "check"), *DECLINE])
    async with Browser.at(town.counter) as colleague:
        await colleague.sign_in()
        assert DECLINE[0][1] not in (await colleague.get(where)).text
    assert DECLINE[0][1] in (await browser.get(where)).text
    await browser.submit("/review", "/sign-out")
    await browser.sign_in()
    assert DECLINE[0][1] not in (await browser.get(where)).text


async def test_what_was_done_is_not_found_half_typed_again(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/return"
    await _confirm(browser, where, RETURN)
    for address in (where, f"{where}?step=check"):
        assert (await browser.get(address)).headers["location"] == f"/review/{it}?done=already"


async def test_accepting_provisionally_is_not_offered_where_the_guide_does_not_allow_it(
    browser: Browser, town: Town
) -> None:
    it = await browser.begun(town, 1)
    shown = await browser.get(f"/review/{it}")
    assert "accept-provisionally" not in shown.text
    where = f"/review/{it}/accept-provisionally"
    assert (await browser.get(where)).status_code == 303
    csrf = browser.csrf_of(shown)
    sent = [("csrf", csrf), ("step", "do"), ("deferred", "GA-LY-001-M01"), ("due", "2026-12-31"), ("promise", "补")]
    assert (await browser.post(where, sent)).headers["location"].endswith("done=already")
    assert town.state(it).state is State.PRE_REVIEW


async def test_accepting_provisionally_defers_only_what_the_guide_allows(browser: Browser, town: Town) -> None:
    def allow(item: dict[str, Any]) -> None:
        for material in item["materials"]:
            if material["material_id"] == "GA-LY-001-M02":
                material["deferrable"] = True

    town.publish(allow)
    it = await browser.begun(town, 1, version=2)
    where = f"/review/{it}/accept-provisionally"
    rest = (("due", "2026-12-31"), ("promise", "年底前补齐权属证书"))
    strange = await browser.submit(where, where, [("step", "do"), ("deferred", "GA-LY-001-M01"), *rest])
    assert strange.status_code == 422
    assert town.state(it).state is State.PRE_REVIEW
    answer = await _confirm(browser, where, (("deferred", "GA-LY-001-M02"), *rest))
    assert answer.status_code == 303
    after = town.state(it)
    assert after.state is State.PROVISIONALLY_ACCEPTED
    assert (after.deferred, str(after.deferred_due), after.promise) == (
        ("GA-LY-001-M02",),
        "2026-12-31",
        "年底前补齐权属证书",
    )
    paper = await browser.get(f"/review/{it}/print/acceptance")
    assert "年底前补齐权属证书" in paper.text


@pytest.mark.parametrize("left_out", ["reason", "basis", "remedy"])
async def test_a_decline_that_lacks_something_keeps_the_rest(browser: Browser, town: Town, left_out: str) -> None:
    it = await browser.begun(town, 1)
    fields = [(name, text) for name, text in DECLINE if name != left_out]
    answer = await browser.submit(f"/review/{it}/decline", f"/review/{it}/decline", [("step", "do"), *fields])
    assert answer.status_code == 422
    assert f'href="#{left_out}"' in _wrong(answer)
    for name, text in fields:
        assert text in answer.text, name
    assert town.state(it).state is State.PRE_REVIEW


async def test_a_decline_keeps_reason_basis_remedy_and_the_competent_body(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    await _confirm(browser, f"/review/{it}/decline", DECLINE)
    after = town.state(it)
    assert (after.outcome_reason, after.outcome_elsewhere) == ("位于自然保护区核心区", "广安市林业局")
    assert (after.outcome_basis, after.outcome_remedy) == (DECLINE[1][1], DECLINE[3][1])


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_text_is_shown_as_text_on_every_page(browser: Browser, town: Town, hostile: str) -> None:
    it = await browser.begun(
        town,
        1,
        applicant_name=hostile,
        applicant_address=hostile,
        remark=hostile,
    )
    where = f"/review/{it}/decline"
    fields = [("reason", hostile), ("basis", hostile), ("elsewhere", hostile), ("remedy", hostile)]
    await browser.submit("/review", "/review", {"q": hostile, "show": hostile, "light": hostile})
    pages = [
        await browser.get("/review"),
        await browser.get("/review?sought=1"),
        await browser.get(f"/review/{it}"),
        await browser.get(f"/review/{it}/return"),
        await browser.submit(
            f"/review/{it}/return", f"/review/{it}/return", [("tick", hostile), (f"problem.{hostile}", hostile)]
        ),
        await browser.submit(where, where, [("step", "check"), *fields]),
        await browser.submit(where, where, [("step", "edit"), *fields]),
        await browser.get(f"/review/{it}/print/slip"),
    ]
    await _confirm(browser, where, fields)
    pages += [await browser.get(f"/review/{it}"), await browser.get(f"/review/{it}/print/declined")]
    for shown in pages:
        assert shown.status_code in {200, 422}
        assert "<img src=x" not in shown.text
        assert "<svg/onload" not in shown.text
        assert "<script>alert" not in shown.text
        assert not re.search(r"<[a-z]+[^<>\"]*\son[a-z]+\s*=", shown.text)


async def test_a_form_that_is_too_large_is_refused_before_it_is_read(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    answer = await browser.post(f"/review/{it}/decline", {"csrf": "0", "reason": "长" * BODY_MAX_BYTES})
    assert answer.status_code == 413
    assert town.state(it).state is State.PRE_REVIEW


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
async def test_only_a_plain_form_is_read(browser: Browser, town: Town, kind: str) -> None:
    it = await browser.begun(town, 1)
    answer = await browser.post(f"/review/{it}/accept", {"step": "do"}, **{"Content-Type": kind})
    assert answer.status_code == 415
    assert town.state(it).state is State.PRE_REVIEW


async def test_a_colleague_who_was_faster_is_told_of_calmly(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    where = f"/review/{it}/accept"
    checked = await browser.submit(where, where, [("step", "check")])
    async with Browser.at(town.counter) as colleague:
        await colleague.sign_in()
        await _confirm(colleague, f"/review/{it}/return", RETURN)
    answer = await browser.post(where, [*browser.all_hidden(checked), ("step", "do")])
    assert answer.headers["location"] == f"/review/{it}?done=already"
    assert town.state(it).state is State.RETURNED
    assert (await browser.get(answer.headers["location"])).status_code == 200


async def test_every_act_is_in_the_journal_once(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    await _confirm(browser, f"/review/{it}/return", RETURN)
    with town.counter.desk.reading() as tx:
        entries = [entry for entry in journal.after(tx, 0) if b'"returned"' in entry.body]
    assert len(entries) == 1
