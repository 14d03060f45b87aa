"""While a notice is in force the screen says so, at 80 x 24: in guide and wizard, before collecting, in lists."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.edge_node.notices import OTHER_COUNTY, TITLE, declare, notice
from tests.simulators.agents_work import begun, collected, hand_in

pytestmark = [pytest.mark.screen, pytest.mark.parametrize("node", ["real"], indirect=True)]

ONLY_ELSEWHERE = {"scope": {"regions": ["511600000000"], "places": ["市政务服务大厅"], "items": "all"}}


def frame_of(agent):
    lines = agent.text().splitlines()
    assert len(lines) <= 24
    assert all(cell_len(line) <= 80 for line in lines)
    return lines


async def guide_of(agent, words="新农合"):
    await agent.press("1")
    await agent.at("search")
    await agent.type(words)
    await agent.until(lambda: len(agent.screen.query_one("NumberedList").rows) == 1)
    await agent.press("1")
    await agent.at("guide")
    await agent.sees("可以登记")


async def test_the_guide_begins_with_the_notice_in_words(at_the_screen, node):
    declare(node.village.counter, 2, notice())
    async with at_the_screen() as agent:
        await guide_of(agent)
        await agent.sees(
            f"应急公告：{TITLE}",
            "本点现场窗口今天按公告暂停受理",
            "2026-11-23 至 2026-12-04",
            "时限：公告规定的天数不计入时限，到期日顺延",
            "暂停现场窗口受理：暂停现场窗口受理办理",
            "·无人机送达",
            "办理渠道：电话（公告未写明）",
            "联系方式：公告未写明",
        )
        frame_of(agent)


async def test_what_a_notice_leaves_open_is_said_to_be_open(at_the_screen, node):
    declare(node.village.counter, 2, notice({"effect": "unknown"}, effective_to=None))
    async with at_the_screen() as agent:
        await guide_of(agent)
        await agent.sees("自 2026-11-23 起，结束日期公告未写明", "公告未写明时限是否顺延，照常计算，只作暂估，不判逾期")


async def test_the_wizard_carries_one_line_and_a_key_that_opens_the_notice(at_the_screen, node):
    declare(node.village.counter, 2, notice())
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.sees("应急公告：本点窗口暂停受理（11-23 至 12-04） · F6 查看", "F6 公告")
        lines = frame_of(agent)
        assert "F1 帮助" in lines[-1]
        assert "Esc 返回" in lines[-1]
        await agent.press("f6")
        await agent.at("notice")
        await agent.sees(f"应急公告：{TITLE}", "确需现场的须预约：确需到场的先预约")
        frame_of(agent)
        await agent.press("escape")
        await agent.at("wizard")
        await agent.sees("F6 查看")


async def test_collecting_at_a_shut_window_is_warned_of_and_not_forbidden(at_the_screen, node):
    declare(node.village.counter, 2, notice())
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await agent.press("f5")
        await agent.sees("还差 1 处")
        await agent.press("1")
        await hand_in(agent)
        await agent.press("f5")
        await agent.sees("全部齐了")
        await agent.press("f9")
        await agent.at("choose")
        await agent.sees("应急公告：本点现场窗口今天暂停受理")
        assert not node.applications
        await agent.press("1")
        await agent.at("slip")
        assert len(node.applications) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"scope": {"regions": [OTHER_COUNTY], "items": "all"}},
        {"status": "historical"},
        {"effective_from": "2026-11-01", "effective_to": "2026-11-22"},
    ],
)
async def test_a_notice_that_does_not_concern_this_place_is_not_seen(at_the_screen, node, other):
    declare(node.village.counter, 2, notice(**other))
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        assert "公告" not in agent.text()
        await agent.press("f6")
        await agent.at("wizard")
        await agent.press("escape")
        await agent.at("guide")
        await agent.sees("谁能办")
        assert TITLE not in agent.text()


async def test_a_shut_window_elsewhere_is_told_by_its_title_and_warns_nobody_here(at_the_screen, node):
    declare(node.village.counter, 2, notice(**ONLY_ELSEWHERE))
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.sees(f"应急公告：{TITLE}（11-23 至 12-04）")
        assert "本点" not in agent.text()


async def test_a_moved_limit_says_so_in_the_list_and_in_full(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        application_id = next(iter(node.applications))
        node.play(application_id, "submitted")
        declare(node.village.counter, 2, notice())
        await agent.press("escape")
        await agent.at("home")
        await agent.press("5")
        await agent.at("applications")
        await agent.sees("12-11 前·公告顺延9天")
        frame_of(agent)
        await agent.press("1")
        await agent.at("application")
        await agent.sees("到期日 2026-12-11", f"按公告《{TITLE}》顺延 9 个工作日")
        declare(node.village.counter, 3)
        await agent.press("f5")
        await agent.sees("到期日 2026-11-30")
        await agent.misses("顺延")
