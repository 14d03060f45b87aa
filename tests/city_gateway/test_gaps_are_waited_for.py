"""Operations that are ahead of the city wait for what comes before them, and are applied in order."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa

from casework.states import State
from city_gateway.acts import parking
from city_gateway.ledger import cases, parked
from city_gateway.ledger.tables import CASE_ENTRIES, JOURNAL, PARKED
from tests.city_gateway.gateway_fixtures import OTHER_TOWNSHIP, TOWNSHIP, City, EnrolledNode, results
from wire.audit_chain import GENESIS

pytestmark = pytest.mark.node


def state_of(city: City, application_id: str) -> State | None:
    with city.gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    return case.application.state if case else None


def waiting(city: City) -> int:
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(PARKED)) or 0)


async def ahead(city: City) -> tuple[EnrolledNode, EnrolledNode, str, list[bytes], bytes]:
    """A township whose acts come to a restored city before the village's application does."""
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    application_id, collected = village.collect()
    begun = township.act(township.event("pre_review_started"), application_id=application_id, basis=1)
    accepted = township.act(township.event("accepted"), application_id=application_id, basis=1)
    return village, township, application_id, [begun, accepted], collected


async def test_acts_of_a_township_wait_for_the_application_of_the_village(city: City) -> None:
    village, township, application_id, acts, collected = await ahead(city)
    got = await township.exchange(*acts)
    assert (got.receipt.hwm, got.feed, waiting(city)) == (2, [], 2)
    assert results((await village.exchange(collected)).feed) == ["applied"]
    assert results(await village.everything()) == ["applied", "applied"]
    assert (state_of(city, application_id), waiting(city)) == (State.ACCEPTED, 0)
    told = await township.everything()
    assert [(entry.case_seq, entry.result) for entry in told] == [(1, "applied"), (2, "applied"), (3, "applied")]
    with city.gateway.ledger.reading() as tx:
        assert set(tx.execute(sa.select(JOURNAL.c.standing)).scalars()) == {"effective"}


async def test_what_follows_a_parked_act_waits_behind_it(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    application_id, collected = village.collect()
    await village.exchange(collected)
    later = township.act(township.event("accepted"), application_id=application_id, basis=2)
    after = township.act(township.event("withdrawn", reason="申请人撤回"), application_id=application_id, basis=1)
    other_id, other = township.collect()
    await township.exchange(later, after, other)
    assert (state_of(city, application_id), waiting(city)) == (State.SUBMITTED, 2)
    assert state_of(city, other_id) is State.SUBMITTED  # nothing else is delayed
    colleague = await city.enrol("township", TOWNSHIP)
    begun = colleague.act(colleague.event("pre_review_started"), application_id=application_id, basis=1)
    await colleague.everything(begun)
    assert (state_of(city, application_id), waiting(city)) == (State.WITHDRAWN, 0)
    with city.gateway.ledger.reading() as tx:
        history = cases.entries_of(tx, application_id)
    authors = [entry.author_node for entry in history[1:]]
    assert authors == [colleague.document.node_id, *[township.document.node_id] * 2]


async def test_a_parked_act_sent_again_under_a_new_identity_counts_once(city: City) -> None:
    village, township, application_id, _, collected = await ahead(city)
    operation = township.operation(township.event("pre_review_started"), application_id=application_id, basis=1)
    renewed = await city.enrol("township", TOWNSHIP)
    township.head, township.journal = GENESIS, []
    await township.exchange(township.seal(operation))
    await renewed.exchange(renewed.seal(operation))
    assert waiting(city) == 2
    await village.exchange(collected)
    assert (state_of(city, application_id), waiting(city)) == (State.PRE_REVIEW, 0)
    for node in (township, renewed):
        answers = [entry for entry in await node.everything() if entry.op_id == operation.op_id]
        assert "applied" in results(answers)
    with city.gateway.ledger.reading() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(CASE_ENTRIES)) == 2


