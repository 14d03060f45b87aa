"""The exchange: what is stored, what is answered, and what happens twice."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from casework.application import Actor, Role
from casework.errors import MalformedEvent
from casework.states import State
from city_gateway.acts import receive
from city_gateway.acts.gateway import LedgerRegister
from city_gateway.ledger import cases
from city_gateway.ledger.tables import CASE_ENTRIES, JOURNAL, NODES, OPERATIONS, PLATFORM_OUTBOX
from tests.city_gateway.gateway_fixtures import (
    OTHER_VILLAGE,
    VILLAGE,
    City,
    EnrolledNode,
    Refused,
    city_in,
    results,
)
from wire.audit_chain import Head
from wire.envelope import Kind, envelope_hash, seal
from wire.messages import Operation, body_of

pytestmark = pytest.mark.node


def count(city: City, table: sa.Table) -> int:
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def state_of(city: City, application_id: str) -> State | None:
    with city.gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    return case.application.state if case else None


async def test_a_collected_application_is_submitted_and_answered(city: City) -> None:
    village = await city.enrol()
    application_id, envelope = village.collect()
    got = await village.exchange(envelope)
    assert got.receipt.head == village.head
    assert (got.receipt.epoch, got.receipt.stable_hwm) == (city.gateway.ledger.epoch, 0)
    [entry] = got.feed
    assert (entry.result, entry.case_seq, entry.envelope, entry.wrap) == ("applied", 1, None, None)
    assert [event["event"] for event in entry.events] == ["submitted"]
    assert state_of(city, application_id) is State.SUBMITTED


async def test_a_duplicate_envelope_gets_the_same_receipt(city: City) -> None:
    village = await city.enrol()
    _, envelope = village.collect()
    first = (await village.exchange(envelope)).receipt
    again = await village.exchange(envelope)
    assert (again.receipt.head, again.receipt.feed_head) == (first.head, first.feed_head)
    assert again.feed == []
    assert (count(city, JOURNAL), count(city, CASE_ENTRIES)) == (1, 1)


async def test_a_gap_is_answered_with_the_mark_and_stores_nothing(city: City) -> None:
    village = await city.enrol()
    village.collect()
    _, second = village.collect()
    got = await village.exchange(second)
    assert (got.receipt.hwm, got.feed, count(city, JOURNAL)) == (0, [], 0)
    whole = await village.exchange(*village.journal)
    assert (whole.receipt.hwm, count(city, JOURNAL)) == (2, 2)


async def test_a_fork_stops_the_identity_and_keeps_what_came_before(city: City) -> None:
    village = await city.enrol()
    first_id, first = village.collect()
    await village.exchange(first)
    fork_point = village.head
    _, second = village.collect()
    village.head = fork_point
    _, other_second = village.collect()
    await village.exchange(second)
    with pytest.raises(Refused) as refused:
        await village.exchange(other_second)
    assert (refused.value.status, refused.value.code) == (409, "fork")
    assert (count(city, JOURNAL), state_of(city, first_id)) == (2, State.SUBMITTED)
    with pytest.raises(Refused) as later:
        await village.exchange()
    assert later.value.code == "fork"


async def test_a_next_number_on_another_history_is_a_fork(city: City) -> None:
    village = await city.enrol()
    _, first = village.collect()
    await village.exchange(first)
    village.head = Head(1, bytes(32))
    _, second = village.collect()
    with pytest.raises(Refused) as refused:
        await village.exchange(second)
    assert refused.value.code == "fork"
    assert count(city, JOURNAL) == 1


async def test_a_poison_operation_is_stored_refused_and_delays_nothing(city: City) -> None:
    village = await city.enrol()
    before_id, before = village.collect()
    unreadable = village.seal(village.operation(application_id=None), body=b"\xff not json")
    illegal = village.act(village.event("delivered"), application_id=before_id)
    unknown = village.act(village.event("withdrawn"), application_id=os.urandom(16).hex())
    after_id, after = village.collect()
    feed = (await village.exchange(before, unreadable, illegal, unknown, after)).feed
    assert results(feed) == ["applied", "refused", "refused", "refused", "applied"]
    codes = [entry.refusal.code for entry in feed if entry.refusal]
    assert codes == ["operation.malformed", "lifecycle.illegal_event", "operation.unknown_application"]
    assert count(city, JOURNAL) == 5
    assert [state_of(city, one) for one in (before_id, after_id)] == [State.SUBMITTED, State.SUBMITTED]


async def test_an_envelope_sealed_to_somebody_else_is_stored_and_refused(city: City) -> None:
    village, stranger = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    operation = village.operation(village.collected(), application_id=os.urandom(16).hex())
    envelope = seal(
        kind=Kind.OPERATION,
        node_id=bytes.fromhex(village.document.node_id),
        seq=1,
        prev=bytes(32),
        op_id=bytes.fromhex(operation.op_id),
        body=body_of(operation),
        recipients=[stranger.sealing.public],
        signer=village.identity,
    )
    [entry] = (await village.exchange(envelope)).feed
    assert entry.refusal is not None
    assert entry.refusal.code == "operation.unreadable"
    assert (count(city, JOURNAL), entry.op_id) == (1, operation.op_id)


async def test_an_operation_in_another_role_or_for_another_region_is_refused(city: City) -> None:
    village = await city.enrol()
    application_id, envelope = village.collect()
    clerk = Actor(Role.CLERK, "clerk-1", village.document.node_id, village.document.township)
    elsewhere = Actor(Role.AGENT, "clerk-1", village.document.node_id, OTHER_VILLAGE)
    borrowed = Actor(Role.AGENT, "clerk-1", "e" * 32, village.document.region)
    wrong_role = village.act(village.event("pre_review_started", by=clerk), application_id=application_id)
    wrong_region = village.act(village.event("withdrawn", by=elsewhere), application_id=application_id)
    wrong_node = village.act(village.event("withdrawn", by=borrowed), application_id=application_id)
    not_its_duty = village.act(village.event("pre_review_started"), application_id=application_id)
    wrong_site = village.act(village.collected(site=OTHER_VILLAGE), application_id=os.urandom(16).hex())
    feed = (await village.exchange(envelope, wrong_role, wrong_region, wrong_node, not_its_duty, wrong_site)).feed
    other = "operation.other_identity"
    assert [entry.refusal.code for entry in feed if entry.refusal] == [other, other, other, "duty.not_yours", other]
    assert state_of(city, application_id) is State.SUBMITTED


async def test_an_operation_in_the_name_of_another_clerk_is_refused(city: City) -> None:
    village = await city.enrol()
    act = village.act(village.collected(), application_id=os.urandom(16).hex(), clerk="clerk-2")
    [entry] = (await village.exchange(act)).feed
    assert entry.refusal is not None
    assert entry.refusal.code == "operation.other_identity"
    assert count(city, CASE_ENTRIES) == 0


async def test_a_rating_in_clear_is_refused(city: City) -> None:
    village = await city.enrol()
    application_id, collected = village.collect()
    rated = village.act(village.event("rated", level=5, text="慢"), application_id=application_id)
    entry = (await village.exchange(collected, rated)).feed[-1]
    assert entry.refusal is not None
    assert entry.refusal.code == MalformedEvent.code


async def test_the_same_op_id_with_another_body_is_a_conflict_and_the_first_counts(city: City) -> None:
    village = await city.enrol()
    application_id, first = village.collect()
    op_id = village.operation(application_id=None).op_id
    withdrawn = village.act(village.event("withdrawn", reason="甲"), application_id=application_id, op_id=op_id)
    other = village.act(village.event("withdrawn", reason="乙"), application_id=application_id, op_id=op_id)
    feed = (await village.exchange(first, withdrawn, other)).feed
    assert results(feed) == ["applied", "applied", "refused"]
    assert feed[2].refusal is not None
    assert feed[2].refusal.code == "operation.conflict"
    with city.gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
        standings = list(tx.execute(sa.select(JOURNAL.c.standing).order_by(JOURNAL.c.seq)).scalars())
    assert case is not None
    assert case.application.outcome_reason == "甲"
    assert standings == ["effective", "effective", "conflict"]


async def chained_anew(city: City, operations: list[Operation]) -> tuple[EnrolledNode, list[bytes]]:
    """The same operations under a new identity of the same counter."""
    renewed = await city.enrol()
    return renewed, [renewed.seal(operation) for operation in operations]


async def twice(city: City) -> tuple[str, list[str], int, int]:
    """File once, then again under a new identity: the second answer, and what the ledger counts."""
    village = await city.enrol()
    application_id = os.urandom(16).hex()
    operation = village.operation(village.collected(), application_id=application_id)
    await village.exchange(village.seal(operation))
    renewed, envelopes = await chained_anew(city, [operation])
    feed = [entry for entry in await renewed.everything(*envelopes) if entry.author_node == renewed.document.node_id]
    with city.gateway.ledger.reading() as tx:
        effects = tx.scalar(sa.select(sa.func.count()).select_from(JOURNAL).where(JOURNAL.c.standing == "effective"))
    return application_id, results(feed), int(effects or 0), count(city, PLATFORM_OUTBOX)


async def test_an_operation_chained_anew_keeps_its_first_outcome(city: City) -> None:
    application_id, outcomes, effects, records = await twice(city)
    assert (outcomes, effects, records) == (["applied"], 1, 1)
    assert state_of(city, application_id) is State.SUBMITTED


class Forgetful(LedgerRegister):
    """Negative control: the guard that recognises operations is taken out."""

    def outcomes(self, tx, op_ids):
        return {}

    def remember(self, tx, found):
        return None


@pytest.mark.fault
async def test_without_recognising_op_ids_the_same_operation_counts_twice(tmp_path: Path, ledger_url: str) -> None:
    async with city_in(tmp_path / "gateway", ledger_url, register=Forgetful()) as city:
        _, outcomes, effects, _ = await twice(city)
        assert (outcomes, effects) == (["refused"], 2)  # applied at first, refused the second time: two answers


async def test_killed_between_commit_and_reply_the_same_receipt_comes_after_the_restart(
    tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with city_in(tmp_path / "gateway", ledger_url) as city:
        village = await city.enrol()
        application_id, envelope = village.collect()
        with monkeypatch.context() as broken:
            broken.setattr(receive, "sign_receipt", lambda *_: (_ for _ in ()).throw(OSError("killed")))
            with pytest.raises(Refused) as refused:
                await village.exchange(envelope)
        assert refused.value.code == "gateway.internal"
    async with city_in(tmp_path / "gateway", ledger_url) as restarted:
        village.city = restarted
        got = await village.exchange(envelope)
        assert (got.receipt.head, results(got.feed)) == (village.head, ["applied"])
        assert (count(restarted, JOURNAL), count(restarted, OPERATIONS)) == (1, 1)
        assert state_of(restarted, application_id) is State.SUBMITTED


async def test_killed_before_the_commit_nothing_is_left(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    village = await city.enrol()
    application_id, envelope = village.collect()
    with monkeypatch.context() as broken:
        broken.setattr(receive.feeds, "page", lambda *_, **__: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(Refused):
            await village.exchange(envelope)
    assert (count(city, JOURNAL), state_of(city, application_id)) == (0, None)
    assert (await village.exchange(envelope)).receipt.hwm == 1


async def test_audit_entries_are_stored_and_need_no_answer(city: City) -> None:
    village = await city.enrol()
    audit = village.seal(village.operation(application_id=None, audit={"kind": "signed_in"}), kind=Kind.AUDIT)
    got = await village.exchange(audit)
    assert (got.receipt.hwm, got.feed) == (1, [])


async def test_two_villages_of_one_township_deliver_at_the_same_time(city: City) -> None:
    villages = [await city.enrol(), await city.enrol(site=OTHER_VILLAGE)]
    township = await city.enrol("township", "511603106000")

    async def drain(village: EnrolledNode) -> None:
        for _ in range(5):
            await village.exchange(*[village.collect()[1] for _ in range(4)])

    await asyncio.gather(*[drain(village) for village in villages])
    feed = await township.everything()
    assert results(feed) == ["applied"] * 40
    assert len({entry.application_id for entry in feed}) == 40


async def test_what_the_node_reports_is_kept(city: City) -> None:
    village = await city.enrol()
    await village.exchange()
    with city.gateway.ledger.reading() as tx:
        row = tx.execute(sa.select(NODES.c.last_contact, NODES.c.report)).one()
    assert row.last_contact == city.clock()
    assert '"catalog_version":1' in row.report


async def test_a_node_with_the_feed_of_another_timeline_is_led_back(city: City) -> None:
    village = await city.enrol()
    got = await village.exchange(*[village.collect()[1] for _ in range(6)])
    same = await village.exchange(feed_cursor=6, feed_hash=envelope_hash(got.frames[5]).hex())
    assert (same.receipt.feed_head, same.frames) == (6, [])
    other = await village.exchange(feed_cursor=6, feed_hash="0" * 64)
    assert (other.receipt.feed_head, other.receipt.feed_more, other.frames) == (0, False, [])
    beyond = await village.exchange(feed_cursor=9, feed_hash="0" * 64)
    assert (beyond.receipt.feed_head, beyond.frames) == (0, [])


async def test_an_envelope_signed_by_another_key_is_as_if_it_had_not_come(city: City) -> None:
    village, other = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    _, good = village.collect()
    village.identity = other.identity
    _, forged = village.collect()
    got = await village.exchange(good, forged)
    assert (got.receipt.hwm, count(city, JOURNAL)) == (1, 1)
    with pytest.raises(Refused) as refused:
        await village.exchange(forged)
    assert refused.value.code == "envelope.forged"
    assert envelope_hash(good) == got.receipt.head.hash


async def test_a_held_request_is_answered_when_there_is_news(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", "511603106000")
    held = asyncio.create_task(township.exchange(wait_s=60))
    await asyncio.sleep(0.2)
    assert not held.done()
    await village.exchange(village.collect()[1])
    assert results((await held).feed) == ["applied"]
    assert village.document.site == VILLAGE


async def test_a_gateway_that_ends_lets_held_requests_go_and_holds_no_more(city: City) -> None:
    township = await city.enrol("township", "511603106000")
    held = asyncio.create_task(township.exchange(wait_s=60))
    await asyncio.sleep(0.2)
    assert not held.done()
    city.app.state.news.close()
    for asking in (held, asyncio.create_task(township.exchange(wait_s=60))):
        with pytest.raises(Refused) as let_go:
            await asyncio.wait_for(asking, 10)
        assert let_go.value.code == "gateway.busy"
