"""Feeds: who is told what, in which order, and what they can open."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from casework.application import ReturnPoint
from casework.events import Concluded, Decided, Event, ReviewStarted
from casework.record import event_from_plain
from casework.states import State
from city_gateway.acts.outline import outline
from city_gateway.acts.rule import decision, department, rule
from city_gateway.errors import RulingRefused
from city_gateway.ledger import outbox, ratings
from city_gateway.ledger.tables import PLATFORM_OUTBOX
from tests.city_gateway.gateway_fixtures import OTHER_TOWNSHIP, OTHER_VILLAGE, City, EnrolledNode, results
from wire.audit_chain import GENESIS, follow
from wire.canonical import canonical_json
from wire.messages import FeedEntry, read_operation
from wire.sealed_note import seal_note

pytestmark = pytest.mark.node


def events_of(node: EnrolledNode, entry: FeedEntry) -> list[str]:
    """The events a reader applies: the enclosed operation's, then the city's."""
    enclosed = read_operation(node.open_enclosed(entry).body).events if entry.envelope else []
    return [event_from_plain(plain).code for plain in [*enclosed, *entry.events]]


async def accepted(city: City) -> tuple[EnrolledNode, EnrolledNode, str]:
    village, township = await city.enrol(), await city.enrol("township", "511603106000")
    application_id, envelope = village.collect()
    await village.exchange(envelope)
    begun = township.act(township.event("pre_review_started"), application_id=application_id)
    accept = township.act(township.event("accepted"), application_id=application_id)
    await township.everything(begun, accept)
    return village, township, application_id


async def test_the_township_opens_what_the_village_sealed(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", "511603106000")
    _, envelope = village.collect()
    await village.exchange(envelope)
    [entry] = await township.everything()
    assert entry.envelope == envelope
    assert (entry.author_node, entry.author_role) == (village.document.node_id, "agent")
    assert events_of(township, entry) == ["collected", "submitted"]


async def test_others_are_told_nothing(city: City) -> None:
    village = await city.enrol()
    strangers = [await city.enrol(site=OTHER_VILLAGE), await city.enrol("township", OTHER_TOWNSHIP)]
    await village.exchange(village.collect()[1])
    assert [await stranger.everything() for stranger in strangers] == [[], []]


async def test_the_village_hears_of_a_return_and_answers_it(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", "511603106000")
    application_id, envelope = village.collect()
    await village.exchange(envelope)
    await township.everything()
    points = (ReturnPoint("material", "M1", "看不清", "重拍"),)
    acts = [township.event("pre_review_started"), township.event("returned", points=points)]
    own = await township.everything(*[township.act(act, application_id=application_id) for act in acts])
    assert [(entry.result, entry.envelope) for entry in own] == [("applied", None), ("applied", None)]
    heard = await village.everything()
    assert [events_of(village, entry) for entry in heard] == [["pre_review_started"], ["returned"]]
    assert [entry.case_seq for entry in heard] == [2, 3]
    answer = village.act(village.event("supplemented", answers={"M1": "已重拍"}), application_id=application_id)
    assert results(await village.everything(answer)) == ["applied"]
    assert [events_of(township, entry) for entry in await township.everything()] == [["supplemented", "submitted"]]


async def test_a_ruling_reaches_village_and_township(city: City) -> None:
    village, township, application_id = await accepted(city)
    await village.everything()
    by = department("d-1", "511603000000", city.gateway)

    def ruling(_application, at) -> list[Event]:
        ruled = decision(granted=True, reason="符合条件", document_name="登记证", document_no="演示1号", on=at)
        return [ReviewStarted(at=at, by=by), Decided(at=at, by=by, decision=ruled), Concluded(at=at, by=by)]

    assert rule(city.gateway, application_id, ruling).state is State.CONCLUDED
    for node in (village, township):
        [entry] = await node.everything()
        assert events_of(node, entry) == ["review_started", "decided", "concluded"]
        assert (entry.author_role, entry.op_id, entry.case_seq) == ("department", None, 4)


async def test_a_ruling_out_of_turn_or_out_of_region_changes_nothing(city: City) -> None:
    village, _, application_id = await accepted(city)
    await village.everything()
    own, elsewhere = (department("d-1", region, city.gateway) for region in ("511603000000", "511602000000"))
    for ruling in (
        lambda _application, at: [Concluded(at=at, by=own)],
        lambda _application, at: [ReviewStarted(at=at, by=elsewhere)],
    ):
        with pytest.raises(RulingRefused):
            rule(city.gateway, application_id, ruling)
    assert await village.everything() == []


async def test_a_feed_is_one_signed_chain_and_can_be_read_again(city: City) -> None:
    village = await city.enrol()
    await village.exchange(*[village.collect()[1] for _ in range(5)])
    first = await village.exchange(feed_cursor=0, feed_limit=3)
    rest = await village.exchange(feed_cursor=3)
    assert (len(first.frames), first.receipt.feed_more, first.receipt.feed_head) == (3, True, 5)
    head = GENESIS
    for frame in [*first.frames, *rest.frames]:
        head = follow(head, frame, village.document.gateway.signing_public)
    assert head.seq == 5


async def test_a_new_machine_is_told_everything_that_was_there_before(city: City) -> None:
    village, township, application_id = await accepted(city)
    swapped = await city.enrol("township", "511603106000")
    feed = await swapped.everything()
    assert [(entry.application_id, entry.case_seq) for entry in feed] == [(application_id, n) for n in (1, 2, 3)]
    assert [events_of(swapped, entry) for entry in feed] == [
        ["collected", "submitted"],
        ["pre_review_started"],
        ["accepted"],
    ]
    assert {entry.author_node for entry in feed} == {village.document.node_id, township.document.node_id}


async def test_a_rating_is_read_by_the_city_alone(city: City) -> None:
    village, township, application_id = await accepted(city)
    by = department("d-1", "511603000000", city.gateway)

    def ruling(_application, at) -> list[Event]:
        ruled = decision(granted=True, reason="", document_name="", document_no="", on=at)
        return [ReviewStarted(at=at, by=by), Decided(at=at, by=by, decision=ruled), Concluded(at=at, by=by)]

    rule(city.gateway, application_id, ruling)
    note = seal_note(
        "rating", canonical_json({"level": 2, "text": "满意"}), village.document.gateway.sealing_publics[0]
    )
    delivered = village.act(village.event("delivered", receiver="本人", way="窗口"), application_id=application_id)
    rated = village.act(village.event("rated"), application_id=application_id, rating=note)
    assert results(await village.everything(delivered, rated))[-2:] == ["applied", "applied"]
    with city.gateway.ledger.reading() as tx:
        rating = ratings.find(tx, application_id)
    assert rating is not None
    assert (rating.level, rating.note) == (2, "满意")
    last = (await township.everything())[-1]
    assert events_of(township, last) == ["rated"]
    assert "满意".encode() not in township.open_enclosed(last).body


async def test_the_platform_is_promised_every_step_once(city: City) -> None:
    _, _, application_id = await accepted(city)
    with city.gateway.ledger.reading() as tx:
        rows = tx.execute(sa.select(PLATFORM_OUTBOX).order_by(PLATFORM_OUTBOX.c.id)).mappings().all()
    assert [row["record_set"] for row in rows] == ["material", "process", "acceptance", "process"]
    acts = [row["act"] for row in rows]
    assert acts[2] == acts[3], "two records of one act"
    assert len(set(acts)) == 3
    assert {row["application_id"] for row in rows} == {application_id}
    with city.gateway.ledger.transaction() as tx:
        first = outbox.undelivered(tx, 2)
        outbox.delivered(tx, [number for number, _ in first], city.clock())
    with city.gateway.ledger.transaction() as tx:
        assert [record.record_set for _, record in outbox.undelivered(tx, 10)] == ["acceptance", "process"]


async def test_the_outline_shows_every_step_and_nothing_personal(city: City) -> None:
    village, township, application_id = await accepted(city)
    [line] = list(outline(city.gateway.ledger))
    assert (line["application_id"], line["state"]) == (application_id, "accepted")
    assert line["history"] == ["collected", "submitted", "pre_review_started", "accepted"]
    assert [entry["events"] for entry in line["entries"]] == [["submitted"], [], []]
    authors = [village.document.node_id, township.document.node_id, township.document.node_id]
    assert [entry["author_node"] for entry in line["entries"]] == authors
    assert "张测试" not in str(line)
