"""Findings of people at the counter, each with what must hold since."""

from __future__ import annotations

import ast
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.events import Key

import tui
from tests.simulators.agents_work import ON_THE_FAKE, begun, collected
from tui.city_clock import at_city
from tui.screens.application import page_of
from tui.screens.applications import row_of
from tui.wording import t
from wire.counter import ApplicationDetail

pytestmark = pytest.mark.screen


async def at_the_materials(agent):
    agent.screen.action_step(len(agent.screen.steps) - 2 - agent.screen.at)
    await agent.until(lambda: bool(agent.screen.query("MaterialsStep")))
    await agent.at("wizard")


async def at_the_regions(agent):
    await agent.begin("新农合")
    await agent.focus_on("applicant_region")


@ON_THE_FAKE
@pytest.mark.parametrize("opened", [True, False])
async def test_a_code_of_twelve_digits_is_that_code_and_nothing_spills_over(at_the_screen, node, opened):
    async with at_the_screen() as agent:
        await at_the_regions(agent)
        if opened:
            await agent.press("enter")
            await agent.at("region_picker")
        await agent.press("5")
        await agent.at("region_picker")
        await agent.type("11603106216")
        await agent.sees("前锋区护安镇老坡村")
        await agent.press("enter")
        await agent.at("wizard")
        await agent.until(lambda: "511603106216" in str(node.drafts))
        values = next(iter(node.drafts.values()))["values"]
        assert values == {"applicant_region": "511603106216"}, "the next field got none of the digits"


@ON_THE_FAKE
@pytest.mark.parametrize("entered", [True, False])
async def test_a_code_that_a_reader_types_at_once_loses_no_digit(at_the_screen, node, entered):
    async with at_the_screen() as agent:
        await at_the_regions(agent)
        for key in (*"511603106216", *(["enter"] * entered)):
            agent.app.post_message(Key(key, key if len(key) == 1 else None))
        if not entered:
            await agent.at("region_picker")
            await agent.sees("511603106216", "前锋区护安镇老坡村")
            await agent.press("enter")
        await agent.until(lambda: "511603106216" in str(node.drafts))
        await agent.at("wizard")
        assert next(iter(node.drafts.values()))["values"] == {"applicant_region": "511603106216"}


