"""What a clerk typed who works here no longer: seen and gone on with by the colleagues, by nobody else."""

from __future__ import annotations

import os

import pytest

from casework.application import Role
from edge_node.acts import collecting, drafting
from edge_node.counter.errors import UnknownDraft
from edge_node.counter.sessions import AtCounter
from offline_store.desk import clerks
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from tests.edge_node.village import AGENT, PASSPHRASE, Village, client_of, signed_in

pytestmark = pytest.mark.node

COLLEAGUE = "ag99"


@pytest.fixture
def village(tmp_path) -> Village:
    made = Village.at(tmp_path)
    clerk = clerks.Clerk(COLLEAGUE, "李样例", Role.AGENT, "", active=True)
    with made.counter.desk.transaction() as tx:
        clerks.save(tx, clerk, PASSPHRASE, randomness=os.urandom, cost=ONLY_FOR_TESTS)
    return made


def close(village: Village, clerk_id: str) -> None:
    with village.counter.desk.transaction() as tx:
        clerks.set_active(tx, clerk_id, active=False)


def listed(village: Village, who: AtCounter) -> list[tuple[str, str]]:
    return [(row.draft_id, row.left_by) for row in drafting.page(village.counter, who).rows]


def test_a_colleague_who_still_works_here_keeps_the_drafts(village: Village) -> None:
    draft_id, other = village.filled(), signed_in(village.counter, COLLEAGUE)
    assert listed(village, other) == []
    with pytest.raises(UnknownDraft):
        drafting.take_over(village.counter, other, draft_id)
    assert listed(village, village.who) == [(draft_id, "")]
    assert "draft_taken_over" not in village.noted()


def test_what_a_closed_clerk_left_is_taken_over_with_its_scans_and_collected(village: Village) -> None:
    draft_id, other = village.filled(), signed_in(village.counter, COLLEAGUE)
    before = drafting.show(village.counter, village.who, draft_id)
    close(village, AGENT)
    ((found, left_by),) = listed(village, other)
    assert (found, bool(left_by)) == (draft_id, True)
    with pytest.raises(UnknownDraft):
        drafting.show(village.counter, other, draft_id)
    taken = drafting.take_over(village.counter, other, draft_id)
    assert (taken.values, taken.handed_in, taken.scans) == (before.values, before.handed_in, before.scans)
    assert listed(village, other) == [(draft_id, "")]
    assert village.noted().count("draft_taken_over") == 1
    assert collecting.collect(village.counter, other, draft_id).application_id == draft_id


def test_taking_over_twice_is_noted_once(village: Village) -> None:
    draft_id, other = village.filled(), signed_in(village.counter, COLLEAGUE)
    close(village, AGENT)
    for _ in range(2):
        drafting.take_over(village.counter, other, draft_id)
    assert village.noted().count("draft_taken_over") == 1


def test_a_clerk_who_is_let_in_again_finds_what_nobody_took_over(village: Village) -> None:
    kept, taken = village.filled(), village.filled("GA-YB-004")
    other = signed_in(village.counter, COLLEAGUE)
    close(village, AGENT)
    drafting.take_over(village.counter, other, taken)
    with village.counter.desk.transaction() as tx:
        clerks.set_active(tx, AGENT, active=True)
    assert listed(village, village.who) == [(kept, "")]
    assert listed(village, other) == [(taken, "")]


async def test_over_http_a_draft_is_taken_over_by_its_own_call(village: Village) -> None:
    draft_id = village.filled()
    close(village, AGENT)
    async with client_of(village.counter) as client:
        answer = await client.post("/counter/sign-in", json={"clerk": COLLEAGUE, "passphrase": PASSPHRASE})
        client.headers["Authorization"] = f"Bearer {answer.json()['session']}"
        assert (await client.get(f"/counter/drafts/{draft_id}")).status_code == 404
        assert (await client.post(f"/counter/drafts/{draft_id}/take-over")).status_code == 200
        assert (await client.get(f"/counter/drafts/{draft_id}")).status_code == 200
