"""Screens that are left while the node still answers; and the end of the program when it breaks all the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import httpx
import pytest

from tests.simulators.agents_work import ON_THE_FAKE, begun, hand_in
from tui.errand import in_place
from tui.screens.application import ApplicationDetailScreen
from tui.screens.applications import ApplicationsScreen
from tui.screens.search import SearchScreen
from tui.widgets.numbered_list import NumberedList

pytestmark = pytest.mark.screen
POINT = ("material", "GA-YB-001-M01", "反面看不清", "重新扫描反面")


class SlowRoad(httpx.AsyncBaseTransport):
    """Answers only when told to."""

    def __init__(self, there: httpx.AsyncBaseTransport) -> None:
        self._there = there
        self.open = asyncio.Event()
        self.open.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._there.handle_async_request(request)
        await self.open.wait()
        return answer


@pytest.fixture
def road(road) -> SlowRoad:
    return SlowRoad(road)


@ON_THE_FAKE
async def test_a_form_that_takes_time_says_that_it_opens_and_keys_do_nothing_else_meanwhile(at_the_screen, road, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("escape")
        await agent.at("guide")
        assert "正在打开表单" not in agent.text()
        road.open.clear()
        await agent.press("enter")
        await agent.sees("正在打开表单")
        await agent.type("1234")
        assert agent.screen.place in {"guide", "wizard"}
        road.open.set()
        await agent.at("wizard")
        await agent.until(lambda: bool(agent.screen.query("FieldFrame")))
        assert "正在打开表单" not in agent.text()
        assert "1234" not in str(node.drafts), "what was typed before there was a field went into none"


@ON_THE_FAKE
async def test_a_form_left_half_filled_is_told_to_be_among_the_drafts(at_the_screen, node):
    async with at_the_screen() as agent:
        await begun(agent)
        await agent.press("escape")
        await agent.at("guide")
        await agent.sees("从首页按 2 接着填", "按回车是另登记一件")
        assert len(node.drafts) == 1


async def test_an_answer_for_a_screen_that_is_gone_breaks_nothing(at_the_screen, road):
    async with at_the_screen() as agent:
        for screen in (ApplicationsScreen(""), ApplicationDetailScreen("0" * 32), SearchScreen()):
            road.open.clear()
            await agent.app.push_screen(screen)
            await agent.settle()
            for rows in screen.query(NumberedList):
                await rows.remove()
            screen.dismiss(None)
            road.open.set()
            await agent.at("home")
            await agent.until(lambda: not in_place(screen))  # noqa: B023
        await agent.sees("办新件")


@ON_THE_FAKE
async def test_after_the_receipt_of_a_supplement_the_next_item_is_searched_at_once(at_the_screen, node):
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await agent.press("f5")
        await agent.sees("还差 1 处")
        await agent.press("1")
        await hand_in(agent)
        await agent.press("f9", "1")
        await agent.at("slip")
        held = next(iter(node.applications.values()))
        node.give_back(held.application_id, POINT)
        await agent.press("escape", "3", "1")
        await agent.at("application")
        await agent.sees("答复补正")
        await agent.press("1")
        await agent.sees("1 条补正要求")
        await agent.press("1", "2")
        await agent.at("act_form")
        await agent.type("已重扫")
        await agent.press("f9")
        await agent.at("wizard")
        await agent.press("f5")
        await agent.sees("全部答复完了")
        await agent.press("f9", "1")
        await agent.at("slip")
        asked = len(node.calls)
        await agent.pilot.press("escape", "1", *"医保")
        await agent.at("search")
        await agent.sees("城乡居民基本医疗保险参保登记")
        assert not [call for call in node.calls[asked:] if call.endswith(held.application_id)], "left, not looked at"


BROKEN = """
import sys
from tui import __main__, wording
from tests.simulators.words import words_of
from tui.screens.sign_in import SignInScreen
wording.speak = lambda language: setattr(wording, "_spoken", words_of(language))
__main__.speak = wording.speak
async def fault(self):
    raise LookupError("李样例")
def on_mount(self):
    self.run_worker(fault(self)), self.run_worker(fault(self))
SignInScreen.on_mount = on_mount
sys.exit(__main__.main())
"""


def test_a_program_that_breaks_says_so_once_in_chinese_and_gives_the_terminal_back(tmp_path):
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    program = subprocess.Popen(
        [sys.executable, "-c", BROKEN, "--socket", str(tmp_path / "no.sock")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LANG": "zh_CN.UTF-8", "TERM": "xterm-256color"},
    )
    said = b""
    try:
        while b"\xe7\xa8\x8b\xe5\xba\x8f\xe5\x87\xba\xe9\x94\x99" not in said:
            said += os.read(ours, 65536)
        assert program.wait(timeout=30) == 1
        os.set_blocking(ours, False)
        with contextlib.suppress(BlockingIOError):
            said += os.read(ours, 65536)
        assert termios.tcgetattr(theirs) == before
    finally:
        program.kill()
        program.wait()
        os.close(ours)
        os.close(theirs)
    words = said.decode("utf-8", "replace")
    assert words.count("程序出错") == 1
    assert "LookupError" in words
    assert not [unwanted for unwanted in ("NOTE", "textual run", "Traceback", "李样例") if unwanted in words]
    assert "\x1b[?1049l" in words, "the alternate screen is left"
