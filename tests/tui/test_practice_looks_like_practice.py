"""Practice says what it is on every screen of a small terminal, and never stands for the true counter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_node.app import counter_app
from tests.simulators.agent_at_the_screen import Agent
from tests.simulators.agents_work import ON_THE_FAKE, collected
from tests.simulators.practice_beside import Beside, practice_beside
from tui.app import WRONG_STORE, CounterApp
from wire.practice import CLERK, PASSPHRASE, SITE, WANTS_PRACTICE

pytestmark = pytest.mark.screen

BANNER = "练习——不会报送"
SMALL = (80, 24)
Screens = Callable[..., AbstractAsyncContextManager[Agent]]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    with practice_beside(tmp_path / "world") as both:
        yield both


@pytest.fixture
def screen_on(clock, scans: Path) -> Screens:
    """Opens the screen on one of two counters."""

    @asynccontextmanager
    async def opened(counter, *, practice: bool) -> AsyncIterator[Agent]:
        app = CounterApp(
            httpx.ASGITransport(app=counter_app(counter)),
            now=clock,
            uptime=lambda: clock.ran,
            scan_folder=scans,
            idle_seconds=600,
            look_seconds=0.2,
            practice=practice,
        )
        async with app.run_test(size=SMALL) as pilot:
            agent = Agent(app, pilot, CLERK, PASSPHRASE)
            await agent.settle()
            yield agent

    return opened


async def shows_practice(agent: Agent, place: str) -> None:
    """The first line and the bar say so, in the colours of practice."""
    await agent.at(place)
    await agent.until(lambda: agent.app.screen.query_one("StandingBar").has_class("practice"))
    lines = agent.text().splitlines()
    assert "F3" not in lines[-2], "a line that practice does not have is not offered to be explained"
    assert lines[0].strip().startswith(BANNER), (place, lines[0])
    standing = [line for line in lines[-4:] if BANNER in line]
    assert len(standing) == 1, (place, lines[-4:])
    assert agent.app.screen.query_one("TitleBar").has_class("practice")


async def test_every_screen_from_search_to_receipt_says_that_nothing_is_sent(beside: Beside, screen_on: Screens):
    async with screen_on(beside.practice.counter, practice=True) as agent:
        await shows_practice(agent, "practice")
        await agent.sees("不要输入真实群众的姓名", "结束就清空")
        await agent.press("enter")
        await shows_practice(agent, "home")
        walk = (("1", "search"), ("f1", "help"), ("escape", "search"), ("f3", "line"), ("escape", "search"))
        for key, place in walk:
            await agent.press(key)
            await shows_practice(agent, place)
        await agent.press("escape")
        await agent.at("home")
        await collected(agent)
        await shows_practice(agent, "slip")
        await agent.sees("练习件，无效", SITE, "练完了一件", "不会报送")
        assert "上传" not in agent.text()
        assert "查询进度" not in agent.text()
        await agent.press("escape")
        await shows_practice(agent, "home")
        await agent.press("5")
        await shows_practice(agent, "applications")
        beside.practice.mail.turn()
        await agent.press("f5")
        await agent.sees(f"{SITE}-")
        await agent.press("1")
        await shows_practice(agent, "application")
        await agent.sees("【练习】")
        await agent.press("f8")
        await shows_practice(agent, "lock")
        await agent.press("f2")
        await agent.sees("练习口令")
        await shows_practice(agent, "lock")
        await agent.sees(PASSPHRASE)
        await agent.type(PASSPHRASE)
        await agent.press("enter")
        await shows_practice(agent, "application")


async def test_practice_says_so_also_while_its_node_does_not_answer(beside: Beside, screen_on: Screens):
    async with screen_on(beside.practice.counter, practice=True) as agent:
        await agent.at("practice")
        agent.app.counter.standing = None
        agent.app.screen.show_standing()
        await agent.settle()
        assert agent.text().splitlines()[0].strip().startswith(BANNER)


async def test_nobody_is_asked_for_his_passphrase_before_practice(beside: Beside, screen_on: Screens):
    async with screen_on(beside.practice.counter, practice=True) as agent:
        await agent.at("practice")
        assert not agent.screen.query("TextEditor")
        assert "F6" not in agent.text()


@pytest.mark.parametrize("practice", [True, False])
async def test_a_screen_on_the_wrong_store_ends(beside: Beside, screen_on: Screens, *, practice: bool):
    wrong, right = (beside.true, beside.practice) if practice else (beside.practice, beside.true)
    async with screen_on(wrong.counter, practice=practice) as agent:
        await agent.until(lambda: agent.app.return_code == WRONG_STORE)
    async with screen_on(right.counter, practice=practice) as agent:
        await agent.until(lambda: agent.app.counter.standing is not None)
        await agent.settle()
        assert agent.app.return_code is None


@ON_THE_FAKE
async def test_a_true_screen_says_nothing_of_practice(at_the_screen):
    async with at_the_screen() as agent:
        assert "练习" not in agent.text()
        assert not agent.app.screen.query_one("TitleBar").has_class("practice")


@ON_THE_FAKE
@pytest.mark.parametrize("offered", [True, False])
async def test_practice_is_a_key_of_the_sign_in_where_somebody_begins_it(at_the_screen, *, offered: bool):
    async with at_the_screen(signed_in=False) as agent:
        agent.app.counter.offers_practice = offered
        await agent.screen.recompose()
        await agent.settle()
        assert ("F6 练习" in agent.text()) is offered
        await agent.press("f6")
        assert agent.app.return_code == (WANTS_PRACTICE if offered else None)
