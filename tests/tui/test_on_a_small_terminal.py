"""At 80 x 24 nothing is cut, whatever the state; columns of wide characters stay aligned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from tests.simulators.agents_work import ON_THE_FAKE, collected
from tests.simulators.words import words_of
from tui import wording
from tui.columns import fit, shorten, sides
from tui.qr import half_blocks
from tui.widgets.editing import value_of

pytestmark = pytest.mark.screen


def frame_of(agent):
    lines = agent.text().splitlines()
    assert all(cell_len(line) <= agent.app.size.width for line in lines)
    return lines


@ON_THE_FAKE
async def test_title_standing_and_keys_are_on_every_screen(at_the_screen):
    async with at_the_screen() as agent:
        for keys, place in (((), "home"), (("1",), "search"), (("1",), "guide"), (("enter",), "wizard")):
            await agent.press(*keys)
            await agent.at(place)
            lines = frame_of(agent)
            assert "张测试" in lines[0]
            assert "线路断" in lines[-2]
            assert "待发3条6图1.2M" in lines[-2]
            assert lines[-2].rstrip().endswith("目录12版 3天")
            assert "F1 帮助" in lines[-1]


@ON_THE_FAKE
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_nine_results_and_their_place_fit(at_the_screen, size):
    async with at_the_screen(size) as agent:
        await agent.press("1")
        await agent.at("search")
        await agent.sees("共 58 条")
        rows = agent.screen.query_one("NumberedList")
        assert rows.page_rows == (8 if size[1] == 24 else 9)
        shown = rows.rows[: rows.page_rows]
        for number, row in enumerate(shown, 1):
            assert f" {number}  {row.title}" in agent.text()
        await agent.press("pagedown")
        await agent.sees(f"第 {rows.page_rows + 1}–")


@ON_THE_FAKE
async def test_the_list_goes_on_beyond_what_was_loaded(at_the_screen):
    async with at_the_screen() as agent:
        await agent.press("1")
        await agent.at("search")
        for _ in range(7):
            await agent.press("pagedown")
        await agent.sees("共 58 条")
        await agent.until(lambda: len(agent.screen.query_one("NumberedList").rows) == 58)


@ON_THE_FAKE
async def test_the_status_bar_shows_nothing_stale_when_the_node_is_away(at_the_screen, road):
    async with at_the_screen() as agent:
        await agent.sees("线路断", "目录12版")
        road.cut = True
        await agent.sees("本机服务没有应答")
        assert "目录12版" not in agent.text()
        assert "待发3件" not in agent.text()
        road.cut = False
        await agent.sees("线路断", "目录12版")


@ON_THE_FAKE
async def test_unknown_standing_is_shown_as_unknown(at_the_screen, node):
    node.status = node.status.model_copy(
        update={"line": "unknown", "last_receipt_at": None, "catalog_age_days": None, "clock_confidence": "doubtful"}
    )
    async with at_the_screen() as agent:
        await agent.sees("线路未知", "尚无回执", "时钟存疑", "目录12版 日期未知")


@ON_THE_FAKE
async def test_an_application_in_the_list_says_where_it_is_saved_and_who_must_act(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        await agent.press("escape")
        await agent.at("home")
        await agent.press("5")
        await agent.at("applications")
        await agent.sees("李** · ", "已收件·已存本机", held.receipt_no, "线路不通，自动再试（17:50）", "影像 0/3")
        frame_of(agent)
        await agent.press("slash")
        await agent.type("没有这个人")
        await agent.sees("没有符合条件的办件", "共 0 件")
        await agent.press("escape")
        await agent.sees("共 1 件")
        await agent.press("f")
        await agent.at("choose")
        await agent.sees("只看哪一种")
        await agent.press("3")
        await agent.at("applications")
        await agent.sees("状态：待补正", "共 0 件")
        await agent.press("f")
        await agent.at("choose")
        await agent.press("1")
        await agent.sees("共 1 件")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("代办收件、影像 3 张：线路不通", "代办收件（代办员） · 市平台未确认", "经过")
        frame_of(agent)


@pytest.mark.parametrize("width", range(1, 12))
def test_a_column_is_exactly_as_wide_as_asked(width):
    for text in ("", "医", "城乡居民医保", "a医b保c", "abc", "一二三四五六七八"):
        assert cell_len(fit(text, width)) == width
        assert cell_len(shorten(text, width)) <= width
        assert cell_len(sides(text, "ok", width)) == width


def test_the_code_of_a_receipt_is_small_enough_for_a_column_beside_the_text():
    lines = half_blocks("511603106205-20261123-0007-K")
    assert len(lines) <= 18
    assert {len(line) for line in lines} == {31}


def test_what_was_typed_keeps_its_digits():
    assert value_of("number", "12.50") == "12.50"
    assert value_of("date", datetime(2026, 2, 3, tzinfo=UTC).strftime("%Y%m%d")) == "2026-02-03"


@ON_THE_FAKE
async def test_the_english_bar_is_not_cut_either(at_the_screen, monkeypatch):
    monkeypatch.setattr(wording, "_spoken", words_of("en"))
    async with at_the_screen() as agent:
        await agent.sees("Line down 17:30", "Unsent 3+6 1.2M", "Cat. 12, 3 d")
        assert "…" not in agent.text()
