"""Receiving a batch: the exchange, one transaction from the node's mark to the next page of its feed.

The city's role of `wire.exchange` decides what is new, what forks, what is answered; here it is looked up, kept and
said, in the machine's order. What becomes of each operation is `quarantine` and `sorting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from city_gateway.acts import lost_scans, machines, parking, renewal, scan_shelf
from city_gateway.acts.feed import PAGE_BYTES
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import receive
from city_gateway.acts.quarantine import sort_out
from city_gateway.acts.sorting import Sorted
from city_gateway.catalog.mark import catalog_mark
from city_gateway.errors import ForgedEnvelope, Forked, NodeStopped, NodeUnknown, NotThisNode, Refusal
from city_gateway.ledger import feeds, journal, nodes, served_days
from city_gateway.ledger.journal import Road
from city_gateway.ledger.nodes import Node
from wire.audit_chain import Head, Link, prove_link
from wire.envelope import envelope_hash
from wire.errors import Malformed, Untrusted
from wire.exchange import (
    FORGED,
    FORK,
    STOPPED,
    Asked,
    CityExchange,
    Kept,
    LeadBack,
    Phase,
    Refuse,
    Stop,
    Store,
    TurnPage,
    advance,
    feeds_part,
)
from wire.exchange import Answer as Say
from wire.messages import ExchangeHead, ExchangeRequest, write_reply
from wire.receipt import Receipt, page_hash, sign_receipt
from wire.signed import SignedDocument

LAST_POSSIBLE = 2**62
REFUSALS: Mapping[str, type[Refusal]] = {FORK: Forked, STOPPED: NodeStopped, FORGED: ForgedEnvelope}


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to an exchange; `quiet` when there was nothing to say."""

    body: bytes
    quiet: bool


@dataclass(slots=True)
class _Batch:
    talk: CityExchange
    refused: str | None = None
    page: list[bytes] = field(default_factory=list)
    feed_head: int = 0
    feed_more: bool = False
    found: Sorted = field(default_factory=Sorted)
    renewal: SignedDocument | None = None
    scans_again: list[str] = field(default_factory=list)


def exchange(gateway: Gateway, node_id: str, request: ExchangeRequest, road: Road = Road.LINE) -> Answer:
    """Take a batch in and answer with a signed receipt and the next page of the feed."""
    asked = request.head
    if asked.node != node_id:
        raise NotThisNode
    now = gateway.clock()
    batch = gateway.ledger.run(lambda tx: _take_in(gateway, tx, asked, request.envelopes, now, road))
    if batch.refused is not None:
        raise REFUSALS[batch.refused]
    gateway.news(batch.found.news - {node_id})
    parking.share_arrived(gateway, batch.found)
    parking.unpark(gateway, batch.found.concerned)
    _, (said,) = advance(batch.talk, Kept())
    if isinstance(said, Refuse):
        raise REFUSALS[said.code]
    assert isinstance(said, Say)  # noqa: S101 - the machine says one or the other
    receipt = Receipt(
        gateway=gateway.keys.gateway_id,
        epoch=said.epoch,
        node=node_id,
        hwm=said.head.seq,
        head_hash=said.head.hash.hex(),
        stable_hwm=said.stable,
        server_time=now,
        nonce=asked.nonce,
        feed_head=batch.feed_head,
        feed_more=batch.feed_more,
        epochs_left=list(gateway.ledger.epochs_left),
        page_hash=page_hash(batch.page),
        scans_stored=scan_shelf.stored_as_far_as_known(gateway, asked.scans_asking),
        scans_again=batch.scans_again,
        catalog_mark=catalog_mark(gateway.folder.catalog),
        renewal=batch.renewal,
    )
    quiet = not (request.envelopes or batch.page or asked.scans_asking or batch.renewal)
    return Answer(write_reply(sign_receipt(receipt, gateway.keys.signing), batch.page), quiet)


