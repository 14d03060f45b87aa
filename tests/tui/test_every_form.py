"""All 58 forms of the catalog open in the wizard and can be filled to the end."""

from __future__ import annotations

import pytest

from casework.application import Seen
from tests.simulators.agents_work import ON_THE_FAKE
from tests.simulators.counter_simulator import CLERK, PASSPHRASE, CounterSimulator, seed
from tests.simulators.filled_forms import filled
from tui.counter_client import CounterClient
from tui.draft_desk import AUTHORIZATION, DraftDesk
from tui.screens.wizard import WizardScreen
from tui.widgets.field_frame import FieldFrame
from tui.wizard_model import Mark, StepKind, mark_of, problems_in, steps_of
from wire.counter import DraftView, HandedInView, ScanView

pytestmark = pytest.mark.screen
ITEMS = [item["item_id"] for item in seed("items")["items"]]


def view_of(node: CounterSimulator, item_id: str) -> DraftView:
    """A draft of any item, also of those that are guidance only."""
    item = node.items[item_id]
    draft_id = node._new_id()
    node.drafts[draft_id] = {
        "draft_id": draft_id,
        "kind": "collect",
        "item_id": item_id,
        "form_id": item["form_id"],
        "catalog_version": 12,
        "values": {},
        "handed_in": {},
        "scans": [],
        "return_points": [],
        "answers": {},
        "application_id": None,
    }
    return node._view(draft_id)


@ON_THE_FAKE
@pytest.mark.parametrize("item_id", ITEMS)
async def test_a_form_can_be_filled_until_every_step_is_done(item_id, node, road):
    async with CounterClient(road) as client:
        await client.sign_in(CLERK, PASSPHRASE)
        view = view_of(node, item_id)

        async def ask(call):
            return await call()

        desk = await DraftDesk.open(client, ask, view)
        sections = [step for step in steps_of(desk) if step.kind is StepKind.SECTION]
        assert any(problems_in(desk, step.ref) for step in sections), "an empty form has problems"
        for field_id, value in filled(desk.form, agent_mode="village_agent").items():
            desk.put(field_id, value)
        for need in desk.needs():
            applies = True if need.kind == "conditional" else None
            desk.hand_in(HandedInView(material_id=need.material_id, seen=Seen.ORIGINAL_SEEN.value, applies=applies))
            scan = ScanView(
                scan_hash=f"{len(desk.scans):064x}",
                material_id=need.material_id,
                page=1,
                length=9,
                media_type="image/jpeg",
            )
            desk.scans.append(scan)
        steps = steps_of(desk)
        assert StepKind.AUTHORIZATION in {step.kind for step in steps}
        assert AUTHORIZATION in desk.handed_in
        assert {mark_of(desk, step, seen=True) for step in steps[:-1]} == {Mark.DONE}
        assert await desk.autosave.flush()
        assert node.drafts[view.draft_id]["values"] == desk.values
        desk.autosave.close()


@ON_THE_FAKE
@pytest.mark.timeout(400)  # all 58 forms on one screen
async def test_every_form_opens_on_a_small_terminal_with_all_its_fields(node, at_the_screen):
    async with at_the_screen() as agent:
        for item_id in ITEMS:
            view = view_of(node, item_id)
            agent.app.push_screen(WizardScreen(view))
            await agent.until(lambda: bool(agent.screen.query(FieldFrame)))
            await agent.press("pagedown")
            own = next(one for one in node.forms[view.form_id]["sections"] if one["id"] == "business")
            fields = [field["id"] for field in own["fields"]]
            await agent.until(lambda: [frame.field.id for frame in agent.screen.query(FieldFrame)] == fields)  # noqa: B023
            for frame in agent.screen.query(FieldFrame):
                assert not frame.display or 0 < frame.editor.region.width <= agent.app.size.width
            agent.screen.dismiss(None)
            await agent.at("home")
