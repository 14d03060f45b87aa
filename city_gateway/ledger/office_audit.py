"""What people of the office did and looked at: one chain of signed entries, only ever added to.

Laws: there is no statement here that changes or removes an entry; whoever adds one waits until nobody else does, so
that numbers have no gap; the columns beside the document only find it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from city_gateway.ledger.tables import OFFICE_AUDIT as AUDIT

ADDING_LOCK = 0x6F666669636561  # any constant; the same in every process of this program
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry as it is kept."""

    seq: int
    at: datetime
    clerk_id: str
    act: str
    application_id: str | None
    about: str
    document: str


def last(tx: Connection) -> AuditRow | None:
    """The newest entry, held until this transaction ends: the next one is this transaction's."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADDING_LOCK})")
    row = tx.execute(sa.select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(1)).mappings().first()
    return _row(row) if row else None


def append(tx: Connection, row: AuditRow) -> None:
    """Keep one more entry."""
    tx.execute(sa.insert(AUDIT).values({name: getattr(row, name) for name in AuditRow.__slots__}))


def everything(tx: Connection) -> Iterator[AuditRow]:
    """The whole chain, from its beginning."""
    after = 0
    while found := list(
        tx.execute(sa.select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(ROWS_AT_ONCE)).mappings()
    ):
        yield from (_row(row) for row in found)
        after = found[-1]["seq"]


def of_application(tx: Connection, application_id: str) -> list[AuditRow]:
    """Everything about one application, oldest first."""
    asked = sa.select(AUDIT).where(AUDIT.c.application_id == application_id).order_by(AUDIT.c.seq)
    return [_row(row) for row in tx.execute(asked).mappings()]


def of_clerk(tx: Connection, clerk_id: str) -> list[AuditRow]:
    """Everything one person did, oldest first."""
    asked = sa.select(AUDIT).where(AUDIT.c.clerk_id == clerk_id).order_by(AUDIT.c.seq)
    return [_row(row) for row in tx.execute(asked).mappings()]


def _row(row: RowMapping) -> AuditRow:
    return AuditRow(**{name: row[name] for name in AuditRow.__slots__})
