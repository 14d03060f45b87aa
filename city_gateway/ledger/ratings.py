"""How applicants rated (好差评), for the city's eyes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import RATINGS


@dataclass(frozen=True, slots=True)
class Rating:
    """One application is rated once."""

    application_id: str
    level: int
    note: str
    rated_at: datetime


def keep(tx: Connection, rating: Rating) -> None:
    """Keep a rating; the lifecycle lets it come once."""
    tx.execute(sa.insert(RATINGS).values({name: getattr(rating, name) for name in Rating.__slots__}))


def find(tx: Connection, application_id: str) -> Rating | None:
    """The rating of an application."""
    row = tx.execute(sa.select(RATINGS).where(RATINGS.c.application_id == application_id)).mappings().first()
    return Rating(**{name: row[name] for name in Rating.__slots__}) if row else None
