"""The register and the report on the page: found without script, handed out on purpose, journaled before it leaves."""

from __future__ import annotations

import io
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.application import Role
from casework.states import State
from edge_node.acts import registering
from edge_node.routes.page_index import page_app
from offline_store.errors import DeskFull
from tests.edge_node.page_browser import Browser
from tests.edge_node.register_lines import AGENT, NAME, OTHER_VILLAGE, concluded, file, noted
from tests.edge_node.test_workbook import WATCH
from tests.edge_node.town import VILLAGE, Town

pytestmark = pytest.mark.node

MASKED = "张**"


@pytest.fixture
def filled(town: Town) -> Town:
    for number in range(1, 24):
        file(town, number, date(2026, 11, 1 + number % 20))
    file(town, 24, date(2026, 11, 3), item_id="GA-YB-001", site=OTHER_VILLAGE, **concluded(date(2026, 11, 9)))
    file(town, 25, date(2026, 10, 3), state=State.RETURNED, returns_count=2)
    return town


def lines(text: str) -> list[str]:
    return [found[-6:-2] for found in re.findall(r'href="/review/[0-9a-f]{32}">([^<]+)<', text)]


def book(answer: httpx.Response, title: str = "登记簿") -> Worksheet:
    return load_workbook(io.BytesIO(answer.content))[title]


def column(sheet: Worksheet, heading: str) -> list[Any]:
    number = [cell.value for cell in sheet[1]].index(heading)
    return [row[number] for row in sheet.iter_rows(min_row=2, values_only=True)]


async def export(browser: Browser, **fields: str) -> httpx.Response:
    return await browser.submit("/register", "/register/export", fields)


async def test_the_register_shows_masked_names_and_every_line_on_one_page(browser: Browser, filled: Town) -> None:
    found: list[str] = []
    path = "/register"
    while path:
        shown = await browser.get(path)
        assert NAME not in shown.text
        assert MASKED in shown.text
        found += lines(shown.text)
        later = re.search(r'rel="next" href="([^"]+)"', shown.text)
        path = later.group(1).replace("&amp;", "&") if later else ""
    assert len(found) == len(set(found)) == 25


async def test_what_is_searched_for_is_in_no_address_and_stays_while_paging(browser: Browser, filled: Town) -> None:
    file(filled, 30, date(2026, 11, 4), name="赵演示")
    answer = await browser.submit("/register", "/register", {"q": NAME, "show": "all"})
    location = answer.headers["location"]
    assert quote(NAME) not in location
    shown = await browser.get(location)
    later = re.search(r'rel="next" href="([^"]+)"', shown.text)
    assert later is not None
    more = await browser.get(later.group(1).replace("&amp;", "&"))
    assert len(lines(shown.text)) + len(lines(more.text)) == 25
    assert f'value="{NAME}"' in more.text


async def test_the_other_filters_stand_in_the_address_and_narrow(browser: Browser, filled: Town) -> None:
    answer = await browser.submit("/register", "/register", {"site": OTHER_VILLAGE, "item": "GA-YB-001"})
    assert lines((await browser.get(answer.headers["location"])).text) == ["0024"]
    assert lines((await browser.get("/register?show=returned")).text) == ["0025"]
    assert lines((await browser.get("/register?first=2026-10-01&last=2026-10-31")).text) == ["0025"]


@pytest.mark.parametrize(
    "query", ["show=x", "offset=-1", "offset=99999", "first=heute&last=²", "item=%00", "site=" + "9" * 500]
)
async def test_a_strange_address_still_shows_a_register(browser: Browser, filled: Town, query: str) -> None:
    assert (await browser.get(f"/register?{query}")).status_code in {200, 303}


async def test_before_anything_leaves_the_page_says_what_leaves_and_how_many(browser: Browser, filled: Town) -> None:
    before = noted(filled)
    shown = await export(browser, show="returned")
    assert shown.headers["content-type"].startswith("text/html")
    assert "离开了本机的加密保存" in shown.text
    assert "将导出 1 件" in shown.text
    assert re.search(r'name="names" value="masked" checked', shown.text)
    assert noted(filled) == before


