"""Photographing by phone from the screen: the code, what arrives, and the end of it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.simulators.agents_work import ON_THE_FAKE, begun

pytestmark = pytest.mark.screen


async def at_the_code(agent) -> None:
    await begun(agent, agent_mode="village_agent")
    await agent.press("f5")
    await agent.sees("还差 2 处")
    await agent.press("1")
    await agent.at("material")
    await agent.press("f2")
    await agent.at("phone")


@ON_THE_FAKE
async def test_the_code_is_whole_at_80_by_24_and_the_pages_that_come_are_counted(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_code(agent)
        await agent.sees("网址：192.168.137.254:8443", "10 分钟内有效", "继续前往", "F5 换新码")
        code = agent.screen.query_one("#qr").region
        lines = agent.text().splitlines()
        assert (code.bottom <= 22, code.right <= 80, all(cell_len(line) <= 80 for line in lines)) == (True,) * 3
        assert sum("█" in line or "▀" in line for line in lines) >= 14
        node.photographed()
        node.photographed()
        await agent.sees("已收到手机拍的 2 页")
        await agent.press("escape")
        await agent.at("material")
        await agent.sees("第 1 页", "第 2 页")
        assert node.invited is None, "whoever leaves takes the invitation back"


@ON_THE_FAKE
async def test_another_network_has_a_code_of_its_own(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_code(agent)
        await agent.sees("本机有 2 个地址，这是第 1 个")
        await agent.press("f2")
        await agent.sees("网址：10.42.0.1:8443", "这是第 2 个")


@ON_THE_FAKE
async def test_a_code_that_is_over_says_so_and_a_new_one_is_a_key_away(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_code(agent)
        await agent.sees("网址：")
        agent.screen._over()
        await agent.sees("码已过期", "按 F5 换新码")
        assert not agent.screen.query_one("#qr").display
        await agent.press("f5")
        await agent.sees("网址：192.168.137.254:8443")


@pytest.mark.parametrize("node", ["real"], indirect=True)
async def test_a_node_that_keeps_the_door_shut_says_what_to_do_instead(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_code(agent)
        await agent.sees("没有开放手机拍照", "F4")
        await agent.press("escape")
        await agent.at("material")
