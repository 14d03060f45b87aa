"""One-time enrolment codes, kept as keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import ENROLMENT_CODES as CODES
from wire.fields import NodeRole


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """What a code stands for, and what it was used for."""

    code_mac: str
    role: NodeRole
    site: str
    site_name: str
    issued_at: datetime
    expires_at: datetime
    request_hash: str | None = None
    document: str | None = None


def issue(tx: Connection, code: EnrolmentCode) -> None:
    """Keep a new code."""
    row = {name: getattr(code, name) for name in EnrolmentCode.__slots__} | {"role": code.role.value}
    tx.execute(sa.insert(CODES).values(row))


def find(tx: Connection, code_mac: str) -> EnrolmentCode | None:
    """The code, used or not, held for this transaction."""
    row = tx.execute(sa.select(CODES).where(CODES.c.code_mac == code_mac).with_for_update()).mappings().first()
    if row is None:
        return None
    return EnrolmentCode(**{name: row[name] for name in EnrolmentCode.__slots__} | {"role": NodeRole(row["role"])})


def use(tx: Connection, code_mac: str, *, node_id: str, request_hash: str, document: str, now: datetime) -> bool:
    """Use up a code; False when somebody was faster."""
    free = sa.update(CODES).where(CODES.c.code_mac == code_mac, CODES.c.request_hash.is_(None))
    used = tx.execute(free.values(node_id=node_id, request_hash=request_hash, document=document, used_at=now))
    return used.rowcount == 1
