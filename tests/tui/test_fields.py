"""Fields of the wizard: checked as they are left, shown as the answers ask, saved as they are typed."""

from __future__ import annotations

import pytest

from tests.simulators.agents_work import ON_THE_FAKE
from tests.simulators.filled_forms import fitting
from tui.autosave import Kept

pytestmark = pytest.mark.screen


async def test_a_field_is_checked_as_it_is_left_and_the_sentence_stands_under_it(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_id_type")
        await agent.press("1")
        await agent.focus_on("applicant_id_no")
        await agent.type("511602180001010015")
        assert "校验位不对" not in agent.text()
        await agent.press("tab")
        await agent.sees("身份证号校验位不对，请逐位核对")
        await agent.until(lambda: "511602180001010015" in str(node.drafts))
        await agent.focus_on("applicant_id_no")
        await agent.press("backspace")
        await agent.type("4")
        await agent.misses("校验位不对")


@ON_THE_FAKE
async def test_a_rule_that_depends_on_another_field_is_checked_again_when_that_one_changes(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_id_no")
        await agent.type("12345")
        await agent.press("tab")
        await agent.focus_on("applicant_id_type")
        await agent.press("1")
        await agent.press("enter")
        await agent.sees("身份证号应为 18 位")
        await agent.focus_on("applicant_id_type")
        await agent.press("2")
        await agent.press("enter")
        await agent.misses("身份证号应为")


@ON_THE_FAKE
async def test_conditional_fields_come_and_go_with_the_answers(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("pagedown", "pagedown")
        await agent.sees("申请方式")
        await agent.at("wizard")
        assert "代办人姓名" not in agent.text()
        assert "委托书" not in agent.text().splitlines()[2]
        await agent.press("3")
        await agent.sees("*代办人姓名", "*代办人证件号码", "5 委托书")
        await agent.press("2")
        await agent.misses("代办人证件号码")
        assert agent.screen.query_one("#field-agent_name").editor.value == "张测试"
        await agent.press("1")
        await agent.misses("代办人姓名")


async def test_a_table_is_filled_row_by_row_and_an_unfinished_row_is_kept(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("pagedown")
        await agent.focus_on("household_members")
        await agent.press("0")
        await agent.at("table_row")
        await agent.type("李样例")
        await agent.press("escape")
        await agent.at("wizard")
        await agent.sees("1 李样例 · 未填 · 未填", "第 1 行“身份证号”：请填写这一项")
        kept = [{"name": "李样例"}]
        await agent.until(lambda: next(iter(node.drafts.values()))["values"].get("household_members") == kept)
        await agent.press("1")
        await agent.at("table_row")
        field = agent.screen.query_one("#field-id_no").field
        await agent.focus_on("id_no")
        await agent.type(fitting(field))
        await agent.focus_on("relation")
        await agent.press("2")
        await agent.press("f9")
        await agent.at("wizard")
        await agent.misses("第 1 行")
        await agent.press("delete")
        await agent.at("choose")
        await agent.press("1")
        await agent.at("wizard")
        await agent.until(lambda: "household_members" not in next(iter(node.drafts.values()))["values"])


async def test_a_choice_that_one_key_took_away_comes_back_by_the_same_key(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_id_type")
        await agent.press("1")
        editor = agent.screen.query_one("#field-applicant_id_type").editor
        chosen = editor.value
        await agent.press("delete")
        await agent.sees("已清空", "再按一次 Del")
        assert editor.value is None
        await agent.press("delete")
        await agent.sees("已恢复")
        assert editor.value == chosen
        await agent.until(lambda: next(iter(node.drafts.values()))["values"].get("applicant_id_type") == chosen)
        await agent.press("delete", "2", "delete", "delete")
        assert editor.value == editor.options[1][0]  # what was chosen since comes back, not what was before


@ON_THE_FAKE
@pytest.mark.parametrize("key", ["enter", "tab"])
async def test_the_last_field_of_a_step_is_checked_by_the_key_that_leaves_it(at_the_screen, key: str):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        frames = [frame for frame in agent.screen.query("FieldFrame") if frame.display]
        last = frames[-1]
        last.editor.focus()
        await agent.settle()
        assert not last.problem
        await agent.press(key)
        await agent.until(lambda: bool(last.problem))
        await agent.sees("请填写这一项")


async def test_a_region_is_chosen_by_number_from_the_own_township(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_region")
        await agent.press("enter")
        await agent.at("region_picker")
        await agent.sees("民丰路社区", "当前：前锋区护安镇")
        await agent.press("6")
        await agent.sees("按回车选第 6 项")
        await agent.press("enter")
        await agent.at("wizard")
        await agent.sees("前锋区护安镇团柏村 511603106205")
        await agent.until(lambda: "511603106205" in str(node.drafts))


@ON_THE_FAKE
async def test_a_region_is_found_by_a_part_of_its_name(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_region")
        await agent.press("enter")
        await agent.at("region_picker")
        await agent.type("老坡")
        await agent.sees("前锋区护安镇老坡村")
        await agent.press("enter")
        await agent.at("wizard")
        await agent.sees("老坡村 511603106216")


async def test_a_village_of_a_township_nobody_opened_is_found_from_the_city(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_region")
        await agent.press("enter")
        await agent.at("region_picker")
        agent.screen.parent_code = "511600000000"
        agent.screen.known, agent.screen.asked = {}, {}
        await agent.type("老坡")
        await agent.sees("前锋区护安镇老坡村")


async def test_a_village_that_the_catalog_does_not_know_is_typed_as_a_code(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_region")
        await agent.press("enter")
        await agent.at("region_picker")
        await agent.press("f2")
        await agent.until(
            lambda: agent.screen.parent_code == "511603000000" and bool(agent.screen.query_one("NumberedList").rows)
        )
        await agent.press("1", "enter")
        await agent.sees("没有可选的下级")
        await agent.type("511603001")
        await agent.press("enter")
        await agent.sees("不是要求级别")
        await agent.type("201")
        await agent.press("enter")
        await agent.at("wizard")
        await agent.until(lambda: "511603001201" in str(node.drafts))


async def test_a_date_typed_in_digits_is_written_out(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("出生登记")
        await agent.press("pagedown")
        dates = [frame.field.id for frame in agent.screen.query("FieldFrame") if frame.field.type == "date"]
        await agent.focus_on(dates[0])
        await agent.type("20260203")
        await agent.press("tab")
        await agent.until(lambda: "2026-02-03" in str(node.drafts))
        await agent.sees("2026-02-03")


async def test_a_draft_is_gone_on_with_where_it_was_left(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.type("李样例")
        await agent.press("escape")
        await agent.at("guide")
        await agent.press("escape", "escape")
        await agent.at("home")
        await agent.press("2")
        await agent.at("drafts")
        await agent.sees("李** · 城乡居民基本医疗保险参保登记")
        await agent.press("1")
        await agent.at("wizard")
        await agent.until(lambda: bool(agent.screen.query("FieldFrame")))
        assert agent.screen.query_one("#field-applicant_name").editor.value == "李样例"


async def test_with_the_node_away_the_text_stays_and_is_saved_later(at_the_screen, node, road):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        road.cut = True
        await agent.type("李样例")
        await agent.press("tab")
        await agent.sees("未保存", "本机服务没有应答", "内容保留在屏幕上")
        assert agent.screen.query_one("#field-applicant_name").editor.value == "李样例"
        assert "李样例" not in str(node.drafts)
        road.cut = False
        await agent.until(lambda: "李样例" in str(node.drafts))
        await agent.until(lambda: agent.screen.desk.autosave.kept is Kept.SAVED)
        await agent.sees("已保存", "目录")


async def test_leaving_with_unsaved_text_asks_first(at_the_screen, node, road):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        road.cut = True
        await agent.type("李样例")
        await agent.press("escape")
        await agent.at("choose")
        await agent.sees("还没有保存")
        await agent.press("2")
        await agent.at("wizard")
        road.cut = False
        await agent.press("escape")
        await agent.at("guide")
        assert "李样例" in str(node.drafts)


async def test_a_broken_scan_is_refused_by_name_and_the_next_one_can_be_attached(at_the_screen, scans, node):
    (scans / "zz_broken.jpg").write_bytes(b"not a picture")
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("f5")
        await agent.sees("还差")
        row = [row.key for row in agent.screen.query_one("NumberedList").rows].index("material:GA-YB-001-M01")
        agent.screen.go_to(material_id="GA-YB-001-M01")
        await agent.until(lambda: bool(agent.screen.query("MaterialsStep")))
        await agent.at("wizard")
        assert row >= 0
        await agent.press("f4")
        await agent.at("scan_picker")
        names = [row.title.split()[-1] for row in agent.screen.query_one("NumberedList").rows]
        await agent.press(str(names.index("zz_broken.jpg") + 1))
        await agent.press("f9")
        await agent.at("material")
        await agent.sees("zz_broken.jpg”没有附上：")
        assert not next(iter(node.drafts.values()))["scans"]
