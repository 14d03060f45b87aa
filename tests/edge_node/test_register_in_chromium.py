"""The register in a real browser: narrowed and downloaded by keyboard, and what was downloaded has the lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page

from casework.states import State
from tests.edge_node.register_lines import NAME, file, noted
from tests.edge_node.test_page_in_chromium import _tab_to, _watched, address, chromium
from tests.edge_node.town import PASSPHRASE, Town

pytestmark = pytest.mark.browser

__all__ = ["address", "chromium"]


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def window(request: pytest.FixtureRequest, chromium: Chromium) -> Iterator[BrowserContext]:
    opened = chromium.new_context(
        java_script_enabled=request.param, viewport={"width": 1024, "height": 768}, accept_downloads=True
    )
    yield opened
    opened.close()


def _signed_in(window: BrowserContext, address: str) -> tuple[Page, list[str]]:
    page, wrong = _watched(window, address)
    page.goto(address)
    page.fill("#clerk", "clerk1")
    page.fill("#passphrase", PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    return page, wrong


def test_the_narrowed_register_is_downloaded_by_keyboard_alone(
    window: BrowserContext, address: str, town: Town, tmp_path: Path
) -> None:
    for number in range(1, 8):
        file(town, number, date(2026, 11, number), state=State.RETURNED if number % 2 else State.PRE_REVIEW)
    page, wrong = _signed_in(window, address)
    page.goto(f"{address}/register")
    _tab_to(page, "#show")
    page.select_option("#show", "returned")
    _tab_to(page, "form.sieve button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**show=returned**")
    page.locator("#found tbody tr").nth(3).wait_for()
    assert page.locator("#found tbody tr").count() == 4
    _tab_to(page, "form[action='/register/export'] button")
    page.keyboard.press("Enter")
    page.get_by_text("将导出 4 件").wait_for()
    _tab_to(page, "button[value=do]")
    with page.expect_download() as awaited:
        page.keyboard.press("Enter")
    awaited.value.save_as(tmp_path / "register.xlsx")
    assert awaited.value.suggested_filename.endswith(".xlsx")

    sheet = load_workbook(tmp_path / "register.xlsx")["登记簿"]
    head, *rows = sheet.iter_rows(values_only=True)
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert [one["收件单号"][-6:-2] for one in found] == ["0001", "0003", "0005", "0007"]
    assert {one["申请人"] for one in found} == {"张**"}
    assert NAME not in str(found)
    assert (noted(town)[-1]["kind"], noted(town)[-1]["lines"]) == ("exported", 4)
    assert wrong == []


def test_the_report_fits_one_sheet_across(chromium: Chromium, address: str, town: Town, tmp_path: Path) -> None:
    for number in range(1, 8):
        file(town, number, date(2026, 11, number))
    window = chromium.new_context(java_script_enabled=False, viewport={"width": 1024, "height": 768})
    try:
        page, _wrong = _signed_in(window, address)
        page.goto(f"{address}/report/print?month=2026-11")
        assert page.locator("table").count() == 2
        page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
        landscape = page.evaluate("getComputedStyle(document.body).page")
        assert landscape == "wide"
        assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") == 1
    finally:
        window.close()
