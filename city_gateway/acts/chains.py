"""Every chain that the city keeps, followed from its beginning: nodes' journals, the feeds to them, the city's audit.

Laws: everything is as of one moment; nothing is opened and nothing is repaired; a chain that breaks is told with the
number of the entry at which it does, and the others are followed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.acts import office_audit
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office_audit import ChainHead
from city_gateway.errors import AuditBroken
from city_gateway.ledger import feeds, nodes
from city_gateway.ledger import office_audit as kept
from city_gateway.ledger.nodes import Node
from city_gateway.ledger.tables import FEED_ENTRIES, JOURNAL
from wire.audit_chain import GENESIS, follow
from wire.errors import ChainBroken, WireError

ROWS_AT_ONCE = 200


class Chain(StrEnum):
    """Whose chain."""

    JOURNAL = "journal"
    FEED = "feed"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Followed:
    """How far one chain holds; `broken_at` is the number of the first entry that does not fit."""

    chain: Chain
    node_id: str
    site_name: str
    seq: int
    head: str
    broken_at: int | None = None
    why: str = ""


def follow_all(gateway: Gateway, noted_head: ChainHead | None = None) -> Iterator[Followed]:
    """Each chain in turn; the city's own last, compared with a head that was noted elsewhere."""
    with gateway.ledger.snapshot() as tx:
        ends = feeds.ends(tx, [node.node_id for node in nodes.everyone(tx)])
        for node in nodes.everyone(tx):
            yield _followed(tx, JOURNAL, Chain.JOURNAL, node, node.identity_public, node.hwm, bytes(node.head_hash))
            yield _followed(
                tx, FEED_ENTRIES, Chain.FEED, node, gateway.keys.signing.public, ends.get(node.node_id, 0), None
            )
        yield _office(gateway, tx, noted_head)


def _followed(
    tx: Connection, table: sa.Table, chain: Chain, node: Node, signer: bytes, mark: int, head_hash: bytes | None
) -> Followed:
    head = GENESIS

    def broken(at: int, why: str) -> Followed:
        return Followed(chain, node.node_id, node.site_name, head.seq, head.hash.hex(), at, why)

    for row in _entries(tx, table, node.node_id):
        if row.seq != head.seq + 1:
            return broken(head.seq + 1, "gap")
        try:
            head = follow(head, bytes(row.envelope), signer, node_id=bytes.fromhex(node.node_id))
        except ChainBroken:
            return broken(row.seq, "prev")
        except WireError:
            return broken(row.seq, "signature")
    if head.seq != mark or (head_hash is not None and mark and head.hash != head_hash):
        return broken(min(head.seq, mark) + 1, "cut")
    return Followed(chain, node.node_id, node.site_name, head.seq, head.hash.hex())


def _entries(tx: Connection, table: sa.Table, node_id: str) -> Iterator[Any]:
    asked = sa.select(table.c.seq, table.c.envelope).where(table.c.node_id == node_id).order_by(table.c.seq)
    after = 0
    while found := tx.execute(asked.where(table.c.seq > after).limit(ROWS_AT_ONCE)).all():
        yield from found
        after = found[-1].seq


def _office(gateway: Gateway, tx: Connection, noted_head: ChainHead | None) -> Followed:
    try:
        head = office_audit.verified(kept.everything(tx), gateway.keys.signing.public, noted_head=noted_head)
    except AuditBroken as broken:
        at = int(broken.params["seq"])
        return Followed(Chain.OFFICE, gateway.keys.gateway_id, "", at - 1, "", at, str(broken.params["why"]))
    return Followed(Chain.OFFICE, gateway.keys.gateway_id, "", head.seq, head.hash)
