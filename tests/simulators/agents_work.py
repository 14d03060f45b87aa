"""Stretches of an agent's work that several tests walk through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.agent_at_the_screen import Agent
from tests.simulators.filled_forms import filled

ON_THE_FAKE = pytest.mark.parametrize("node", ["simulated"], indirect=True)
"""For tests that ask the node for something it does not do on demand, or that only look at the screen."""


async def begun(agent: Agent, **given: Any) -> Any:
    """A draft in which every field is filled, by proxy."""
    await agent.begin("新农合")
    desk = agent.screen.desk
    for field_id, value in filled(desk.form, **given).items():
        desk.put(field_id, value)
    assert await desk.autosave.flush()
    return desk


async def hand_in(agent: Agent, *, scans: str = "1") -> None:
    """On a material: seen as an original, with scans."""
    await agent.at("material")
    await agent.press("1")
    await agent.press("f4")
    await agent.at("scan_picker")
    await agent.press(*scans)
    await agent.press("f9")
    await agent.at("material")
    await agent.sees("已附上")
    await agent.press("escape")
    await agent.at("wizard")


async def collected(agent: Agent) -> Any:
    """From a filled draft to the receipt."""
    desk = await begun(agent, agent_mode="village_agent")
    await agent.press("f5")
    await agent.sees("还差 2 处")
    await agent.press("1")
    await hand_in(agent, scans="12")
    await agent.sees("还差 1 处")
    await agent.press("1")
    await agent.sees("委托书上要写明")
    await agent.press("1")
    await hand_in(agent)
    await agent.press("f5")
    await agent.sees("全部齐了")
    await agent.press("f9")
    await agent.at("choose")
    await agent.press("1")
    await agent.at("slip")
    return desk


async def given_back(agent: Agent, node: Any, *points: tuple[str, str, str, str]) -> Any:
    """From a filled draft to the answer to a return of these points, open at the first step."""
    await collected(agent)
    held = next(iter(node.applications.values()))
    node.give_back(held.application_id, *points)
    await agent.press("escape")
    await agent.at("home")
    await agent.press("3")
    await agent.at("applications")
    await agent.sees("待补正", "该代办员补正")
    await agent.press("1")
    await agent.at("application")
    await agent.sees("答复补正", *(problem for _, _, problem, _ in points))
    await agent.press("1")
    await agent.at("wizard")
    await agent.sees(f"{len(points)} 条补正要求")
    return held