async def test_a_workbook_of_the_filtered_lines_has_masked_names_real_days_and_figures(
    browser: Browser, filled: Town
) -> None:
    answer = await export(browser, first="2026-11-03", last="2026-11-03", names="masked", step="do")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert "filename*=UTF-8''" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    sheet = book(answer)
    shown = await browser.get("/register?first=2026-11-03&last=2026-11-03")
    assert [number[-6:-2] for number in column(sheet, "收件单号")] == lines(shown.text)[::-1]
    assert set(column(sheet, "申请人")) == {MASKED}
    assert set(column(sheet, "代办人")) == {AGENT}
    day = sheet.cell(2, [cell.value for cell in sheet[1]].index("收件日期") + 1)
    assert (day.is_date, day.value.date()) == (True, date(2026, 11, 3))
    figures = book(answer, "统计")
    assert column(figures, "收件")[0] == sheet.max_row - 1
    assert "按时率" in [cell.value for cell in figures[1]]
    told = book(answer, "说明")
    assert any("隐去姓名" in str(row[1]) for row in told.iter_rows(values_only=True))


async def test_no_name_of_an_applicant_is_anywhere_in_a_masked_workbook(browser: Browser, filled: Town) -> None:
    answer = await export(browser, names="masked", step="do", q=NAME)
    whole = load_workbook(io.BytesIO(answer.content))
    texts = [str(cell) for sheet in whole for row in sheet.iter_rows(values_only=True) for cell in row]
    assert not [text for text in texts if NAME in text], "nor is what was searched for"


async def test_names_in_full_need_a_purpose_and_a_second_yes(browser: Browser, filled: Town) -> None:
    before = noted(filled)
    refused = await export(browser, names="full", step="do")
    assert refused.status_code == 422
    assert "要先选一个用途" in refused.text
    forged = await export(browser, names="full", step="do", purpose="because", confirmed="because")
    assert forged.status_code == 422
    asked = await export(browser, names="full", step="do", purpose="archive", show="returned")
    assert "请再确认" in asked.text
    assert noted(filled) == before
    fields = dict(Browser.hidden(asked))
    assert (fields["show"], fields["confirmed"]) == ("returned", "archive")
    answer = await browser.post("/register/export", {**fields, "step": "do"})
    assert column(book(answer), "申请人") == [NAME]
    assert (noted(filled)[-1]["names"], noted(filled)[-1]["purpose"], noted(filled)[-1]["lines"]) == (
        "full",
        "archive",
        1,
    )


async def test_a_second_yes_for_another_purpose_is_asked_again(browser: Browser, filled: Town) -> None:
    asked = await export(browser, names="full", step="do", purpose="archive", confirmed="report")
    assert "请再确认" in asked.text
    assert all(one["kind"] != "exported" for one in noted(filled))


async def test_the_name_of_a_private_proxy_is_masked_too(browser: Browser, town: Town) -> None:
    form = {"agent_mode": "relative", "agent_name": "赵演示"}
    file(town, 1, date(2026, 11, 3), form=form)
    assert column(book(await export(browser, names="masked", step="do")), "代办人") == ["赵**"]
    assert "赵演示" not in (await browser.get("/register")).text


async def test_a_name_that_begins_like_a_formula_stays_a_text(browser: Browser, town: Town) -> None:
    file(town, 1, date(2026, 11, 3), name="=1+1")
    asked = await export(browser, names="full", step="do", purpose="report")
    answer = await browser.post("/register/export", {**Browser.hidden(asked), "step": "do"})
    sheet = book(answer)
    number = [cell.value for cell in sheet[1]].index("申请人") + 1
    assert (sheet.cell(2, number).value, sheet.cell(2, number).data_type) == ("'=1+1", "s")


