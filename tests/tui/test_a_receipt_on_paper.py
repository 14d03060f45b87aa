"""F6 on a receipt: the same words and code on paper, by the command that the installer named."""

from __future__ import annotations

import pytest

from tests.simulators.agents_work import ON_THE_FAKE, collected
from tui import printer
from tui.printer import PrinterRefused, print_text

pytestmark = pytest.mark.screen


@ON_THE_FAKE
async def test_the_receipt_is_handed_over_whole_and_nothing_of_it_stands_in_an_argument(at_the_screen, node, tmp_path):
    paper = tmp_path / "paper"
    async with at_the_screen() as agent:
        agent.app.counter.print_command = f"tee '{paper}'"
        await collected(agent)
        held = next(iter(node.applications.values()))
        await agent.press("f6")
        await agent.sees("已交给打印机")
        text = paper.read_text("utf-8")
        assert text.startswith("代办收件单\n")
        assert all(words in text for words in (held.receipt_no, "申请人：李**", "本单证明材料已收下", "█"))
        await agent.press("escape")
        await agent.at("home")


@ON_THE_FAKE
@pytest.mark.parametrize("command", ["false", "/no/such/printer", "'"])
async def test_a_printer_that_does_not_take_it_is_told_with_what_to_do(at_the_screen, command):
    async with at_the_screen() as agent:
        agent.app.counter.print_command = command
        await collected(agent)
        await agent.press("f6")
        await agent.sees("没有打印出来", "随时可以补打")


@ON_THE_FAKE
async def test_without_a_printer_it_is_said_who_can_help(at_the_screen):
    async with at_the_screen() as agent:
        await collected(agent)
        await agent.press("f6")
        await agent.sees("没有设置打印机", "--print-command")


async def test_a_printer_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(printer, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(PrinterRefused):
        await print_text("sleep 60", "")
