"""A draft of a colleague who works here no longer: listed, taken over when that is wanted, and gone on with."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from casework.application import Role
from offline_store.desk import clerks
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from tests.edge_node.village import PASSPHRASE, signed_in

pytestmark = [pytest.mark.screen, pytest.mark.parametrize("node", ["real"], indirect=True)]

LEFT = clerks.Clerk("ag99", "赵样例", Role.AGENT, "", active=True)


@pytest.fixture
def left(node) -> str:
    """The draft of a colleague who was closed afterwards."""
    village, desk = node.village, node.village.counter.desk
    with desk.transaction() as tx:
        clerks.save(tx, LEFT, PASSPHRASE, randomness=os.urandom, cost=ONLY_FOR_TESTS)
    draft_id = replace(village, who=signed_in(village.counter, LEFT.clerk_id)).filled("GA-YB-001")
    with desk.transaction() as tx:
        clerks.set_active(tx, LEFT.clerk_id, active=False)
    return draft_id


async def test_a_draft_of_a_closed_colleague_is_taken_over_and_gone_on_with(at_the_screen, node, left):
    async with at_the_screen() as agent:
        await agent.press("2")
        await agent.at("drafts")
        await agent.sees("赵样例（已停用）留下")
        await agent.press("1")
        await agent.at("choose")
        await agent.sees("接着办就归您名下")
        await agent.press("1")
        await agent.at("wizard")
        assert list(node.drafts) == [left]
        assert "draft_taken_over" in node.village.noted()


async def test_who_does_not_take_it_over_changes_nothing_and_cannot_delete_it(at_the_screen, node, left):
    async with at_the_screen() as agent:
        await agent.press("2")
        await agent.at("drafts")
        await agent.sees("赵样例（已停用）留下")
        await agent.press("delete")
        await agent.sees("先选它、由您接手，再删除")
        await agent.press("1")
        await agent.at("choose")
        await agent.press("2")
        await agent.at("drafts")
        assert "draft_taken_over" not in node.village.noted()