def _take_in(
    gateway: Gateway, tx: Connection, asked: ExchangeHead, envelopes: Sequence[bytes], now: datetime, road: Road
) -> _Batch:
    """Do what the exchange machine says, in one transaction up to what may be said when it is committed."""
    node = nodes.lock(tx, asked.node)
    if node is None:
        raise NodeUnknown
    proven, forged = _proven(node, envelopes)
    before = _talk(gateway, node)
    if before.phase is Phase.SERVING:
        renewal.require_renewable(tx, node, now)
    talk, done = advance(before, _question(tx, asked, proven, forged=forged))
    batch = _Batch(talk)
    for consequence in done:
        match consequence:
            case Refuse(code):
                batch.refused = code
            case Store(links, head):
                if links:
                    gateway.ledger.readers_stay(tx)
                    received = [receive(gateway, node, proven[link], proven=True, road=road) for link in links]
                    batch.found = sort_out(gateway, tx, received, now)
                report = machines.report_with(node.report, asked.report, now)
                nodes.advance(
                    tx,
                    node.node_id,
                    hwm=head.seq,
                    head_hash=head.hash,
                    contact=now,
                    heard_on=_heard_on(tx, node, now),
                    report=report,
                )
            case Stop(why):
                nodes.stop(tx, node.node_id, why)
            case TurnPage(after):
                batch.page, batch.feed_head, batch.feed_more = feeds.page(
                    tx, node.node_id, after=after, limit=asked.feed_limit, max_bytes=PAGE_BYTES
                )
            case LeadBack():
                batch.feed_head = 0
    if talk.phase is Phase.KEEPING and not talk.stopping:
        batch.renewal = renewal.renewed(gateway, tx, node, asked, now)
        batch.scans_again = lost_scans.sent_again(gateway, tx, node.site)
    return batch


def _talk(gateway: Gateway, node: Node) -> CityExchange:
    """Where the conversation with this node stands."""
    return CityExchange(
        phase=Phase.SERVING if node.standing == nodes.ACTIVE else Phase.STOPPED,
        head=Head(node.hwm, bytes(node.head_hash)),
        stable=node.stable_hwm,
        epoch=gateway.ledger.epoch,
        stopped_for=node.stopped_for,
    )


def _heard_on(tx: Connection, node: Node, now: datetime) -> int:
    """The number of the served day; looked up on the first contact of a day only."""
    if node.last_contact is not None and node.last_contact.astimezone(UTC).date() == now.astimezone(UTC).date():
        return node.heard_on
    return served_days.number_of(tx, now.astimezone(UTC).date())


def parted(tx: Connection, asked: ExchangeHead) -> bool:
    """Whether the node holds another feed than this ledger does."""
    return feeds_part(_question(tx, asked, {}, forged=False))


def _question(tx: Connection, asked: ExchangeHead, proven: dict[Link, bytes], *, forged: bool) -> Asked:
    """What the machine has to know to answer; looked up, not decided."""
    cursor = min(asked.feed_cursor, LAST_POSSIBLE)
    known = journal.hashes_at(tx, asked.node, [link.seq for link in proven])
    own = feeds.envelope_at(tx, asked.node, cursor) if cursor else None
    return Asked(
        links=tuple(proven),
        forged=forged,
        hash_at=known.get,
        feed_cursor=cursor,
        feed_hash=bytes.fromhex(asked.feed_hash) if asked.feed_hash is not None else None,
        feed_head=feeds.ends(tx, [asked.node]).get(asked.node, 0) if cursor else 0,
        own_feed_hash=envelope_hash(own) if own is not None else None,
    )


def _proven(node: Node, envelopes: Sequence[bytes]) -> tuple[dict[Link, bytes], bool]:
    """The places of the envelopes that the node signed, up to one that it did not; whether there was one."""
    own = bytes.fromhex(node.node_id)
    proven: dict[Link, bytes] = {}
    for data in envelopes:
        try:
            proven[prove_link(data, node.identity_public, node_id=own)] = data
        except (Malformed, Untrusted):
            return proven, True
    return proven, False
