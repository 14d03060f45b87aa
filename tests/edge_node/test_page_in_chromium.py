"""The page in a real browser: by keyboard alone, without script, and nothing fetched from elsewhere."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

from casework.application import HandedIn, Seen
from casework.states import State
from edge_node.listening import page_socket
from edge_node.routes.page_index import page_app
from tests.edge_node.town import PASSPHRASE, Town
from wire.clerk_recovery import answer_for, shared_at_city

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TABS_MAX = 120

pytestmark = pytest.mark.browser


@pytest.fixture
def address(town: Town) -> Iterator[str]:
    """The page, listening on loopback."""
    bound = page_socket("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(page_app(town.counter), log_config=None, server_header=False, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    bound.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def window(request: pytest.FixtureRequest, chromium: Chromium) -> Iterator[BrowserContext]:
    opened = chromium.new_context(java_script_enabled=request.param, viewport={"width": 1366, "height": 768})
    yield opened
    opened.close()


def _watched(window: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """A page and what went wrong on it: refused by policy, failed, or asked of another place."""
    page = window.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
    return page, wrong


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until what has the focus matches."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"not reached by keyboard: {selector}")


def test_a_return_by_keyboard_alone(window: BrowserContext, address: str, town: Town) -> None:
    it = town.application(1).application_id
    page, wrong = _watched(window, address)
    page.goto(address)
    page.locator("#clerk:focus").wait_for()
    page.keyboard.type("clerk1")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")

    page.keyboard.press("Tab")
    assert page.locator("a.skip:focus").count() == 1
    page.keyboard.press("Enter")
    _tab_to(page, f"a[href='/review/{it}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/{it}")
    _tab_to(page, "form[action$='/begin'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=begun")
    _tab_to(page, "a[href$='/return']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/return")

    _tab_to(page, "input[value='material-GA-LY-001-M01']")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("缺少伐区位置图")
    page.keyboard.press("Tab")
    page.keyboard.type("补交位置图")
    _tab_to(page, "form[action$='/return'] button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector("button[value=do]")
    assert town.state(it).state is State.PRE_REVIEW
    _tab_to(page, "button[value=do]")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=returned")

    after = town.state(it)
    assert after.state is State.RETURNED
    assert [(point.ref, point.problem, point.remedy) for point in after.return_points] == [
        ("GA-LY-001-M01", "缺少伐区位置图", "补交位置图")
    ]
    assert wrong == []


def test_a_refused_form_brings_the_clerk_to_what_is_wrong(window: BrowserContext, address: str, town: Town) -> None:
    it = _signed_in_and_begun(window, address, town)
    page, wrong = _watched(window, address)
    page.goto(f"{address}/review/{it}/decline")
    page.fill("#reason", "位于核心区")
    page.get_by_role("button", name="下一步").click()
    assert page.get_by_role("alert").is_visible()
    assert page.input_value("#reason") == "位于核心区"
    page.get_by_role("alert").get_by_role("link").first.click()
    assert page.locator("#basis").get_attribute("aria-invalid") == "true"
    assert [line for line in wrong if "422" not in line] == []


def test_the_back_button_after_the_check_brings_back_what_was_typed(
    window: BrowserContext, address: str, town: Town
) -> None:
    it = _signed_in_and_begun(window, address, town)
    page, wrong = _watched(window, address)
    page.goto(f"{address}/review/{it}")
    page.goto(f"{address}/review/{it}/forward")
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url("**?step=mend")
    page.fill("#to", "广安市林业局")
    page.fill("#reason", "不属于本中心职权")
    page.get_by_role("button", name="下一步").click()
    page.wait_for_selector("button[value=do]")
    page.go_back()
    page.locator("#reason").wait_for()
    assert (page.input_value("#to"), page.input_value("#reason")) == ("广安市林业局", "不属于本中心职权")
    page.go_back()
    assert page.input_value("#reason") == "不属于本中心职权"
    page.go_forward()
    page.go_forward()
    page.locator("button[value=do]").click()
    page.wait_for_url("**?done=forwarded")
    assert town.state(it).state is State.FORWARDED
    assert [line for line in wrong if "422" not in line] == []


def test_a_sheet_is_shown_turned_and_enlarged(window: BrowserContext, address: str, town: Town) -> None:
    it = _signed_in_and_begun(window, address, town)
    page, wrong = _watched(window, address)
    page.goto(f"{address}/review/{it}")
    page.locator(".sheets a").first.click()
    picture = page.locator(".table-top img")
    picture.wait_for()
    page.wait_for_load_state("networkidle")
    upright = picture.bounding_box()
    page.get_by_role("link", name="向右转").click()
    page.locator(".turn-90").wait_for()
    page.wait_for_load_state("networkidle")  # the picture is there: before, its box says nothing
    turned = picture.bounding_box()
    assert upright is not None
    assert turned is not None
    assert (upright["width"] < upright["height"], turned["width"] > turned["height"]) == (True, True)
    assert wrong == []


def test_the_queue_is_narrowed_without_leaving_the_page(chromium: Chromium, address: str, town: Town) -> None:
    window = chromium.new_context()
    try:
        _signed_in_and_begun(window, address, town)
        town.application(2)
        page, wrong = _watched(window, address)
        page.goto(f"{address}/review")
        page.evaluate("window.stayed = true")
        page.select_option("#show", "returned")
        page.locator("#found.empty, #found .empty").wait_for(timeout=8000)
        assert page.evaluate("window.stayed") is True
        assert page.locator("text=清除条件").count() == 2, "the sentence names a button, and the button is there"
        page.select_option("#show", "all")
        page.locator("#found tbody tr").nth(1).wait_for()
        assert wrong == []
    finally:
        window.close()


def test_nobody_signs_a_slip_on_a_page_that_holds_nothing_else(
    chromium: Chromium, address: str, town: Town, tmp_path: Path
) -> None:
    window = chromium.new_context(java_script_enabled=False)
    try:
        _signed_in_and_begun(window, address, town)
        page = window.new_page()
        for count in (5, 6, 7, 8, 9, 24):
            more = tuple(HandedIn(f"测试材料{number}", Seen.COPY, copies=1) for number in range(count))
            it = town.application(100 + count, more=more).application_id
            page.goto(f"{address}/review/{it}/print/slip")
            page.pdf(path=tmp_path / "slip.pdf", prefer_css_page_size=True)
            text = subprocess.run(
                ["pdftotext", "-layout", str(tmp_path / "slip.pdf"), "-"], capture_output=True, check=True
            ).stdout.decode()
            signed = [sheet for sheet in text.split("\f") if "申请人签收" in sheet]
            assert len(signed) == 1
            assert "测试材料" in signed[0], count
    finally:
        window.close()


def _signed_in_and_begun(window: BrowserContext, address: str, town: Town) -> str:
    it = town.application(1).application_id
    page = window.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#clerk", "clerk1")
    page.fill("#passphrase", PASSPHRASE)
    page.get_by_role("button", name="登录").click()
    page.goto(f"{address}/review/{it}")
    page.get_by_role("button", name="开始预审").click()
    page.wait_for_url("**?done=begun")
    page.close()
    return it


def test_a_forgotten_passphrase_by_keyboard_alone(window: BrowserContext, address: str, town: Town) -> None:
    page, wrong = _watched(window, address)
    page.goto(f"{address}/sign-in")
    _tab_to(page, "a[href='/forgotten']")
    page.keyboard.press("Enter")
    page.locator("#clerk:focus").wait_for()
    page.keyboard.type("clerk1")
    page.keyboard.press("Enter")
    page.locator("#answer:focus").wait_for()
    challenge = page.locator(".spoken").inner_text()
    node = town.counter.node
    secret = shared_at_city(node.node_id, town.city, node.sealing_public)
    page.keyboard.type(answer_for(challenge, "clerk1", [secret]))
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.type("another invented one")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?recovered=yes")
    assert page.get_by_role("status").is_visible()
    page.locator("#clerk:focus").wait_for()
    page.keyboard.type("clerk1")
    page.keyboard.press("Tab")
    page.keyboard.type("another invented one")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    assert wrong == []