async def test_a_parked_act_that_is_wrong_is_refused_when_its_turn_comes(city: City) -> None:
    village, township, application_id, _, collected = await ahead(city)
    township.head, township.journal = GENESIS, []
    wrong = township.act(township.event("rated"), application_id=application_id, basis=1)
    assert (await township.exchange(wrong)).feed == []
    await village.exchange(collected)
    last = (await township.everything())[-1]
    assert (last.result, last.refusal is not None and last.refusal.code) == ("refused", "lifecycle.illegal_event")
    assert (waiting(city), state_of(city, application_id)) == (0, State.SUBMITTED)


async def test_a_stranger_cannot_wait_on_an_application_that_is_not_his(city: City) -> None:
    village, stranger = await city.enrol(), await city.enrol("township", OTHER_TOWNSHIP)
    application_id, collected = village.collect()
    await village.exchange(collected)
    act = stranger.act(stranger.event("pre_review_started"), application_id=application_id, basis=2**70)
    assert results((await stranger.exchange(act)).feed) == ["refused"]
    unknown = stranger.act(stranger.event("pre_review_started"), application_id=os.urandom(16).hex(), basis=2**70)
    assert (await stranger.exchange(unknown)).feed == []
    assert waiting(city) == 1  # for ever, and in nobody's way
    assert parking.unpark_missed(city.gateway) == 0


async def test_what_never_comes_is_not_waited_for_for_ever(city: City) -> None:
    """The department's ruling was lost with a restore and is not made again in as many steps."""
    village = await city.enrol()
    application_id, collected = village.collect()
    withdrawn = village.act(village.event("withdrawn", reason="申请人撤回"), application_id=application_id, basis=9)
    delivered = village.act(
        village.event("delivered", receiver="张测试", way="pickup_village"), application_id=application_id, basis=9
    )
    await village.everything(collected, withdrawn, delivered)
    city.clock.forward(days=13)
    assert parking.unpark_missed(city.gateway) == 0
    assert (state_of(city, application_id), waiting(city)) == (State.SUBMITTED, 2)
    city.clock.forward(days=2)
    assert parking.unpark_missed(city.gateway) == 2
    assert (state_of(city, application_id), waiting(city)) == (State.WITHDRAWN, 0)
    told = await village.everything()
    assert results(told) == ["applied", "refused"]
    assert told[-1].refusal is not None
    assert told[-1].refusal.code == "lifecycle.illegal_event"


async def test_what_waits_for_a_step_that_never_comes_is_decided_by_a_person(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    application_id, collected = village.collect()
    await village.exchange(collected)
    ahead_of_all = township.act(township.event("pre_review_started"), application_id=application_id, basis=9)
    behind_it = township.act(township.event("pre_review_started"), application_id=application_id, basis=1)
    await township.exchange(ahead_of_all, behind_it)
    with city.gateway.ledger.reading() as tx:
        assert [(one, count) for one, count, _ in parked.waiting(tx)] == [(application_id, 2)]
    assert (parking.unpark_missed(city.gateway), waiting(city)) == (0, 2)
    assert (parking.decide(city.gateway, application_id), waiting(city)) == (2, 0)
    assert state_of(city, application_id) is State.PRE_REVIEW
    told = (await township.everything())[-2:]
    assert [(entry.result, entry.refusal.code if entry.refusal else None) for entry in told] == [
        ("applied", None),
        ("refused", "lifecycle.illegal_event"),
    ]
    assert parking.decide(city.gateway, application_id) == 0


@pytest.mark.fault
async def test_what_a_kill_left_parked_goes_on_at_the_next_look(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    village, township, application_id, acts, collected = await ahead(city)
    await township.exchange(*acts)
    with monkeypatch.context() as killed:
        killed.setattr(parking, "unpark", lambda *_: 0)
        await village.exchange(collected)
    assert (state_of(city, application_id), waiting(city)) == (State.SUBMITTED, 2)
    assert parking.unpark_missed(city.gateway) == 2
    assert state_of(city, application_id) is State.ACCEPTED
    assert waiting(city) == 0
