"""What was answered by telephone to clerks who forgot their passphrases: only ever added to.

Law: the answer itself is not kept; whoever reads the ledger learns who asked about whom, and when, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import CLERK_RECOVERIES as RECOVERIES

ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Recovery:
    """One call: about which clerk of which node, who sat at the city's telephone, and what was said."""

    at: datetime
    node_id: str
    clerk_id: str
    challenge: str
    answered_by: str
    verdict: str


def note(tx: Connection, recovery: Recovery) -> None:
    """Keep what is about to be said."""
    tx.execute(sa.insert(RECOVERIES).values({name: getattr(recovery, name) for name in Recovery.__slots__}))


def answered_at(tx: Connection, node_id: str, challenge: str) -> datetime | None:
    """When this challenge was last answered; None when it never was."""
    asked = sa.select(sa.func.max(RECOVERIES.c.at)).where(
        RECOVERIES.c.node_id == node_id, RECOVERIES.c.challenge == challenge, RECOVERIES.c.verdict == ANSWERED
    )
    return tx.execute(asked).scalar()


def newest(tx: Connection, limit: int) -> Sequence[Recovery]:
    """The last calls, the newest first."""
    rows = tx.execute(sa.select(RECOVERIES).order_by(RECOVERIES.c.id.desc()).limit(limit)).mappings()
    return [Recovery(**{name: row[name] for name in Recovery.__slots__}) for row in rows]
