"""F2 at the door: digits to read out at 80 x 24, digits read back, a new passphrase, signed in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.cells import cell_len

from tests.simulators.agent_at_the_screen import Agent
from wire.clerk_recovery import answer_for, shared_at_city
from wire.spoken_digits import SpokenKind, say_digits

pytestmark = pytest.mark.screen
ON_THE_NODE = pytest.mark.parametrize("node", ["real"], indirect=True)
NEW = "another1 invented"


def read_out(agent: Agent) -> str:
    """The four groups as somebody reads them from the screen."""
    rows = [re.findall(r"(?:\d ){4}\d", line) for line in agent.text().splitlines()]
    (groups,) = [row for row in rows if len(row) == 4]
    return " ".join(group.replace(" ", "") for group in groups)


def city_answers(node: Any, challenge: str) -> str:
    document, city = node.village.counter.node, node.village.gateway.sealing
    return answer_for(challenge, node.clerk, [shared_at_city(document.node_id, city, document.sealing_public)])


async def forgot(agent: Agent) -> str:
    await agent.type(agent.clerk)
    await agent.press("f2")
    await agent.at("recovery")
    return read_out(agent)


async def typed(agent: Agent, *fields: str) -> None:
    for field in fields:
        await agent.type(field)
        await agent.press("enter")


@ON_THE_NODE
async def test_a_clerk_who_forgot_sets_a_new_passphrase_and_signs_in(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        challenge = await forgot(agent)
        await agent.sees("护安镇测试村便民服务室", agent.clerk, "120 分钟内有效")
        await typed(agent, city_answers(node, challenge), NEW, NEW)
        await agent.at("sign_in")
        await agent.sees("新口令已设好")
        await typed(agent, NEW)
        await agent.at("home")


@ON_THE_NODE
async def test_everything_fits_on_a_small_terminal_in_both_answers(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        await forgot(agent)
        await typed(agent, "12345 12345 12345 12345")
        await agent.sees("第 1、2", "不对")
        lines = agent.text().splitlines()
        assert len(lines) == 24
        assert all(cell_len(line) <= 80 for line in lines)
        assert "F9 确定" in lines[-1]
        await agent.sees("对方念回的四组数字", "再输一遍", "不告诉任何人", "只能用一次")


@ON_THE_NODE
async def test_a_mistyped_group_is_named_before_anything_is_sent(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        challenge = await forgot(agent)
        answer = city_answers(node, challenge)
        await typed(agent, answer[:-1] + str((int(answer[-1]) + 1) % 10))
        await agent.sees("第 4 组不对")
        assert agent.screen.focused.field_id == "answer"
        await agent.press("backspace")
        await typed(agent, answer[-1], NEW, "something else")
        await agent.sees("两遍新口令不一样")
        assert NEW not in agent.text()
        await typed(agent, NEW, NEW)
        await agent.at("sign_in")


@ON_THE_NODE
async def test_who_chose_too_short_a_passphrase_types_the_next_where_it_is_not_shown(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        challenge = await forgot(agent)
        await typed(agent, city_answers(node, challenge), "short", "short")
        await agent.sees("至少要 8 个字符")
        await typed(agent, NEW)
        assert NEW not in agent.text()
        await typed(agent, NEW)
        await agent.at("sign_in")


@ON_THE_NODE
async def test_an_answer_to_something_else_is_refused_in_words_and_the_screen_stays(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        await forgot(agent)
        await typed(agent, say_digits("0" * 16, SpokenKind.ANSWER), NEW, NEW)
        await agent.sees("对不上", "还可以试 4 次")
        assert agent.screen.place == "recovery"
        await agent.press("escape")
        await agent.at("sign_in")
        await agent.press("enter")
        await typed(agent, agent.passphrase)
        await agent.at("home")


@ON_THE_NODE
async def test_f2_asks_for_the_clerk_first_and_says_who_is_none(at_the_screen, node):
    async with at_the_screen(signed_in=False) as agent:
        await agent.press("f2")
        await agent.sees("先输入您的工号")
        await agent.type("nobody")
        await agent.press("f2")
        await agent.sees("本机没有这个工号")
        assert agent.screen.place == "sign_in"


@ON_THE_NODE
async def test_who_forgot_at_a_locked_screen_goes_on_with_what_was_typed(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.type("李样例")
        await agent.until(lambda: "李样例" in str(node.drafts))
        await agent.press("f8")
        await agent.at("lock")
        await agent.press("f2")
        await agent.at("recovery")
        assert "李样例" not in agent.text()
        await typed(agent, city_answers(node, read_out(agent)), NEW, NEW)
        await agent.at("lock")
        await typed(agent, NEW)
        await agent.at("wizard")
        await agent.sees("李样例")
