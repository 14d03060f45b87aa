"""What the page shows: queue, lights, one application, scans, strip, catalog."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from edge_node.counter.trusted_clock import Anchor, MachineClock, TrustedClock
from offline_store.desk import applications, journal
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import MORNING, Town, paper

pytestmark = pytest.mark.node


def _receipts(text: str) -> list[str]:
    return re.findall(r'href="/review/[0-9a-f]{32}">([^<]+)<', text)


async def test_a_list_shows_the_masked_name_and_no_identity_number(browser: Browser, town: Town) -> None:
    it = town.application(1, applicant_name="张测试", applicant_id_type="111", applicant_id_no="511602180001010016")
    shown = await browser.get("/review")
    assert "张**" in shown.text
    assert "张测试" not in shown.text
    assert it.applicant.id_no not in shown.text


async def test_a_long_queue_is_paged_and_every_application_is_on_one_page(browser: Browser, town: Town) -> None:
    for number in range(1, 46):
        town.application(number, "GA-YB-001")
    found: list[str] = []
    path = "/review"
    while path:
        shown = await browser.get(path)
        found += _receipts(shown.text)
        later = re.search(r'rel="next" href="([^"]+)"', shown.text)
        path = later.group(1).replace("&amp;", "&") if later else ""
    assert len(found) == len(set(found)) == 45


async def sought(browser: Browser, words: str, **asked: str) -> httpx.Response:
    """The list for these words, as the form finds it; they stand in no address."""
    answer = await browser.submit("/review", "/review", {"q": words, "show": "todo", "light": "any", **asked})
    location = answer.headers["location"]
    assert quote(words) not in location
    assert words not in location
    return await browser.get(location)


async def test_what_was_sought_goes_along_to_the_next_page_and_is_cleared(browser: Browser, town: Town) -> None:
    for number in range(1, 26):
        town.application(number, "GA-LY-001", applicant_name="赵演示")
    town.application(30, "GA-YB-001", applicant_name="钱假设")
    shown = await sought(browser, "赵演示")
    assert len(_receipts(shown.text)) == 20
    later = re.search(r'rel="next" href="([^"]+)"', shown.text)
    assert later is not None
    more = await browser.get(later.group(1).replace("&amp;", "&"))
    assert len(_receipts(more.text)) == 5
    assert 'value="赵演示"' in more.text
    everything = await browser.get("/review")
    assert 'value="赵演示"' not in everything.text
    again = await browser.get("/review?sought=1&offset=20")
    assert len(_receipts(again.text)) == 5


async def test_searching_finds_by_number_name_and_item(browser: Browser, town: Town) -> None:
    town.application(1, "GA-LY-001", applicant_name="赵演示")
    town.application(2, "GA-YB-001", applicant_name="钱假设")
    for words in ("赵演示", "20261122-0001", "林木采伐", "砍伐证"):
        shown = await sought(browser, words)
        assert [receipt[-6:-2] for receipt in _receipts(shown.text)] == ["0001"], words
    assert _receipts((await sought(browser, "没有这个人")).text) == []


async def test_the_list_can_be_narrowed_by_state_and_by_light(browser: Browser, town: Town) -> None:
    town.application(1)
    assert len(_receipts((await browser.get("/review?light=green")).text)) == 1
    assert _receipts((await browser.get("/review?light=red")).text) == []
    assert _receipts((await browser.get("/review?show=returned")).text) == []
    town.clock.seconds += timedelta(days=20).total_seconds()
    await browser.sign_in()
    assert len(_receipts((await browser.get("/review?light=red")).text)) == 1


@pytest.mark.parametrize("query", ["show=x&light=y", "offset=-5", "offset=abc", "offset=99999", "q=%00%ff", "offset=²"])
async def test_a_strange_address_still_shows_a_queue(browser: Browser, town: Town, query: str) -> None:
    town.application(1)
    shown = await browser.get(f"/review?{query}")
    assert shown.status_code in {200, 303}


async def test_every_light_says_in_words_what_its_colour_says(browser: Browser, town: Town) -> None:
    it = town.application(1).application_id
    for path in ("/review", f"/review/{it}"):
        for light in re.findall(
            r'<span class="light light--\w+">(.*?)</span>', (await browser.get(path)).text, re.DOTALL
        ):
            assert re.sub(r"<svg.*?</svg>", "", light, flags=re.DOTALL).strip()


async def test_a_clock_that_is_not_confirmed_never_shows_red(browser: Browser, town: Town) -> None:
    town.application(1)
    later = MORNING + timedelta(days=40)
    town.counter.clock = TrustedClock(
        MachineClock(lambda: later, town.clock.monotonic, "another boot"), anchor=Anchor(MORNING, 0.0, "old boot")
    )
    shown = (await browser.get("/review")).text.partition('class="legend"')[0]
    assert "light--red" not in shown
    assert "light--grey" in shown


async def test_an_unknown_limit_is_called_unknown(browser: Browser, town: Town) -> None:
    with town.counter.desk.reading() as tx:
        item = town.counter.shelf.item(tx, "GA-MZ-002", 1)
    assert item.handling_limit is None
    it = town.application(1, "GA-MZ-002").application_id
    shown = await browser.get(f"/review/{it}")
    assert re.search(r"法定时限</dt><dd>未知", shown.text)
    assert re.search(r"承诺时限</dt><dd>未知", shown.text)


async def test_scans_on_their_way_are_counted_as_on_their_way(browser: Browser, town: Town) -> None:
    it = town.application(1)
    shown = await browser.get(f"/review/{it.application_id}")
    assert "1/2 件附件已到" in shown.text
    here, coming = it.scans
    assert f"/scans/{here.scan_hash}" in shown.text
    assert f"/scans/{coming.scan_hash}" not in shown.text
    waiting = await browser.get(f"/review/{it.application_id}/scans/{coming.scan_hash}")
    assert "还在路上" in waiting.text
    assert coming.scan_hash in town.counter.outgoing.wanted()


async def test_the_bytes_of_a_scan_are_opened_for_one_answer_and_not_kept(browser: Browser, town: Town) -> None:
    it = town.application(1)
    answer = await browser.get(f"/review/{it.application_id}/scans/{it.scans[0].scan_hash}/bytes")
    assert answer.content == paper(1)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_pdf_is_served_as_nothing_but_a_pdf(browser: Browser, town: Town) -> None:
    it = town.application(1, media_type="application/pdf", data=b"%PDF-1.4 invented\n%%EOF\n")
    where = f"/review/{it.application_id}/scans/{it.scans[0].scan_hash}"
    assert f'href="{where}/bytes"' in (await browser.get(where)).text
    answer = await browser.get(f"{where}/bytes")
    assert answer.headers["content-type"] == "application/pdf"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_scan_is_shown_only_as_part_of_its_own_application(browser: Browser, town: Town) -> None:
    one, other = town.application(1), town.application(2)
    strange = f"/review/{one.application_id}/scans/{other.scans[0].scan_hash}"
    assert (await browser.get(strange)).status_code == 404
    assert (await browser.get(f"{strange}/bytes")).status_code == 404


async def test_a_sheet_can_be_turned_and_enlarged_by_plain_addresses(browser: Browser, town: Town) -> None:
    it = town.application(1)
    where = f"/review/{it.application_id}/scans/{it.scans[0].scan_hash}"
    assert "zoom-150 turn-90" in (await browser.get(f"{where}?zoom=150&turn=90")).text
    assert "zoom-fit turn-0" in (await browser.get(f"{where}?zoom=9000&turn=x")).text


async def test_an_application_of_another_township_is_not_there(browser: Browser, town: Town) -> None:
    it = town.application(1)
    with town.counter.desk.transaction() as tx:
        known = applications.load(tx, it.application_id)
        moved = replace(known.shown, township="511602100000", site="511602100201")
        applications.save(tx, moved, confirmed=moved, standing=known.standing, case_seq=2, at=MORNING)
    assert (await browser.get(f"/review/{it.application_id}")).status_code == 404
    assert _receipts((await browser.get("/review")).text) == []


async def test_looking_at_an_application_is_recorded_once_a_session(browser: Browser, town: Town) -> None:
    it = town.application(1).application_id
    for _ in range(3):
        await browser.get(f"/review/{it}")
    with town.counter.desk.reading() as tx:
        looks = [entry for entry in journal.after(tx, 0) if b'"viewed"' in entry.body]
    assert len(looks) == 1


async def test_a_village_that_is_not_in_the_table_is_shown_as_such(browser: Browser, town: Town) -> None:
    known = town.application(1, applicant_region="511603106205").application_id
    unlisted = town.application(2, applicant_region="511602001205").application_id
    assert "区划表里没有" not in (await browser.get(f"/review/{known}")).text
    assert "511602001205（区划表里没有，请核对）" in (await browser.get(f"/review/{unlisted}")).text


async def test_the_history_and_who_must_act_follow_the_acts(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    shown = await browser.get(f"/review/{it}")
    assert "护安镇" in shown.text
    (steps,) = re.findall(r'<ol class="steps">.*?</ol>', shown.text, re.DOTALL)
    assert len(re.findall(r"<li>", steps)) == len(town.state(it).history) == 3


async def test_the_catalog_page_says_what_is_in_use_and_finds_by_initials_and_aliases(
    browser: Browser, town: Town
) -> None:
    shown = await browser.get("/catalog")
    assert re.search(r"目录版本</dt><dd>1<", shown.text)
    assert "前锋区" in shown.text or "护安镇" in shown.text
    found = await browser.get("/catalog?q=砍伐证")
    assert "林木采伐许可证核发" in found.text


async def test_alarms_are_on_the_strip_and_in_words_on_the_catalog_page(browser: Browser, town: Town) -> None:
    town.counter.alarms.put("catalog_refused")
    town.counter.alarms.put("a_new_kind")
    assert "告警" in (await browser.get("/review")).text
    shown = await browser.get("/catalog")
    assert len(re.findall(r'class="note note--wrong" role="alert"', shown.text)) == 2
    assert "a_new_kind" in shown.text


async def test_the_page_offers_nothing_of_the_counter_api(browser: Browser) -> None:
    for path in ("/counter/status", "/counter/applications", "/docs", "/openapi.json", "/redoc"):
        assert (await browser.get(path)).status_code == 404


async def test_pages_have_landmarks_a_skip_link_and_named_fields(browser: Browser, town: Town) -> None:
    it = await browser.begun(town, 1)
    acts = (f"/review/{it}/return", f"/review/{it}/decline")
    for path in ("/review", "/register", "/report", "/catalog", f"/review/{it}", *acts):
        text = (await browser.get(path)).text
        assert '<html lang="zh-CN">' in text
        assert '<a class="skip" href="#main">' in text
        assert text.count("<main") == text.count("<h1") == 1
        assert "<header" in text
        assert "<nav" in text
        labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', text))
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
            if 'type="hidden"' not in field:
                named = re.search(r'id="([^"]+)"', field)
                assert named is not None, field
                assert named.group(1) in labelled, field
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
