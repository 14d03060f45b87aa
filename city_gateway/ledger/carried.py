"""Bundles that carriers brought: which were taken in, and what their node asked for.

The newest bundle of a node says from where its answer begins. Only the newest few of each node are remembered: a
bundle that comes again later is still harmless, it is only not told apart from a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from city_gateway.ledger.tables import CARRIED_BUNDLES

REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class CarriedBundle:
    """One bundle; `asked` is its inventory without the parts, as JSON."""

    bundle_id: str
    node_id: str
    number: int
    taken_at: datetime
    asked: str


def known(tx: Connection, bundle_id: str) -> bool:
    """Whether this very bundle was taken in."""
    asked = sa.select(CARRIED_BUNDLES.c.bundle_id).where(CARRIED_BUNDLES.c.bundle_id == bundle_id)
    return tx.execute(asked).first() is not None


def newest(tx: Connection, node_id: str) -> CarriedBundle | None:
    """The bundle with the highest number of this node."""
    table = CARRIED_BUNDLES
    asked = sa.select(table).where(table.c.node_id == node_id)
    row = tx.execute(asked.order_by(table.c.number.desc(), table.c.taken_at.desc()).limit(1)).mappings().first()
    return CarriedBundle(**{name: row[name] for name in CarriedBundle.__slots__}) if row else None


def remember(tx: Connection, bundle: CarriedBundle) -> None:
    """Keep it, and forget the oldest."""
    table = CARRIED_BUNDLES
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    values = {name: getattr(bundle, name) for name in CarriedBundle.__slots__}
    tx.execute(insert(table).values(values).on_conflict_do_nothing())  # two carriers may bring it at the same moment
    kept = sa.select(table.c.bundle_id).where(table.c.node_id == bundle.node_id)
    kept = kept.order_by(table.c.number.desc(), table.c.taken_at.desc()).limit(REMEMBERED)
    ids = list(tx.execute(kept).scalars())
    tx.execute(sa.delete(table).where(table.c.node_id == bundle.node_id, table.c.bundle_id.not_in(ids)))


def senders(tx: Connection) -> list[str]:
    """Every node that ever sent a bundle."""
    return sorted(tx.execute(sa.select(CARRIED_BUNDLES.c.node_id).distinct()).scalars())
