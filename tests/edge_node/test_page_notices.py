"""The township's page while an emergency notice is in force: lists, files, forms, catalog and papers say so."""

from __future__ import annotations

import re

import pytest

from tests.edge_node.notices import COUNTY, OTHER_COUNTY, TITLE, declare, notice
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import Town

pytestmark = pytest.mark.node

SHORT = {"effective_to": "2026-11-27"}
PERSON = {"applicant_name": "张测试", "applicant_id_type": "111", "applicant_id_no": "511602180001010016"}


def read(text: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.partition("<main")[2]))


async def accepted(browser: Browser, town: Town, number: int = 1) -> str:
    it = await browser.begun(town, number, **PERSON)
    answer = await browser.submit(f"/review/{it}/accept", f"/review/{it}/accept", [("step", "do")])
    assert answer.status_code == 303
    return it


async def paper(browser: Browser, application_id: str) -> str:
    return read((await browser.get(f"/review/{application_id}/print/acceptance")).text)


@pytest.mark.parametrize("page", ["/review", "/catalog", "/review/{it}", "/review/{it}/return", "/review/{it}/decline"])
async def test_a_notice_in_force_stands_on_every_page_that_it_concerns(browser: Browser, town: Town, page: str) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice(**SHORT))
    text = read((await browser.get(page.format(it=it))).text)
    assert f"应急公告：{TITLE}" in text
    assert "2026-11-23 至 2026-11-27" in text
    assert "本中心现场窗口今天按公告暂停受理" in text
    assert "暂停现场窗口受理：暂停现场窗口受理办理" in text
    assert "无人机送达" in text
    assert "电话（公告未写明）" in text
    assert "时限：公告规定的天数不计入时限" in text


async def test_an_acceptance_is_checked_with_the_notice_in_sight(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice(**SHORT))
    assert TITLE in (await browser.get(f"/review/{it}/accept")).text


@pytest.mark.parametrize(
    "other",
    [
        {"scope": {"regions": [OTHER_COUNTY], "items": "all"}},
        {"status": "historical"},
        {"effective_from": "2027-02-01", "effective_to": "2027-02-05"},
    ],
)
async def test_a_notice_that_does_not_concern_this_place_is_on_no_page(
    browser: Browser, town: Town, other: dict
) -> None:
    it = await browser.begun(town, 1)
    before = read((await browser.get(f"/review/{it}")).text)
    declare(town.counter, 2, notice(**other))
    for page in ("/review", "/catalog"):
        assert TITLE not in (await browser.get(page)).text
    after = read((await browser.get(f"/review/{it}")).text)
    assert TITLE not in after
    assert re.findall(r"2026-\d\d-\d\d", before) == re.findall(r"2026-\d\d-\d\d", after)


async def test_a_moved_limit_says_by_how_much_and_by_which_notice(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice(**SHORT))
    assert "按公告顺延 5 个工作日" in read((await browser.get("/review")).text)
    file = read((await browser.get(f"/review/{it}")).text)
    assert f"按公告《{TITLE}》顺延 5 个工作日" in file


async def test_a_shift_without_an_end_is_a_guess_that_says_how_far_it_is(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice(effective_to=None))
    assert "按公告暂延 1 个工作日" in read((await browser.get("/review")).text)
    assert f"公告《{TITLE}》尚未结束，仅作暂估" in read((await browser.get(f"/review/{it}")).text)


async def test_a_notice_for_some_items_names_them_and_stands_beside_no_other(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice(scope={"regions": [COUNTY], "items": ["GA-YB-001"]}))
    assert "适用事项 城乡居民基本医疗保险参保登记" in read((await browser.get("/review")).text)
    assert TITLE not in (await browser.get(f"/review/{it}")).text


async def test_a_limit_that_a_notice_leaves_open_is_a_guess_on_list_and_file(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    declare(town.counter, 2, notice({"effect": "unknown"}, **SHORT))
    listed = read((await browser.get("/review")).text)
    assert "公告影响时限，暂估" in listed
    assert "暂估 2026-11-" in listed
    assert "light--green" not in (await browser.get("/review")).text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert f"公告《{TITLE}》未写明时限是否顺延，仅作暂估" in read((await browser.get(f"/review/{it}")).text)


async def test_an_acceptance_written_before_the_notice_keeps_its_day_and_names_where_it_moved(
    browser: Browser, town: Town
) -> None:
    it = await accepted(browser, town)
    assert "应急公告" not in await paper(browser, it)
    declare(town.counter, 2, notice(**SHORT))
    text = await paper(browser, it)
    assert "时限届满日 2026年12月21日" in text
    assert f"按公告《{TITLE}》，不计入时限 4 个工作日，届满日顺延至 2026年12月25日。" in text


async def test_an_acceptance_during_the_notice_prints_the_moved_day(browser: Browser, town: Town) -> None:
    declare(town.counter, 2, notice(**SHORT))
    text = await paper(browser, await accepted(browser, town))
    assert "时限届满日 2026年12月25日" in text
    assert f"按公告《{TITLE}》，不计入时限 4 个工作日" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effective_to": None}, "尚未结束，届满日以公告结束后的计算为准"),
        ({"policy": {"effect": "unknown"}, **SHORT}, "未写明时限是否顺延，届满日仅作暂估"),
    ],
)
async def test_an_acceptance_under_an_open_notice_prints_a_guess_and_its_reason(
    browser: Browser, town: Town, change: dict, words: str
) -> None:
    declare(town.counter, 2, notice(**change))
    text = await paper(browser, await accepted(browser, town))
    assert "（暂估，见下）" in text
    assert words in text
    assert "工作日历尚未公布完整" not in text
