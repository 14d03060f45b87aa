"""Operations that are stored and wait for what their author had seen and this ledger has not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import APPLICATIONS, JOURNAL, PARKED

AT_ONCE = 200
LARGEST_BASIS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Parked:
    """One waiting operation: its place in its author's journal, and the step it waits for."""

    node_id: str
    seq: int
    application_id: str
    basis: int
    parked_at: datetime


def park(tx: Connection, waiting: Iterable[Parked]) -> None:
    """Keep what has to wait."""
    rows = [
        {name: getattr(one, name) for name in Parked.__slots__} | {"basis": min(one.basis, LARGEST_BASIS)}
        for one in waiting
    ]
    if rows:
        tx.execute(sa.insert(PARKED), rows)


def lanes(tx: Connection, application_ids: Iterable[str]) -> dict[tuple[str, str], set[int]]:
    """For each author and application among these, the numbers that wait."""
    asked = sa.select(PARKED.c.node_id, PARKED.c.application_id, PARKED.c.seq)
    found: dict[tuple[str, str], set[int]] = {}
    for row in tx.execute(asked.where(PARKED.c.application_id.in_(list(application_ids)))):
        found.setdefault((row.node_id, row.application_id), set()).add(row.seq)
    return found


def ready(tx: Connection, application_ids: Iterable[str] | None, parked_by: datetime) -> list[str]:
    """The applications (of these, or of all) of which something has waited for what has come, or since `parked_by`."""
    asked = sa.select(PARKED.c.application_id).where(_reached() | (PARKED.c.parked_at <= parked_by)).distinct()
    if application_ids is not None:
        asked = asked.where(PARKED.c.application_id.in_(list(application_ids)))
    return sorted(tx.execute(asked).scalars())


def take(
    tx: Connection, application_id: str, parked_by: datetime, *, whatever: bool = False
) -> list[tuple[Parked, bytes]]:
    """What this application has come far enough for, what has waited since `parked_by`, or whatever waits, in order,
    with the sealed bytes; held for this transaction."""
    sealed = (JOURNAL.c.node_id == PARKED.c.node_id) & (JOURNAL.c.seq == PARKED.c.seq)
    asked = (
        sa.select(PARKED, JOURNAL.c.envelope)
        .join(JOURNAL, sealed)
        .where(
            PARKED.c.application_id == application_id,
            sa.true() if whatever else _reached() | (PARKED.c.parked_at <= parked_by),
        )
        .order_by(PARKED.c.basis, PARKED.c.parked_at, PARKED.c.node_id, PARKED.c.seq)
        .limit(AT_ONCE)
        .with_for_update(of=PARKED)
    )
    return [
        (Parked(**{name: row[name] for name in Parked.__slots__}), bytes(row["envelope"]))
        for row in tx.execute(asked).mappings()
    ]


def settle(tx: Connection, settled: Iterable[tuple[str, int, str]]) -> None:
    """These (author, number, standing) wait no longer."""
    rows = [{"author": node_id, "number": seq, "now": standing} for node_id, seq, standing in settled]
    if not rows:
        return
    author: sa.BindParameter[str] = sa.bindparam("author")
    number: sa.BindParameter[int] = sa.bindparam("number")
    here = (JOURNAL.c.node_id == author) & (JOURNAL.c.seq == number)
    tx.execute(sa.update(JOURNAL).where(here).values(standing=sa.bindparam("now")), rows)
    places = [{"author": row["author"], "number": row["number"]} for row in rows]
    tx.execute(sa.delete(PARKED).where(PARKED.c.node_id == author, PARKED.c.seq == number), places)


def waiting(tx: Connection) -> list[tuple[str, int, datetime]]:
    """The applications for which something waits: how many operations, and since when; the longest first."""
    since = sa.func.min(PARKED.c.parked_at)
    asked = sa.select(PARKED.c.application_id, sa.func.count(), since).group_by(PARKED.c.application_id)
    return [(row[0], int(row[1]), row[2]) for row in tx.execute(asked.order_by(since, PARKED.c.application_id))]


def _reached() -> sa.ColumnElement[bool]:
    here = sa.select(APPLICATIONS.c.case_seq).where(APPLICATIONS.c.application_id == PARKED.c.application_id)
    return PARKED.c.basis <= here.scalar_subquery()
