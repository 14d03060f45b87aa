"""Signing in, locking, and a session that was lost: nothing typed is lost by any of them."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.simulators.agents_work import ON_THE_FAKE
from tests.simulators.real_node import real_node
from tests.simulators.words import words_of
from tui import wording
from tui.counter_client import CounterClient
from tui.errors import Refused

pytestmark = pytest.mark.screen


async def test_a_clerk_signs_in_by_keys(at_the_screen):
    async with at_the_screen(signed_in=False) as agent:
        await agent.sees("工号", "口令")
        await agent.sign_in()
        await agent.sees("办新件", "张测试")


async def test_a_wrong_passphrase_is_said_and_not_kept_on_the_screen(at_the_screen):
    async with at_the_screen(signed_in=False) as agent:
        await agent.type(agent.clerk)
        await agent.press("enter")
        await agent.type("wrong1")
        assert "wrong1" not in agent.text()
        await agent.press("enter")
        await agent.sees("工号或口令不对")
        assert [field.value for field in agent.screen.query("TextEditor")] == [agent.clerk, ""]


async def test_an_idle_screen_locks_and_keeps_what_was_typed(at_the_screen, node, clock):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.type("李样例")
        await agent.until(lambda: "李样例" in str(node.drafts))
        clock.forward(minutes=11)
        await agent.at("lock")
        assert "李样例" not in agent.text()
        await agent.press("escape")
        assert agent.screen.place == "lock"
        await agent.type(agent.passphrase)
        await agent.press("enter")
        await agent.at("wizard")
        await agent.sees("李样例")


@ON_THE_FAKE
async def test_a_wall_clock_that_is_set_back_keeps_no_screen_open(at_the_screen, clock):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        clock.at -= timedelta(days=3650)
        clock.forward(minutes=11)
        await agent.at("lock")


@ON_THE_FAKE
async def test_a_session_that_the_node_locked_is_asked_for_and_the_call_goes_on(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        node.locked = True
        await agent.type("李")
        await agent.at("lock")
        await agent.type(agent.passphrase)
        await agent.press("enter")
        await agent.at("wizard")
        await agent.until(lambda: "李" in str(node.drafts))
        await agent.sees("已保存")


@ON_THE_FAKE
async def test_a_restarted_node_is_signed_in_to_again_with_the_same_passphrase(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        node.sessions.clear()
        await agent.type("李")
        await agent.at("lock")
        await agent.sees("本机服务重新启动过")
        await agent.type("bad")
        await agent.press("enter")
        await agent.sees("口令不对，请重新输入")
        assert "工号" not in agent.text()
        await agent.type(agent.passphrase)
        await agent.press("enter")
        await agent.at("wizard")
        await agent.until(lambda: "李" in str(node.drafts))


async def test_a_locked_screen_speaks_only_of_what_it_asks_for(at_the_screen):
    async with at_the_screen() as agent:
        await agent.press("f8")
        await agent.at("lock")
        await agent.type("bad")
        await agent.press("enter")
        await agent.sees("口令不对，请重新输入")
        assert "工号" not in agent.text()
        assert agent.screen.place == "lock"


@ON_THE_FAKE
async def test_f8_locks_wherever_one_is_and_what_was_typed_waits(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.type("李样例")
        await agent.press("f8")
        await agent.at("lock")
        assert "李样例" not in agent.text()
        await agent.type(agent.passphrase)
        await agent.press("enter")
        await agent.at("wizard")
        await agent.sees("李样例")


@pytest.mark.parametrize(("language", "words"), [("en", "do not belong together"), ("zh_CN", "工号或口令不对")])
async def test_the_node_answers_in_the_language_of_the_screen(tmp_path, monkeypatch, language, words):
    monkeypatch.setattr(wording, "_spoken", words_of(language))
    with real_node(tmp_path / "node") as node:
        async with CounterClient(httpx.ASGITransport(app=node.app)) as client:
            with pytest.raises(Refused) as refused:
                await client.sign_in(node.clerk, "not this one")
    assert words in refused.value.sentence
