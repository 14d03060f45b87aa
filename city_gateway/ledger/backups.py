"""What the live ledger knows of its own backups and restores.

Laws: a stable mark rises only to a mark that a verified backup holds, never sinks within a timeline, and is published
for all nodes in one transaction; a restore begins a new timeline and makes void what must not come back to life
(unused codes, open sessions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import (
    ENROLMENT_CODES,
    LEDGER_IDENTITY,
    NODES,
    OFFICE_SESSIONS,
    RESTORES,
    VERIFIED_BACKUPS,
)

MOMENT = timedelta(seconds=1)
AHEAD_AT_MOST = timedelta(minutes=5)
"""A backup that bears a later time than this was made while the clock was astray: its time says nothing of its age."""


@dataclass(frozen=True, slots=True)
class VerifiedBackup:
    """A backup whose marks were published; `held_back` nodes keep more than it holds, for scans it does not hold."""

    backup_id: str
    epoch: str
    made_at: datetime
    verified_at: datetime
    place: str
    applications: int
    scans: int
    held_back: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A timeline that began by a restore."""

    epoch: str
    restored_at: datetime
    left_epoch: str
    backup_id: str | None
    as_of: datetime | None


def epoch(tx: Connection) -> str:
    """Which timeline this transaction sees."""
    return str(tx.scalar(sa.select(LEDGER_IDENTITY.c.epoch)))


def publish(tx: Connection, backup: VerifiedBackup, marks: Mapping[str, int]) -> int:
    """Let the nodes rely on this backup: raise each stable mark to the one it holds; how many rose."""
    known = {row.node_id: (row.stable_hwm, row.hwm) for row in tx.execute(_standing().with_for_update())}
    rising = [
        {"which": node_id, "mark": mark}
        for node_id, mark in sorted(marks.items())
        if node_id in known and known[node_id][0] < mark <= known[node_id][1]
    ]
    if rising:
        raised = sa.update(NODES).where(NODES.c.node_id == sa.bindparam("which"))
        tx.execute(raised.values(stable_hwm=sa.bindparam("mark")), rising)
    keep(tx, backup)
    return len(rising)


def keep(tx: Connection, backup: VerifiedBackup) -> None:
    """Remember the backup, once."""
    tx.execute(sa.delete(VERIFIED_BACKUPS).where(VERIFIED_BACKUPS.c.backup_id == backup.backup_id))
    tx.execute(sa.insert(VERIFIED_BACKUPS).values({name: getattr(backup, name) for name in VerifiedBackup.__slots__}))


def newest(tx: Connection, now: datetime) -> VerifiedBackup | None:
    """The newest verified backup; one that bears a time to come only where there is no other."""
    made_at = VERIFIED_BACKUPS.c.made_at
    asked = sa.select(VERIFIED_BACKUPS).order_by(made_at > now + AHEAD_AT_MOST, made_at.desc()).limit(1)
    row = tx.execute(asked).mappings().first()
    return VerifiedBackup(**row) if row else None


def last_restore(tx: Connection) -> Restored | None:
    """The restore by which the present timeline began, if it was one."""
    row = tx.execute(sa.select(RESTORES).where(RESTORES.c.epoch == epoch(tx))).mappings().first()
    return Restored(**row) if row else None


def begin_timeline(tx: Connection, restored: Restored, stable: Mapping[str, int] | None) -> None:
    """From here on this ledger is another timeline; with `stable` given, those are the stable marks of it."""
    tx.execute(sa.update(LEDGER_IDENTITY).values(epoch=restored.epoch, created_at=restored.restored_at))
    tx.execute(sa.insert(RESTORES).values({name: getattr(restored, name) for name in Restored.__slots__}))
    unused = ENROLMENT_CODES.c.used_at.is_(None) & (ENROLMENT_CODES.c.expires_at > restored.restored_at)
    tx.execute(sa.update(ENROLMENT_CODES).where(unused).values(expires_at=restored.restored_at - MOMENT))
    tx.execute(sa.delete(OFFICE_SESSIONS))
    if stable is not None:
        tx.execute(sa.update(NODES).values(stable_hwm=0))
        rows = [{"which": node_id, "mark": mark} for node_id, mark in sorted(stable.items())]
        if rows:
            mark: sa.BindParameter[int] = sa.bindparam("mark")
            raised = sa.update(NODES).where(NODES.c.node_id == sa.bindparam("which"), NODES.c.hwm >= mark)
            tx.execute(raised.values(stable_hwm=mark), rows)


def _standing() -> sa.Select[tuple[str, int, int]]:
    return sa.select(NODES.c.node_id, NODES.c.stable_hwm, NODES.c.hwm).order_by(NODES.c.node_id)
