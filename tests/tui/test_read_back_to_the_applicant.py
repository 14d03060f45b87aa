"""Before anything is signed, what was filled in is read to the applicant, and so is the notice that is consented to."""

from __future__ import annotations

import pytest

from tests.simulators.agents_work import begun, collected, hand_in

pytestmark = pytest.mark.screen


async def test_what_was_filled_in_stands_under_the_act_that_signs_it(at_the_screen):
    async with at_the_screen() as agent:
        desk = await begun(agent, agent_mode="self")
        await agent.press("f5")
        await agent.sees("还差 1 处")
        await agent.press("1")
        await hand_in(agent)
        await agent.press("f5")
        await agent.sees("全部齐了", "念给申请人核对", "确认代办收件")
        name = desk.fields["applicant_name"]
        await agent.sees(f"{name.label}：{desk.values['applicant_name']}")
        await agent.press("2")  # the first of them: the number leads to the field
        await agent.sees(next(field.label for key, field in desk.fields.items() if key in desk.visible()))


async def test_the_notice_that_is_consented_to_is_on_f1_and_help_elsewhere_is_help(at_the_screen):
    async with at_the_screen() as agent:
        desk = await begun(agent, agent_mode="self")
        consent = next(field for field in desk.fields.values() if field.type == "consent")
        agent.screen.go_to(field_id=consent.id)
        await agent.sees("告知的全文按 F1 看")
        await agent.press("f1")
        await agent.at("help")
        await agent.sees("个人信息处理告知", "敏感个人信息", "不同意的，自己到窗口或网上办")
        await agent.press("escape")
        await agent.at("wizard")
        await agent.press("f5")
        await agent.sees("还差")
        await agent.press("f1")
        await agent.at("help")
        assert "个人信息处理告知" not in agent.text()


async def test_nothing_is_read_back_while_something_is_missing(at_the_screen):
    async with at_the_screen() as agent:
        desk = await begun(agent, agent_mode="self")
        await agent.press("f5")
        await agent.sees("还差 1 处")
        assert str(desk.values["applicant_name"]) not in agent.text()


async def test_collecting_goes_on_as_before(at_the_screen):
    async with at_the_screen() as agent:
        await collected(agent)
