"""Enrolled nodes: who they are, their mark, and what they last said of themselves.

`lock` is the first lock of a batch: one node's work is serial, nodes are parallel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from city_gateway.ledger.tables import FEED_HEADS, NODES
from wire.fields import NodeRole

ACTIVE = "active"
STOPPED = "stopped"
NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Node:
    """One row of the fleet."""

    node_id: str
    role: NodeRole
    site: str
    site_name: str
    region: str
    township: str
    standing: str
    stopped_for: str | None
    identity_public: bytes
    sealing_public: bytes
    transport_public: bytes
    valid_from: datetime
    valid_to: datetime
    hwm: int
    head_hash: bytes
    stable_hwm: int
    enrolled_at: datetime
    last_contact: datetime | None
    heard_on: int
    """The number of the served day (`served_days`) of the last contact, or of the enrolment."""
    report: str | None


@dataclass(frozen=True, slots=True)
class NodeKey:
    """What proves a node's requests, and whether it may speak."""

    node_id: str
    transport_public: bytes
    standing: str


def enrol(tx: Connection, node: Node) -> None:
    """Add a node whose chain and feed begin."""
    tx.execute(
        sa.insert(NODES).values({name: getattr(node, name) for name in Node.__slots__} | {"role": node.role.value})
    )
    tx.execute(sa.insert(FEED_HEADS).values(node_id=node.node_id, seq=0, head_hash=NO_HASH))


def find(tx: Connection, node_id: str) -> Node | None:
    """The node, as last committed."""
    row = tx.execute(sa.select(NODES).where(NODES.c.node_id == node_id)).mappings().first()
    return _node(row) if row else None


def keys_of(tx: Connection, node_ids: Iterable[str]) -> list[NodeKey]:
    """The transport keys of those that exist."""
    asked = sa.select(NODES.c.node_id, NODES.c.transport_public, NODES.c.standing)
    found = tx.execute(asked.where(NODES.c.node_id.in_(list(node_ids))))
    return [NodeKey(row.node_id, bytes(row.transport_public), row.standing) for row in found]


def lock(tx: Connection, node_id: str) -> Node | None:
    """The node, held for this transaction."""
    row = tx.execute(sa.select(NODES).where(NODES.c.node_id == node_id).with_for_update()).mappings().first()
    return _node(row) if row else None


def in_regions(tx: Connection, regions: Iterable[str]) -> list[Node]:
    """The active nodes that stand for one of these regions, in the order of their ids."""
    asked = sa.select(NODES).where(NODES.c.standing == ACTIVE, NODES.c.region.in_(list(regions)))
    return [_node(row) for row in tx.execute(asked.order_by(NODES.c.node_id)).mappings()]


def everyone(tx: Connection) -> list[Node]:
    """The whole fleet, for the overview."""
    return [_node(row) for row in tx.execute(sa.select(NODES).order_by(NODES.c.site, NODES.c.enrolled_at)).mappings()]


def ever_at(tx: Connection, site: str) -> list[str]:
    """The ids of every node that was ever enrolled for the site, stopped ones, too."""
    return list(tx.execute(sa.select(NODES.c.node_id).where(NODES.c.site == site)).scalars())


def stood_at(tx: Connection, node_id: str, *, site: str, role: NodeRole) -> bool:
    """Whether this id was ever enrolled for the site and role: an earlier identity of the same counter."""
    asked = sa.select(NODES.c.node_id).where(
        NODES.c.node_id == node_id, NODES.c.site == site, NODES.c.role == role.value
    )
    return tx.execute(asked).first() is not None


def advance(
    tx: Connection,
    node_id: str,
    *,
    hwm: int,
    head_hash: bytes,
    contact: datetime,
    heard_on: int,
    report: str | None = None,
) -> None:
    """Move the mark and note the contact."""
    values: dict[str, Any] = {"hwm": hwm, "head_hash": head_hash, "last_contact": contact, "heard_on": heard_on}
    if report is not None:
        values["report"] = report
    tx.execute(sa.update(NODES).where(NODES.c.node_id == node_id).values(**values))


def renew(tx: Connection, node_id: str, valid_from: datetime, valid_to: datetime) -> None:
    """The same node for another span of time."""
    tx.execute(sa.update(NODES).where(NODES.c.node_id == node_id).values(valid_from=valid_from, valid_to=valid_to))


def stop(tx: Connection, node_id: str, why: str) -> None:
    """Stop this identity; everything it sent stays."""
    tx.execute(sa.update(NODES).where(NODES.c.node_id == node_id).values(standing=STOPPED, stopped_for=why))


def _node(row: RowMapping) -> Node:
    return Node(**{name: row[name] for name in Node.__slots__} | {"role": NodeRole(row["role"])})