async def test_the_journal_entry_is_committed_before_the_first_byte_goes_out(browser: Browser, filled: Town) -> None:
    seen: list[tuple[str, int]] = []

    def watched(app: ASGIApp) -> ASGIApp:
        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            async def told(message: Message) -> None:
                if scope.get("method") == "POST":
                    exported = sum(one["kind"] == "exported" for one in noted(filled))
                    seen.append((message["type"], exported))
                await send(message)

            await app(scope, receive, told)

        return watching

    transport = httpx.ASGITransport(app=watched(page_app(filled.counter)))
    shown = await browser.get("/register")
    async with httpx.AsyncClient(
        transport=transport, base_url="http://counter.local", cookies=browser.cookies
    ) as other:
        fields = {"csrf": browser.csrf_of(shown), "names": "masked", "step": "do"}
        assert (await other.post("/register/export", data=fields)).status_code == 200
    assert seen[0] == ("http.response.start", 1)


async def test_what_cannot_be_journaled_is_not_handed_out(
    browser: Browser, filled: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise DeskFull

    before = noted(filled)
    monkeypatch.setattr(registering.audit, "note", full)
    answer = await export(browser, names="masked", step="do")
    assert answer.status_code == 507
    assert answer.headers["content-type"].startswith("text/html")
    assert noted(filled) == before


async def test_nothing_of_it_lies_in_the_temporary_folder(
    browser: Browser, filled: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    WATCH.seen, WATCH.on = [], True
    try:
        answer = await export(browser, names="masked", step="do")
    finally:
        WATCH.on = False
    assert book(answer).max_row == 26
    assert [seen for seen in WATCH.seen if seen.startswith("tempfile.") or "xlsx" in seen or str(folder) in seen] == []
    assert list(folder.iterdir()) == []


async def test_an_export_without_the_token_of_the_session_does_nothing(browser: Browser, filled: Town) -> None:
    before = noted(filled)
    answer = await browser.post("/register/export", {"csrf": "0" * 64, "names": "masked", "step": "do"})
    assert answer.status_code == 403
    assert noted(filled) == before
    assert (await browser.get("/register/export")).headers["location"] == "/register"


async def test_an_agent_sees_neither_register_nor_report(filled: Town) -> None:
    token, _who = filled.counter.sessions.begin(filled.counter.actor(Role.AGENT, "agent1"), "李样例")
    async with Browser.at(filled.counter) as other:
        other.cookies.set("counter", token)
        for path in ("/register", "/report", "/report/print"):
            assert (await other.get(path)).status_code == 403


async def test_a_report_says_a_dash_where_nothing_is_known(browser: Browser, filled: Town) -> None:
    shown = await browser.get("/report?month=2026-10")
    (total,) = re.findall(r'<tr class="figures__all">.*?</tr>', shown.text.partition("按收件站点")[0], re.DOTALL)
    assert re.findall(r"<td>([^<]*)</td>", total) == ["1", "1", "2", "0", "0", "0", "0", "0", "0", "0", "—", "—"]
    assert NAME not in shown.text


async def test_a_report_of_this_month_is_shown_unasked_and_prints_in_chinese(browser: Browser, filled: Town) -> None:
    shown = await browser.get("/report")
    assert 'value="2026-11"' in shown.text
    browser.cookies.set("language", "en")
    printed = await browser.get("/report/print?month=2026-11")
    assert "代办月报表" in printed.text
    assert "护安镇便民服务中心" in printed.text
    for strange in ("2026-13", "x", "²²²²-11", ""):
        assert (await browser.get(f"/report?month={quote(strange)}")).status_code == 200


async def test_a_village_of_the_register_is_named(browser: Browser, filled: Town) -> None:
    sites = column(book(await export(browser, site=VILLAGE, names="masked", step="do")), "收件站点")
    assert set(sites) == {"团柏村"}
