"""One application, worked by keys alone: search, guide, wizard, summary, collect, receipt, result, rating."""

from __future__ import annotations

import pytest

from casework.application import Decision
from tests.simulators.agents_work import ON_THE_FAKE, collected
from tui.widgets.field_frame import FieldFrame

pytestmark = pytest.mark.screen
ITEM = "城乡居民基本医疗保险参保登记"


async def test_an_application_is_collected_by_keys_alone(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        await agent.sees("已保存在本机", held.receipt_no, ITEM, "李**", "不是受理凭证")
        assert held.form["agent_mode"] == "village_agent"
        assert {one.material_id for one in held.handed_in} == {"GA-YB-001-M01", "D-WT"}
        assert [scan.page for scan in held.scans if scan.material_id == "GA-YB-001-M01"] == [1, 2]
        assert not node.drafts
        await agent.press("escape")
        await agent.at("home")


@ON_THE_FAKE
async def test_the_receipt_with_its_code_fits_a_small_terminal(at_the_screen):
    async with at_the_screen() as agent:
        await collected(agent)
        code = agent.screen.query_one("#qr").region
        assert code.bottom <= 23
        assert code.right <= 80
        assert code.width >= 29
        assert sum("█" in line or "▀" in line for line in agent.text().splitlines()) >= 12


@ON_THE_FAKE
async def test_what_is_missing_is_listed_at_once_and_each_line_leads_there(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("f5")
        await agent.sees("还差", "一次列全", "申请人姓名")
        rows = agent.screen.query_one("NumberedList").rows
        assert {row.key.partition(":")[0] for row in rows} == {"field", "material"}
        await agent.press("2")
        await agent.until(lambda: bool(agent.screen.query(FieldFrame)))
        await agent.until(lambda: getattr(agent.screen.focused, "field_id", "") == rows[1].key.removeprefix("field:"))


async def test_an_incomplete_draft_cannot_be_collected(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("f9")
        await agent.sees("还没有核对。按 F5")
        assert not node.applications
        assert len(node.drafts) == 1


async def test_the_proxy_rule_is_applied_before_anything_is_typed(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.press("1")
        await agent.at("search")
        await agent.type("居民身份证申领")
        await agent.sees("只作指导")
        await agent.press("1")
        await agent.at("guide")
        await agent.sees("不在这里登记申请")
        await agent.press("enter")
        assert agent.screen.place == "guide"
        assert not node.drafts


@ON_THE_FAKE
async def test_an_unknown_limit_is_shown_as_unknown(at_the_screen):
    async with at_the_screen() as agent:
        await agent.press("1")
        await agent.at("search")
        await agent.type("异地就医备案")
        await agent.sees("异地长期居住")
        await agent.press("1")
        await agent.at("guide")
        await agent.sees("法定时限：未知", "承诺时限：未知")


async def test_a_result_is_delivered_and_the_villager_rates_it(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        node.play(held.application_id, "submitted", "pre_review_started", "accepted", "review_started")
        ruling = Decision(
            granted=True, reason="符合条件", document_name="参保凭证", document_no="1", decided_on=held.collected_at
        )
        node.play(held.application_id, "decided", decision=ruling)
        node.play(held.application_id, "concluded")
        await agent.press("escape")
        await agent.at("home")
        await agent.sees("1 件")
        await agent.press("4")
        await agent.at("applications")
        await agent.sees("已办结", "该代办员送达结果")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("登记送达", "符合条件")
        assert agent.text().count("符合条件") == 1
        await agent.press("1")
        await agent.at("act_form")
        await agent.type("李样例")
        await agent.press("f9")
        await agent.at("application")
        await agent.sees("已送达", "请群众评价", "已存本机")
        await agent.press("1")
        await agent.at("act_form")
        await agent.sees("转向群众", "非常满意")
        await agent.press("2")
        await agent.press("f9")
        await agent.at("application")
        await agent.sees("已评价", "评价（群众）")
        assert node.applications[held.application_id].state == "rated"


async def test_an_application_is_withdrawn_with_a_reason(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        await agent.press("escape")
        await agent.at("home")
        await agent.press("5")
        await agent.at("applications")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("撤回申请")
        rows = agent.screen.query_one("NumberedList").rows
        await agent.press(str([row.key for row in rows].index("withdraw") + 1))
        await agent.at("act_form")
        await agent.press("f9")
        await agent.sees("请填写这一项")
        assert next(iter(node.applications.values())).state == "collected"
        await agent.type("不办了")
        await agent.press("f9")
        await agent.at("choose")
        await agent.sees("撤回后不能恢复")
        await agent.press("2")
        await agent.at("act_form")
        assert next(iter(node.applications.values())).state == "collected"
        await agent.press("f9")
        await agent.at("choose")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("已撤回")
        assert next(iter(node.applications.values())).state == "withdrawn"
