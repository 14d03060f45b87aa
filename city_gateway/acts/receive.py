"""Receiving a batch: the exchange, one transaction from the node's mark to the next page of its feed.

Laws (numbers of the invariants in the protocol page):
- The mark never covers a missing envelope (I4): what does not continue the chain stops the batch, a gap only asks.
- Stored is one thing, applied another: an operation that cannot be applied is stored, refused with a reason that a
  person will see, and delays nothing behind it (I12); one that is ahead of this ledger is stored and waits (I6).
- Known op_id and same body: the first outcome again. Known op_id and another body: a conflict; the first counts (I1,
  I3).
- A fork stops the identity; what came before it in the batch is kept (I7).
- An envelope that the node's identity key did not sign is as if it had not come: anybody could have put it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from city_gateway.acts import parking, renewal, scan_shelf
from city_gateway.acts.feed import PAGE_BYTES
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import receive
from city_gateway.acts.quarantine import sort_out
from city_gateway.acts.sorting import Sorted
from city_gateway.catalog.mark import catalog_mark
from city_gateway.errors import ForgedEnvelope, Forked, NodeStopped, NodeUnknown, NotThisNode
from city_gateway.ledger import feeds, journal, nodes
from city_gateway.ledger.nodes import Node
from wire.audit_chain import Head, follow
from wire.canonical import canonical_json
from wire.envelope import envelope_hash, read_header
from wire.errors import Duplicate, Fork, Gap, Malformed, Untrusted
from wire.messages import ExchangeHead, ExchangeRequest, write_reply
from wire.receipt import Receipt, page_hash, sign_receipt
from wire.signed import SignedDocument

LAST_POSSIBLE = 2**62


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to an exchange; `quiet` when there was nothing to say."""

    body: bytes
    quiet: bool


@dataclass(slots=True)
class _Batch:
    head: Head
    page: list[bytes] = field(default_factory=list)
    feed_head: int = 0
    feed_more: bool = False
    stable_hwm: int = 0
    found: Sorted = field(default_factory=Sorted)
    forked: bool = False
    renewal: SignedDocument | None = None


def exchange(gateway: Gateway, node_id: str, request: ExchangeRequest) -> Answer:
    """Take a batch in and answer with a signed receipt and the next page of the feed."""
    asked = request.head
    if asked.node != node_id:
        raise NotThisNode
    now = gateway.clock()
    batch = gateway.ledger.run(lambda tx: _take_in(gateway, tx, asked, request.envelopes, now))
    gateway.news(batch.found.news - {node_id})
    parking.share_arrived(gateway, batch.found)
    parking.unpark(gateway, batch.found.concerned)
    if batch.forked:
        raise Forked
    stored = scan_shelf.stored(gateway, asked.scans_asking)
    receipt = Receipt(
        gateway=gateway.keys.gateway_id,
        epoch=gateway.ledger.epoch,
        node=node_id,
        hwm=batch.head.seq,
        head_hash=batch.head.hash.hex(),
        stable_hwm=batch.stable_hwm,
        server_time=now,
        nonce=asked.nonce,
        feed_head=batch.feed_head,
        feed_more=batch.feed_more,
        page_hash=page_hash(batch.page),
        scans_stored=stored,
        catalog_mark=catalog_mark(gateway.folder.catalog),
        renewal=batch.renewal,
    )
    quiet = not (request.envelopes or batch.page or asked.scans_asking or batch.renewal)
    return Answer(write_reply(sign_receipt(receipt, gateway.keys.signing), batch.page), quiet)


def _take_in(
    gateway: Gateway, tx: Connection, asked: ExchangeHead, envelopes: Sequence[bytes], now: datetime
) -> _Batch:
    node = nodes.lock(tx, asked.node)
    if node is None:
        raise NodeUnknown
    if node.standing != nodes.ACTIVE:
        raise Forked if node.stopped_for == nodes.FORK else NodeStopped
    renewal.require_renewable(node, now)
    batch = _Batch(Head(node.hwm, bytes(node.head_hash)), stable_hwm=node.stable_hwm)
    links = _follow(tx, node, envelopes, batch)
    if links:
        gateway.ledger.readers_stay(tx)
        batch.found = sort_out(gateway, tx, [receive(gateway, node, data) for data in links], now)
    report = canonical_json(asked.report.model_dump(mode="json")).decode()
    nodes.advance(tx, node.node_id, hwm=batch.head.seq, head_hash=batch.head.hash, contact=now, report=report)
    if batch.forked:
        nodes.stop(tx, node.node_id, nodes.FORK)
        return batch
    batch.renewal = renewal.renewed(gateway, tx, node, asked, now)
    cursor = min(asked.feed_cursor, LAST_POSSIBLE)
    if parted(tx, asked, cursor):
        batch.feed_head = 0
        return batch
    batch.page, batch.feed_head, batch.feed_more = feeds.page(
        tx, node.node_id, after=cursor, limit=asked.feed_limit, max_bytes=PAGE_BYTES
    )
    return batch


def parted(tx: Connection, asked: ExchangeHead, cursor: int) -> bool:
    """Whether the node holds a feed that this (restored) ledger never wrote; it is led back to the beginning, because
    a node keeps only its last link and cannot say where the two feeds part. What it has applied, it recognises."""
    if asked.feed_hash is None or cursor == 0:
        return False
    own = feeds.envelope_at(tx, asked.node, cursor)
    return own is not None and envelope_hash(own).hex() != asked.feed_hash


def _follow(tx: Connection, node: Node, envelopes: Sequence[bytes], batch: _Batch) -> list[bytes]:
    """The envelopes that continue the chain; the head moves with them."""
    links: list[bytes] = []
    known = journal.hashes_at(tx, node.node_id, _numbers_below(envelopes, node.hwm))
    own = bytes.fromhex(node.node_id)
    for data in envelopes:
        try:
            batch.head = follow(batch.head, data, node.identity_public, node_id=own, hash_at=known.get)
        except Duplicate:
            continue
        except Gap:
            break
        except Fork:
            batch.forked = True
            break
        except (Malformed, Untrusted):
            if not links:
                raise ForgedEnvelope from None
            break
        known[batch.head.seq] = batch.head.hash
        links.append(data)
    return links


def _numbers_below(envelopes: Sequence[bytes], hwm: int) -> list[int]:
    found = []
    for data in envelopes:
        try:
            seq = read_header(data).seq
        except Malformed:
            continue
        if seq <= hwm:
            found.append(seq)
    return found
