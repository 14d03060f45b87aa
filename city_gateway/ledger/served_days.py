"""The days on which this city served somebody, numbered in the order in which they came.

A length of time in served days is one that no clock can jump over: a clock that is ten years ahead for an hour adds one
day, and one that is set right adds none.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from city_gateway.ledger.tables import SERVED_DAYS


def number_of(tx: Connection, day: date) -> int:
    """The number of this day, which is served from now on."""
    asked = sa.select(SERVED_DAYS.c.number).where(SERVED_DAYS.c.day == day)
    number = tx.execute(asked).scalar()
    if number is None:
        insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
        tx.execute(insert(SERVED_DAYS).values(day=day).on_conflict_do_nothing())  # two nodes may begin a day at once
        number = tx.execute(asked).scalar_one()
    return int(number)


def newest(tx: Connection) -> int:
    """The number of the day that came last; 0 when nobody was ever served."""
    return int(tx.execute(sa.select(sa.func.max(SERVED_DAYS.c.number))).scalar() or 0)
