"""Department clerks and their signed-in browsers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import OFFICE_CLERKS as CLERKS
from city_gateway.ledger.tables import OFFICE_SESSIONS as SESSIONS


@dataclass(frozen=True, slots=True)
class OfficeClerk:
    """A department's clerk."""

    clerk_id: str
    name: str
    department: str
    region: str
    role: str
    passphrase: str
    failures: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class OfficeSession:
    """A signed-in browser."""

    token_hash: str
    clerk_id: str
    form_secret: str
    last_seen: datetime


def add_clerk(tx: Connection, clerk: OfficeClerk) -> None:
    """Add a clerk, or replace name, department and passphrase of the one with this id, who is signed out everywhere."""
    tx.execute(sa.delete(SESSIONS).where(SESSIONS.c.clerk_id == clerk.clerk_id))
    tx.execute(sa.delete(CLERKS).where(CLERKS.c.clerk_id == clerk.clerk_id))
    tx.execute(sa.insert(CLERKS).values({name: getattr(clerk, name) for name in OfficeClerk.__slots__}))


def clerk(tx: Connection, clerk_id: str) -> OfficeClerk | None:
    """The clerk, held for this transaction."""
    row = tx.execute(sa.select(CLERKS).where(CLERKS.c.clerk_id == clerk_id).with_for_update()).mappings().first()
    return OfficeClerk(**{name: row[name] for name in OfficeClerk.__slots__}) if row else None


def note_attempt(tx: Connection, clerk_id: str, *, failures: int, locked_until: datetime | None) -> None:
    """Persist the lock-out, so that a restart forgives nothing."""
    tx.execute(
        sa.update(CLERKS).where(CLERKS.c.clerk_id == clerk_id).values(failures=failures, locked_until=locked_until)
    )


def open_session(tx: Connection, session: OfficeSession) -> None:
    """Keep a new session."""
    tx.execute(sa.insert(SESSIONS).values({name: getattr(session, name) for name in OfficeSession.__slots__}))


def session(tx: Connection, token_hash: str) -> OfficeSession | None:
    """The session of this cookie."""
    row = tx.execute(sa.select(SESSIONS).where(SESSIONS.c.token_hash == token_hash)).mappings().first()
    return OfficeSession(**{name: row[name] for name in OfficeSession.__slots__}) if row else None


def touch_session(tx: Connection, token_hash: str, now: datetime) -> None:
    """The browser is still there."""
    tx.execute(sa.update(SESSIONS).where(SESSIONS.c.token_hash == token_hash).values(last_seen=now))


def close_sessions(tx: Connection, *, token_hash: str | None = None, idle_since: datetime | None = None) -> None:
    """Forget one session, or all that were left alone."""
    which = SESSIONS.c.token_hash == token_hash if token_hash else SESSIONS.c.last_seen < idle_since
    tx.execute(sa.delete(SESSIONS).where(which))