@ON_THE_FAKE
async def test_what_is_not_there_is_said_and_chooses_nothing(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_regions(agent)
        await agent.press("enter")
        await agent.at("region_picker")
        await agent.press("0", "enter")
        await agent.sees("没有第 0 项")
        await agent.press("backspace")
        await agent.type("没有这个村")
        await agent.sees("没有找到")
        assert agent.screen.place == "region_picker"
        assert "applicant_region" not in str(node.drafts)


@ON_THE_FAKE
async def test_that_a_material_applies_is_kept_and_asks_how_it_was_seen(at_the_screen, node):
    item = next(
        one for one in node.items.values()
        if one["service_mode"] != "guide" and one["agent_policy"]["mode"] == "full"
        and any(material["necessity"] == "conditional" for material in one["materials"])
    )  # fmt: skip
    async with at_the_screen() as agent:
        await agent.begin(item["name"])
        await at_the_materials(agent)
        rows = agent.screen.query_one("NumberedList").rows
        at = next(number for number, row in enumerate(rows, 1) if row.mark == "待定是否适用")
        await agent.press(str(at))
        await agent.at("material")
        await agent.press("1", "escape")
        await agent.sees("请先选“怎样核验”")
        assert agent.screen.focused.field_id == "seen"
        await agent.press("escape")
        await agent.at("wizard")
        row = agent.screen.query_one("NumberedList").rows[at - 1]
        assert "适用 · 未说明核验方式" in row.detail
        assert row.mark == "未说明"
        await agent.press(str(at))
        await agent.at("material")
        assert agent.screen.query_one("#field-applies").editor.value is True
        await agent.focus_on("seen")
        await agent.press("1", "escape")
        await agent.at("wizard")
        kept = agent.screen.desk.handed_in[rows[at - 1].key]
        assert (kept.applies, kept.seen) == (True, "original_seen")


@ON_THE_FAKE
async def test_copies_left_blank_stay_blank_and_too_many_are_said(at_the_screen):
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await at_the_materials(agent)
        await agent.press("1")
        await agent.at("material")
        await agent.press("1", "escape")
        await agent.at("wizard")
        await agent.press("1")
        await agent.at("material")
        assert agent.screen.query_one("#field-copies").editor.value == ""
        await agent.focus_on("copies")
        await agent.type("100")
        await agent.press("tab")
        await agent.sees("不能大于 99")


@ON_THE_FAKE
async def test_f4_attaches_to_the_material_under_the_cursor_and_elsewhere_says_where(at_the_screen):
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await agent.press("f4")
        await agent.sees("扫描件附在材料上")
        assert "F4" not in agent.text().splitlines()[-1]
        await at_the_materials(agent)
        await agent.sees("F4 附扫描件")
        await agent.press("f4")
        await agent.at("scan_picker")
        await agent.press("1", "f9")
        await agent.at("material")
        await agent.sees("已附上 1 个文件")


@ON_THE_FAKE
async def test_a_page_taken_away_is_the_next_one_given(at_the_screen):
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await at_the_materials(agent)
        await agent.press("f4")
        await agent.at("scan_picker")
        await agent.press("1", "2", "f9")
        await agent.at("material")
        await agent.sees("已附上 2 个文件")
        agent.screen.query_one("NumberedList").focus()
        await agent.press("f6")
        await agent.at("choose")
        await agent.sees("第 1 页", "不能恢复")
        await agent.press("escape")
        await agent.at("material")
        assert [scan.page for scan in agent.screen.desk.scans_of("GA-YB-001-M01")] == [1, 2]
        await agent.press("f6")
        await agent.at("choose")
        await agent.press("1")
        await agent.at("material")
        await agent.sees("已去掉第 1 页")
        await agent.press("f4")
        await agent.at("scan_picker")
        await agent.press("3", "f9")
        await agent.sees("已附上 1 个文件")
        assert [scan.page for scan in agent.screen.desk.scans_of("GA-YB-001-M01")] == [1, 2]


@ON_THE_FAKE
async def test_the_list_of_an_answer_says_which_material_is_to_be_mended(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        node.give_back(held.application_id, ("material", "GA-YB-001-M01", "反面看不清", "重新扫描反面"))
        await agent.press("escape")
        await agent.at("home")
        await agent.press("3")
        await agent.at("applications")
        await agent.sees("状态：待补正", "共 1 件")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("答复补正")
        await agent.press("1")
        await agent.sees("1 条补正要求", "答复补正 · 城乡居民")
        await at_the_materials(agent)
        row = agent.screen.query_one("NumberedList").rows[0]
        assert row.mark == "待补正"
        agent.screen.desk.answer("GA-YB-001-M01", "已重扫")
        agent.screen.query_one("MaterialsStep").show()
        assert agent.screen.query_one("NumberedList").rows[0].mark == "✓"


@ON_THE_FAKE
async def test_the_complaint_is_gone_when_everything_is_there(at_the_screen):
    async with at_the_screen() as agent:
        await begun(agent, agent_mode="self")
        await agent.press("f9")
        await agent.sees("还没有核对。按 F5")
        await agent.press("f5")
        await agent.sees("还差 1 处")
        assert "还没有核对" not in agent.text()
        await agent.press("f9")
        await agent.sees("还没有齐，不能提交")
        assert "按 F5" not in agent.text()


@ON_THE_FAKE
async def test_a_row_is_named_before_it_is_removed_and_the_cursor_stays_on_it(at_the_screen):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("pagedown")
        await agent.focus_on("household_members")
        for name in ("李样例", "王测试"):
            await agent.press("0")
            await agent.at("table_row")
            await agent.type(name)
            await agent.press("escape")
            await agent.at("wizard")
        await agent.press("2")
        await agent.at("table_row")
        await agent.press("escape")
        await agent.at("wizard")
        await agent.press("delete")
        await agent.at("choose")
        await agent.sees("第 2 行（王测试")


@pytest.fixture
def far_away(monkeypatch):
    """A machine whose zone is not the city's."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@ON_THE_FAKE
async def test_the_screen_shows_the_city_s_clock_wherever_the_machine_thinks_it_is(at_the_screen, node, far_away):
    node.status = node.status.model_copy(update={"last_receipt_at": node.status.now - timedelta(minutes=5)})
    async with at_the_screen() as agent:
        await agent.sees("线路断 17:30", "回执17:25")
        await collected(agent)
        await agent.sees("收件时间：2026-11-23 17:30")


def test_the_city_s_day_has_begun_when_the_machine_s_has_not():
    assert f"{at_city(datetime(2026, 11, 23, 20, 33, tzinfo=UTC)):%m-%d %H:%M}" == "11-24 04:33"


def test_no_moment_is_shown_in_the_zone_of_the_machine():
    for path in sorted(Path(tui.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "astimezone":
                assert node.args, f"{path.name}:{node.lineno}"


def test_waiting_to_be_sent_and_waiting_to_be_handed_over_are_two_words():
    assert "待送" not in t("status.waiting", ops=1, scans=1, size="1K") + t("status.nothing_waiting")
    assert t("home.results") == "待送达"
    assert t("state.returned") == t("home.returned") == "待补正"
    assert "打" not in t("home.applications_detail"), "this screen prints nothing"


def test_the_limit_of_a_scan_is_the_node_s():
    from edge_node.counter.picture import IMAGE_MAX_BYTES, MIB, PDF_MAX_BYTES

    manual = (Path(__file__).parents[2] / "docs" / "manual" / "agent.md").read_text("utf-8")
    for words in (t("help.scan_picker"), manual):
        assert f"最大 {IMAGE_MAX_BYTES // MIB} MB" in words
        assert f"最大 {PDF_MAX_BYTES // MIB} MB" in words


def declined(**said):
    """An application that was declined; nobody has to act any more."""
    at = datetime(2026, 11, 23, 4, tzinfo=UTC)
    return ApplicationDetail(
        application_id="0" * 32,
        receipt_no="511603106205-20261123-0001-X",
        item_id="GA-LY-001",
        item_name="林木采伐许可",
        applicant_masked="孙**",
        state="declined",
        standing="confirmed",
        light="grey",
        updated_at=at,
        form_id="F",
        catalog_version=1,
        site="511603106205",
        township="511603106000",
        form={},
        outcome_reason="位于保护区",
        outcome_basis="某法第五条",
        outcome_remedy="六十日内可以申请复议",
        **said,
    )


@pytest.mark.parametrize("elsewhere", ["", "市林业局"])
def test_a_decline_tells_the_agent_everything_that_the_villager_has_to_hear(elsewhere):
    told = page_of(declined(outcome_elsewhere=elsewhere), datetime(2026, 11, 24, tzinfo=UTC)).plain
    for words in ("理由：位于保护区", "依据：某法第五条", "救济途径：六十日内可以申请复议"):
        assert words in told
    assert ("应向何机关申请：市林业局" in told) == bool(elsewhere)


def test_where_nobody_has_to_act_no_day_is_called_unknown():
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for told in (page_of(declined(), now).plain, row_of(declined(), now).detail):
        assert "无人待办" in told
        assert "期限未知" not in told


@pytest.mark.parametrize("node", ["real"], indirect=True)
async def test_a_long_material_begins_on_the_line_of_its_number(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.press("1")
        await agent.at("search")
        await agent.type("低保")
        await agent.until(lambda: len(agent.screen.query_one("NumberedList").rows) == 1)
        await agent.press("1")
        await agent.at("guide")
        await agent.sees("5．残疾")
