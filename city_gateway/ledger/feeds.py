"""The feeds: for each node the city's sealed entries, numbered without gaps.

`lock_heads` is the last lock of a batch, by node id in one order. A page ends at the head it is given out with: what
another transaction appends between the two questions belongs to the next page.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import FEED_ENTRIES, FEED_HEADS
from wire.audit_chain import Head


def lock_heads(tx: Connection, node_ids: Iterable[str]) -> dict[str, Head]:
    """Where these feeds end, held for this transaction."""
    ids = sorted(set(node_ids))
    asked = sa.select(FEED_HEADS).where(FEED_HEADS.c.node_id.in_(ids)).order_by(FEED_HEADS.c.node_id).with_for_update()
    return {row.node_id: Head(row.seq, bytes(row.head_hash)) for row in tx.execute(asked)}


def append(tx: Connection, frames: Iterable[tuple[str, int, bytes]], heads: dict[str, Head]) -> None:
    """Add sealed entries (node, number, bytes) and move the heads."""
    rows = [{"node_id": node_id, "seq": seq, "envelope": envelope} for node_id, seq, envelope in frames]
    if not rows:
        return
    tx.execute(sa.insert(FEED_ENTRIES), rows)
    moved = sa.update(FEED_HEADS).where(FEED_HEADS.c.node_id == sa.bindparam("which"))
    moved = moved.values(seq=sa.bindparam("new_seq"), head_hash=sa.bindparam("new_hash"))
    tx.execute(moved, [{"which": n, "new_seq": head.seq, "new_hash": head.hash} for n, head in heads.items()])


def page(tx: Connection, node_id: str, *, after: int, limit: int, max_bytes: int) -> tuple[list[bytes], int, bool]:
    """Entries after a cursor, where the feed ends, and whether there is more; at least one entry if there is any."""
    head = tx.scalar(sa.select(FEED_HEADS.c.seq).where(FEED_HEADS.c.node_id == node_id)) or 0
    asked = sa.select(FEED_ENTRIES.c.envelope).where(
        FEED_ENTRIES.c.node_id == node_id, FEED_ENTRIES.c.seq > after, FEED_ENTRIES.c.seq <= head
    )
    frames: list[bytes] = []
    size = 0
    for found in tx.execute(asked.order_by(FEED_ENTRIES.c.seq).limit(limit)).scalars():
        size += len(found)
        if frames and size > max_bytes:
            break
        frames.append(bytes(found))
    return frames, int(head), after + len(frames) < head


def envelope_at(tx: Connection, node_id: str, seq: int) -> bytes | None:
    """One entry of a feed."""
    asked = sa.select(FEED_ENTRIES.c.envelope).where(FEED_ENTRIES.c.node_id == node_id, FEED_ENTRIES.c.seq == seq)
    found = tx.scalar(asked)
    return bytes(found) if found is not None else None


def ends(tx: Connection, node_ids: Iterable[str]) -> dict[str, int]:
    """Where these feeds end."""
    asked = sa.select(FEED_HEADS.c.node_id, FEED_HEADS.c.seq).where(FEED_HEADS.c.node_id.in_(list(node_ids)))
    return {row.node_id: int(row.seq) for row in tx.execute(asked)}
