"""Whatever was said in the wizard is the node's once the autosave has sent it; the screen may die at any moment."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.simulators.agents_work import ON_THE_FAKE, given_back
from tests.simulators.counter_simulator import CounterSimulator, seed
from tests.simulators.real_node import picture, real_node
from tui.autosave import Kept
from tui.counter_client import CounterClient
from tui.draft_desk import DraftDesk
from tui.scan_folder import ScanFile
from wire.counter import HandedInView

pytestmark = pytest.mark.screen
ITEM = "GA-RS-007"  # has conditional materials, a table and regions

SAID = {"values", "handed_in", "scans", "answers"}
"""What a person can change; it must come back from the node."""
PINNED = {"view", "raw_form", "form", "item", "service_item", "filed_scans", "fields", "labels", "notices"}
"""What the draft was opened with."""
MEANS = {"_client", "_ask", "autosave"}
HINTS = {"attached"}
"""Which files of the folder this screen gave to the node; the pages themselves are on the node."""


async def begun_with_a_condition(agent, node):
    item = next(one for one in seed("items")["items"] if one["item_id"] == ITEM)
    await agent.begin(item["name"])
    agent.screen.action_step(len(agent.screen.steps) - 2 - agent.screen.at)
    await agent.until(lambda: bool(agent.screen.query("MaterialsStep")))
    await agent.at("wizard")
    rows = agent.screen.query_one("NumberedList").rows
    return next(number for number, row in enumerate(rows, 1) if row.mark == "待定是否适用")


async def the_draft_again(agent):
    await agent.press("2")
    await agent.at("drafts")
    await agent.press("1")
    await agent.at("wizard")
    await agent.until(lambda: agent.screen.desk is not None)


async def test_that_a_material_applies_outlives_the_screen_and_the_node(at_the_screen, node, road):
    async with at_the_screen() as agent:
        at = await begun_with_a_condition(agent, node)
        await agent.press(str(at))
        await agent.at("material")
        await agent.press("1")
        await agent.until(lambda: "'applies': True" in str(node.drafts))
        road.cut = True
    node.kill()
    road.cut = False
    async with at_the_screen() as agent:
        await the_draft_again(agent)
        agent.screen.action_step(len(agent.screen.steps) - 2 - agent.screen.at)
        await agent.until(lambda: bool(agent.screen.query("MaterialsStep NumberedList")))
        await agent.sees("适用 · 未说明核验方式")
        row = agent.screen.query_one("NumberedList").rows[at - 1]
        assert row.mark == "未说明"
        missing = {one.material_id: one.why for one in (await agent.screen.desk.summary()).missing}
        assert missing[row.key] == "material.not_handed_in"


@ON_THE_FAKE
async def test_a_material_that_was_not_needed_and_then_is_asks_how_it_was_seen(at_the_screen, node):
    async with at_the_screen() as agent:
        at = await begun_with_a_condition(agent, node)
        for answer in ("2", "1"):
            await agent.press(str(at))
            await agent.at("material")
            await agent.press(answer, "escape")
            if answer == "1":
                await agent.sees("请先选“怎样核验”")
                await agent.press("escape")
            await agent.at("wizard")
        held = list(agent.screen.desk.handed_in.values())
        assert [(one.applies, one.seen) for one in held] == [(True, None)], "nobody said how it was seen"


@ON_THE_FAKE
async def test_half_an_answer_to_a_return_outlives_the_screen(at_the_screen, node, road):
    async with at_the_screen() as agent:
        await given_back(agent, node, ("condition", "GA-YB-001-C01", "未说明参保", "说明参保情况"))
        desk = agent.screen.desk
        await agent.press("1")
        await agent.at("act_form")
        await agent.type("未参加")
        await agent.until(lambda: desk.autosave.kept is Kept.SAVED and "未参加" in str(node.drafts))
        road.cut = True
    node.kill()
    assert next(iter(node.drafts.values()))["answers"] == {"GA-YB-001-C01": "未参加"}


# --- nothing lives only in the screen -------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
VALUES = st.one_of(st.none(), WORDS, st.booleans(), st.lists(WORDS, min_size=1, max_size=3))


@st.composite
def _said(draw, desk: DraftDesk):
    """One thing a person does in the wizard."""
    match draw(st.sampled_from(["put", "hand_in", "answer", "attach", "detach"])):
        case "put":
            return ("put", draw(st.sampled_from(sorted(desk.fields))), draw(VALUES))
        case "hand_in":
            seen = st.sampled_from(["original_seen", "copy", "electronic_licence", "to_be_verified", "deferred"])
            held = HandedInView(
                material_id=draw(st.sampled_from([need.material_id for need in desk.needs()])),
                seen=draw(st.none() | seen),
                applies=draw(st.none() | st.booleans()),
                copies=draw(st.integers(0, 99)),
                note=draw(st.just("") | WORDS),
            )
            return ("hand_in", held)
        case "answer":
            return ("answer", draw(st.sampled_from(["GA-RS-007-C01", "applicant_phone"])), draw(st.just("") | WORDS))
        case "attach":
            return ("attach", draw(st.sampled_from([need.material_id for need in desk.needs()])))
        case _:
            return ("detach", draw(st.integers(0, 5)))


async def _do(desk: DraftDesk, act: tuple[Any, ...], file: ScanFile) -> None:
    match act:
        case ("put", field_id, value):
            desk.put(field_id, value)
        case ("hand_in", held):
            desk.hand_in(held)
        case ("answer", ref, words):
            desk.answer(ref, words)
        case ("attach", material_id):
            await desk.attach(file, material_id)
        case ("detach", at) if at < len(desk.scans):
            await desk.detach(desk.scans[at])


def _kept(desk: DraftDesk) -> dict[str, Any]:
    """Everything a person can change; an attribute that nobody has placed fails here."""
    assert set(vars(desk)) == SAID | PINNED | MEANS | HINTS
    return {
        "values": dict(desk.values),
        "handed_in": dict(desk.handed_in),
        "scans": {one.scan_hash: one for one in desk.scans},
        "answers": dict(desk.answers),
    }


async def _walk(node: Any, data: st.DataObject, file: ScanFile) -> None:
    async def ask(call):
        return await call()

    async def signed_in() -> CounterClient:
        client = CounterClient(httpx.ASGITransport(app=node.app))
        await client.sign_in(node.clerk, node.passphrase)
        return client

    async with await signed_in() as client:
        desk = await DraftDesk.open(client, ask, await client.begin_draft(ITEM))
        for act in data.draw(st.lists(_said(desk), min_size=1, max_size=8)):
            await _do(desk, act, file)
        assert await desk.autosave.flush()
        desk.autosave.close()
        before, pinned = _kept(desk), desk.view
    node.kill()
    async with await signed_in() as client:
        again = await DraftDesk.open(client, ask, await client.draft(pinned.draft_id))
        assert _kept(again) == before
        again.autosave.close()


def scan_file(folder: Path) -> ScanFile:
    path = folder / "page.jpg"
    path.write_bytes(picture(1))
    return ScanFile(path, path.stat().st_size, datetime(2026, 11, 23, tzinfo=UTC))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_that_was_said_lives_only_in_the_screen(tmp_path, data):
    asyncio.run(_walk(CounterSimulator(), data, scan_file(tmp_path)))


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.generate],
)
@given(data=st.data())
def test_nothing_that_was_said_lives_only_in_the_screen_of_the_real_node(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("typed")
    with real_node(folder / "node") as node:
        asyncio.run(_walk(node, data, scan_file(folder)))


class _WaitingDesk(DraftDesk):
    """Keeps to itself what is not whole yet, as the wizard did once."""

    def hand_in(self, held: HandedInView) -> None:
        if held.seen is None:
            self.handed_in[held.material_id] = held
        else:
            super().hand_in(held)


def test_a_desk_that_keeps_half_an_answer_to_itself_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "DraftDesk", _WaitingDesk)

    @settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
    @given(data=st.data())
    def walk(data):
        asyncio.run(_walk(CounterSimulator(), data, scan_file(tmp_path)))

    with pytest.raises(AssertionError):
        walk()
