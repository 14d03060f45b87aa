"""Telling nodes: an entry is sealed to its reader, numbered, chained and signed, in the transaction it tells of.

Laws: the author of an operation is answered under its op_id; every other reader gets the author's sealed bytes with
a wrap of their content key (`wire.envelope.rewrap`), never a new envelope; a township also gets the scan keys that
are known by now. Heads are locked last and in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from city_gateway.acts.gateway import Gateway
from city_gateway.ledger import feeds
from city_gateway.ledger.nodes import Node
from wire.audit_chain import Head
from wire.envelope import Kind, envelope_hash, rewrap, seal
from wire.fields import NodeRole
from wire.messages import FeedEntry, body_of
from wire.scan import rewrap_scan

PAGE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is not sealed yet."""

    reader: Node
    entry: FeedEntry


@dataclass(frozen=True, slots=True)
class ScanKey:
    """A stored scan's header and content key, to be wrapped for a reader."""

    header: bytes
    content_key: bytes

    def for_reader(self, reader: Node) -> bytes:
        """The wrap for this reader."""
        return rewrap_scan(self.header, self.content_key, reader.sealing_public)


@dataclass(frozen=True, slots=True)
class Authored:
    """A node's operation as other readers get it."""

    author: Node
    envelope: bytes
    content_key: bytes

    def for_reader(self, reader: Node) -> dict[str, object]:
        """The fields of an entry that carry the author's sealed bytes."""
        return {
            "author_public": self.author.identity_public,
            "envelope": self.envelope,
            "wrap": rewrap(self.envelope, self.content_key, reader.sealing_public),
        }


def wraps_for(reader: Node, keys: Mapping[str, ScanKey]) -> dict[str, bytes]:
    """The scan keys, wrapped for a township; nobody else fetches scans."""
    return {name: key.for_reader(reader) for name, key in keys.items()} if reader.role is NodeRole.TOWNSHIP else {}


def tell(gateway: Gateway, tx: Connection, drafts: Iterable[Draft]) -> set[str]:
    """Seal and append; returns the nodes that have news."""
    by_node: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_node.setdefault(draft.reader.node_id, []).append(draft)
    if not by_node:
        return set()
    heads = feeds.lock_heads(tx, by_node)
    frames = []
    for node_id, waiting in by_node.items():
        for draft in waiting:
            heads[node_id], frame = _sealed(gateway, draft, heads[node_id])
            frames.append((node_id, heads[node_id].seq, frame))
    feeds.append(tx, frames, heads)
    return set(by_node)


def _sealed(gateway: Gateway, draft: Draft, head: Head) -> tuple[Head, bytes]:
    frame = seal(
        kind=Kind.FEED,
        node_id=bytes.fromhex(draft.reader.node_id),
        seq=head.seq + 1,
        prev=head.hash,
        op_id=gateway.randomness(16),
        body=body_of(draft.entry),
        recipients=[draft.reader.sealing_public],
        signer=gateway.keys.signing,
        randomness=gateway.randomness,
    )
    return Head(head.seq + 1, envelope_hash(frame)), frame
