"""An agent whose machine was cloned or set back reads what happened, that nothing is lost, and whom to telephone."""

from __future__ import annotations

import pytest

from edge_node.acts import forking
from tests.simulators.agents_work import ON_THE_FAKE
from tui.screens.stopped import told
from wire.counter import StoppedView

pytestmark = pytest.mark.screen

STOPPED = StoppedView(why="city", node_id="ab12cd34" + "0" * 24, waiting_ops=3)


@ON_THE_FAKE
async def test_home_leads_to_the_explanation_and_the_everyday_numbers_stay(at_the_screen, node):
    node.status = node.status.model_copy(update={"alarms": ["forked"], "stopped": STOPPED})
    async with at_the_screen() as agent:
        await agent.sees("身份已停用")
        await agent.press("7")
        await agent.at("stopped")
        await agent.sees("不会丢")
        await agent.sees("出了什么事")
        await agent.press("escape")
        await agent.at("home")
        await agent.press("1")
        await agent.at("search")


@ON_THE_FAKE
async def test_without_a_stop_there_is_no_such_line(at_the_screen, node):
    async with at_the_screen() as agent:
        assert "身份已停用" not in agent.text()


@pytest.mark.parametrize(
    "why",
    [
        forking.BY_CITY,
        forking.BY_MARK,
        forking.BY_MAIL,
        forking.BY_ANSWER,
        forking.BY_GENERATION,
        "of a newer program",
    ],
)
@ON_THE_FAKE
def test_every_reason_has_words_and_the_phone_sentence_names_the_node(node, why):
    standing = node.status.model_copy(update={"stopped": STOPPED.model_copy(update={"why": why})})
    words = told(standing)
    for part in ("出了什么事", "会不会丢", "现在能做什么", "该谁来办", "电话里这样说", "ab12cd34", "3 条"):
        assert part in words
    assert "stopped" not in words
    assert (why in words) == (why == "of a newer program")
