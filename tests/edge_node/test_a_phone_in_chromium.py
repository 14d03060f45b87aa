"""The phone's page in a real browser, as small as a phone: the code's address, a picture, what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from edge_node import phone_door
from edge_node.acts import drafting, phoning
from edge_node.app import phone_app
from offline_store.desk import scans
from tests.edge_node.test_page_in_chromium import chromium
from tests.edge_node.village import Village, photo

pytestmark = pytest.mark.browser
__all__ = ["chromium"]
ITEM, MATERIAL = "GA-YB-001", "GA-YB-001-M01"


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path / "node")


@pytest.fixture
def draft_id(village: Village) -> str:
    return drafting.begin(village.counter, village.who, ITEM).draft_id


@pytest.fixture
def url(village: Village, draft_id: str) -> Iterator[str]:
    """The address that the code shows; the door stands open as long as the test."""
    import asyncio

    bound = phone_door._listen(["127.0.0.1"], 0)
    door = phone_door.door_of(
        phone_app(village.counter, asyncio.Semaphore(2)), tls=phone_door._fresh_certificate(["127.0.0.1"])
    )
    thread = threading.Thread(target=lambda: asyncio.run(door.serve(sockets=bound)), daemon=True)
    thread.start()
    while not door.started:
        time.sleep(0.02)
    yield f"{phone_door._url(bound[0])}/#{phoning.invite(village.counter, village.who, draft_id, MATERIAL)}"
    door.should_exit = True
    thread.join(10)
    for one in bound:
        one.close()


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    context = chromium.new_context(
        ignore_https_errors=True, viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True
    )
    yield context.new_page()
    context.close()


def pages_of(village: Village, draft_id: str) -> list[int]:
    with village.counter.desk.reading() as tx:
        return sorted(one.page for one in scans.of_draft(tx, draft_id))


def test_a_picture_goes_from_the_phone_to_the_draft(
    village: Village, draft_id: str, url: str, page: Page, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.locator("#asked")).to_contain_text("已有 0 页")
    expect(page.get_by_text("拍一页", exact=True)).to_be_visible()
    for number in range(2):
        picture = tmp_path / f"{number}.jpg"
        picture.write_bytes(photo(number))
        page.set_input_files("#camera", picture)
        expect(page.get_by_text(f"第 {number + 1} 页已收到")).to_be_visible()
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(photo()[:200])
    page.set_input_files("#album", torn)
    expect(page.locator("li.bad")).to_contain_text("影像")
    expect(page.locator("#asked")).to_contain_text("已有 2 页")
    assert pages_of(village, draft_id) == [1, 2]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    origin, _, token = url.partition("/#")
    assert {one.split("/")[2] for one in asked} == {origin.removeprefix("https://")}
    assert not any(token in one.partition("#")[0] for one in asked), "the token goes into no address"


def test_a_code_that_is_over_is_told_and_offers_no_button(village: Village, url: str, page: Page) -> None:
    village.counter.invitations.withdraw(village.who)
    page.goto(url)
    expect(page.locator("#asked")).to_contain_text("换一个新码")
    expect(page.get_by_text("拍一页", exact=True)).to_be_hidden()
