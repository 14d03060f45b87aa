"""The screen of bags and sticks: what waits, which sticks, what was written, what to do with it next."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.simulators.agents_work import ON_THE_FAKE
from tests.simulators.words import words_of
from tui import wording

pytestmark = pytest.mark.screen

WRITTEN = {"number": 7, "ops": 3, "pieces": 6, "bytes": 1_258_291, "damaged": 0}
LEFT = {"left_ops": 0, "left_scans": 2, "left_bytes": 900_000}


async def at_the_bags(agent):
    await agent.press("6")
    await agent.at("courier")
    await agent.sees("还没送到市里：办件记录 3 条，附件 6 份", "写到U盘“KINGSTON”")
    await agent.sees("从U盘“KINGSTON”读回信", "3.0 GB")


@ON_THE_FAKE
async def test_writing_shows_how_far_it_is_and_what_to_do_next(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("1")
        await agent.sees("正在准备", "不要拔")
        assert (node.job.way, node.job.medium) == ("out", "KINGSTON")
        node.courier_does(phase="working", files=2, files_all=7, bytes=500_000, bytes_all=1_258_291)
        await agent.sees("2/7 个文件", "（39%）")
        node.courier_does(phase="done", code="courier.written", params=WRITTEN)
        await agent.sees("第 7 号邮包写好了", "办件记录 3 条，附件 6 份", "全部装下", "下一步：拔下U盘", "带到市里")
        lines = agent.text().splitlines()
        assert all(cell_len(line) <= 80 for line in lines)
        assert "F1 帮助" in lines[-1]


@ON_THE_FAKE
async def test_what_did_not_fit_is_said_with_what_to_do(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("1")
        node.courier_does(phase="done", code="courier.written_left", params=WRITTEN | LEFT | {"damaged": 1})
        await agent.sees("还没装下：记录 0 条，附件 2 份", "换一个U盘再写一次", "先后不限", "1 份附件在本机已损坏")


@ON_THE_FAKE
async def test_reading_says_what_came(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("2")
        assert node.job.way == "in"
        brought = {"received": 12, "feed": 5, "scans": 0, "catalog": "ok", "more": True}
        node.courier_does(phase="done", code="courier.brought", params=brought)
        await agent.sees("市里已收到第 12 条", "带来进展 5 条", "回首页看", "再送一次邮包")
        assert "邮包损坏" not in agent.text()


@ON_THE_FAKE
async def test_a_damaged_bundle_beside_the_one_that_was_read_is_told(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("2")
        brought = {"received": 12, "feed": 5, "scans": 0, "catalog": "", "more": False, "unreadable": 1}
        node.courier_does(phase="done", code="courier.brought", params=brought)
        await agent.sees("市里已收到第 12 条", "另有 1 个邮包损坏", "请市里重新写")


@ON_THE_FAKE
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("courier.stick_gone", "可能被拔出"),
        ("courier.not_for_this_node", "给别的站点"),
        ("wire.tampered", "被改动或损坏"),
        ("courier.agent_away", "同步程序没有应答"),
        ("wire.of_tomorrow", "没有做成（wire.of_tomorrow）"),
    ],
)
async def test_what_failed_is_explained_and_nothing_is_claimed(at_the_screen, node, code, words):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("2")
        node.courier_does(phase="failed", code=code)
        await agent.sees(words)
        assert "读好了" not in agent.text()


@ON_THE_FAKE
async def test_without_a_stick_it_says_what_to_do(at_the_screen, node):
    node.sticks.clear()
    async with at_the_screen() as agent:
        await agent.press("6")
        await agent.at("courier")
        await agent.sees("没有找到U盘。请插上U盘")
        node.sticks["KINGSTON"] = 1_000_000_000
        await agent.press("f5")
        await agent.sees("写到U盘“KINGSTON”")


@ON_THE_FAKE
async def test_a_lost_stick_is_asked_about_before_everything_is_written_anew(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.press("f6")
        await agent.at("choose")
        await agent.sees("以前写的U盘丢了")
        await agent.press("escape")
        await agent.at("courier")
        assert node.job is None
        await agent.press("f6")
        await agent.at("choose")
        await agent.press("1")
        await agent.at("courier")
        await agent.until(lambda: node.job is not None and node.job.params["again"])


@ON_THE_FAKE
async def test_without_a_stick_the_key_for_a_lost_one_says_what_to_do(at_the_screen, node):
    node.sticks.clear()
    async with at_the_screen() as agent:
        await agent.press("6")
        await agent.at("courier")
        await agent.sees("没有找到U盘")
        await agent.press("f6")
        await agent.sees("先插上要写的U盘", "再按 F6")
        assert (agent.screen.place, node.job) == ("courier", None)


@ON_THE_FAKE
async def test_a_stick_that_is_gone_and_a_courier_that_is_busy_are_said(at_the_screen, node):
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        node.sticks.clear()
        await agent.press("1")
        await agent.sees("没有找到这个U盘")
        node.sticks["KINGSTON"] = 1
        await agent.press("1")
        await agent.sees("正在准备")
        await agent.press("1")
        await agent.sees("请等它做完")


@ON_THE_FAKE
async def test_the_help_and_the_english_fit(at_the_screen, node, monkeypatch):
    monkeypatch.setattr(wording, "_spoken", words_of("en"))
    async with at_the_screen() as agent:
        await agent.press("6")
        await agent.at("courier")
        await agent.sees("Not at the city yet", "Write to stick")
        await agent.press("f1")
        await agent.sees("Everything on a stick is sealed")


@ON_THE_FAKE
async def test_what_the_township_took_is_said_and_not_called_sent(at_the_screen, node):
    node.status = node.status.model_copy(update={"relay_at": node.status.now})
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.sees("上次交给乡镇代转：11-23 17:30", "回执回来才算送到")


@ON_THE_FAKE
@pytest.mark.parametrize(
    ("code", "why"), [("relay.full", "乡镇代转的地方满了，会再交"), ("relay.http_502", "乡镇节点没有应答，或没有收下")]
)
async def test_why_the_township_took_nothing_is_said_with_its_code_while_the_line_is_down(
    at_the_screen, node, code, why
):
    down = {"line": "down", "relay_problem": code}
    node.status = node.status.model_copy(update=down)
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        await agent.sees(f"最近一次没有交给乡镇代转：{why}", f"{code}）", "件都还在本机")


@ON_THE_FAKE
async def test_a_line_that_is_up_needs_no_word_of_the_township(at_the_screen, node):
    node.status = node.status.model_copy(update={"line": "up", "relay_problem": "relay.full"})
    async with at_the_screen() as agent:
        await at_the_bags(agent)
        assert "乡镇代转" not in agent.text()
