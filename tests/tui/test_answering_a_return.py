"""A return is answered point by point; each point leads to its field or material."""

from __future__ import annotations

import pytest

from tests.simulators.agents_work import given_back, hand_in

pytestmark = pytest.mark.screen
POINTS = (
    ("field", "applicant_phone", "号码打不通", "换一个能联系上的号码"),
    ("material", "GA-YB-001-M01", "反面看不清", "重新扫描反面"),
    ("condition", "GA-YB-001-C01", "是否参加职工医保未说明", "说明参保情况"),
)


async def opened(agent, node):
    """The answer, open at its points."""
    return await given_back(agent, node, *POINTS)


async def say(agent, words):
    await agent.at("act_form")
    await agent.type(words)
    await agent.press("f9")
    await agent.at("wizard")


async def test_every_point_is_put_right_and_sent(at_the_screen, node):
    async with at_the_screen() as agent:
        held = await opened(agent, node)
        await agent.press("1")
        await agent.at("choose")
        await agent.press("1")
        await agent.until(lambda: getattr(agent.screen.focused, "field_id", "") == "applicant_phone")
        await agent.sees("号码打不通")
        await agent.press("ctrl+u")
        await agent.type("13800000002")
        await agent.press("pageup")
        await agent.sees("3 条补正要求")
        await agent.press("1")
        await agent.at("choose")
        await agent.press("2")
        await say(agent, "已换号码")
        await agent.press("2")
        await agent.at("choose")
        await agent.press("1")
        await agent.sees("有效身份证件", "先前已交 2 页", "反面看不清")
        await hand_in(agent, scans="3")
        await agent.until(lambda: agent.screen.at == 0 and agent.screen.focused is not None)
        for point, words in (("2", "已重扫"), ("3", "未参加职工医保")):
            await agent.press(point)
            await agent.settle()
            if point == "2":
                await agent.at("choose")
                await agent.press("2")
            await say(agent, words)
        await agent.press("f5")
        await agent.sees("全部答复完了")
        await agent.sees("F9 提交补正", "交乡镇重新预审")
        await agent.press("f9")
        await agent.at("choose")
        await agent.press("1")
        await agent.at("slip")
        await agent.sees("补正已提交，由乡镇重新预审")
        after = node.applications[held.application_id]
        assert after.state == "pre_review"
        assert after.form["applicant_phone"] == "13800000002"
        assert set(after.answers) == {ref for _kind, ref, *_ in POINTS}
        assert sum(scan.material_id == "GA-YB-001-M01" for scan in after.scans) == 1, "new pages replace the old ones"


async def test_a_point_without_an_answer_is_not_called_answered(at_the_screen, node):
    async with at_the_screen() as agent:
        await opened(agent, node)
        await agent.sees("待答复")
        await agent.press("3")
        await say(agent, "未参加职工医保")
        marks = [row.mark for row in agent.screen.query_one("NumberedList").rows]
        assert marks == ["待答复", "待答复", "已答复"]


async def test_a_point_about_a_field_that_is_not_asked_says_so(at_the_screen, node):
    async with at_the_screen() as agent:
        await given_back(agent, node, ("field", "ems_address", "地址不全", "补写到组"))
        await agent.press("1")
        await agent.at("choose")
        await agent.press("1")
        await agent.sees("按现在的选择不用填")
