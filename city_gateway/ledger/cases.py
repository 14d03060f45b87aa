"""Applications as the city knows them, and the city's order of each.

`lock` is the second lock of a batch, taken by application id in one order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from casework.application import Application
from casework.identifiers import region_level
from casework.record import application_from_plain, application_to_plain
from city_gateway.ledger.tables import APPLICATIONS, CASE_ENTRIES

Plain = dict[str, Any]
LEVEL_DIGITS = (0, 2, 4, 6, 9, 12)


@dataclass(frozen=True, slots=True)
class Case:
    """An application and how many entries its order has."""

    application: Application
    case_seq: int


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One step of the city's order: a node's operation (by op_id and place in its journal), the city's events, or
    both."""

    application_id: str
    case_seq: int
    op_id: str | None
    author_node: str | None
    author_seq: int | None
    events: tuple[Plain, ...]
    recorded_at: datetime


def lock(tx: Connection, application_ids: Iterable[str]) -> dict[str, Case]:
    """The known ones among these, held for this transaction."""
    ids = sorted(set(application_ids))
    if not ids:
        return {}
    asked = sa.select(APPLICATIONS).where(APPLICATIONS.c.application_id.in_(ids))
    rows = tx.execute(asked.order_by(APPLICATIONS.c.application_id).with_for_update()).mappings()
    return {row["application_id"]: _case(row) for row in rows}


def find(tx: Connection, application_id: str) -> Case | None:
    """One application, as last committed."""
    asked = sa.select(APPLICATIONS).where(APPLICATIONS.c.application_id == application_id)
    row = tx.execute(asked).mappings().first()
    return _case(row) if row else None


def only(tx: Connection, text: str) -> Case | None:
    """The one application of this id or receipt number; None where there is none, or more than one."""
    named = sa.or_(APPLICATIONS.c.application_id == text, APPLICATIONS.c.receipt_no == text)
    found = tx.execute(sa.select(APPLICATIONS).where(named).limit(2)).mappings().all()
    return _case(found[0]) if len(found) == 1 else None


def save(tx: Connection, new: Mapping[str, Case], changed: Mapping[str, Case], now: datetime) -> None:
    """Write what a batch made of applications."""
    if new:
        tx.execute(sa.insert(APPLICATIONS), [_row(case, now) for case in new.values()])
    if changed:
        values: Plain = {name: sa.bindparam(f"new_{name}") for name in ("state", "case_seq", "updated_at", "record")}
        written = sa.update(APPLICATIONS).where(APPLICATIONS.c.application_id == sa.bindparam("which")).values(**values)
        rows = [_row(case, now) for case in changed.values()]
        tx.execute(written, [{"which": row["application_id"]} | {f"new_{n}": row[n] for n in values} for row in rows])


def append(tx: Connection, entries: Iterable[CaseEntry]) -> None:
    """Write the next steps of the city's order."""
    rows = [
        {name: getattr(entry, name) for name in CaseEntry.__slots__}
        | {"events": json.dumps(entry.events, ensure_ascii=False)}
        for entry in entries
    ]
    if rows:
        tx.execute(sa.insert(CASE_ENTRIES), rows)


def entry(tx: Connection, application_id: str, case_seq: int) -> CaseEntry | None:
    """One step of an application's order."""
    asked = sa.select(CASE_ENTRIES).where(
        CASE_ENTRIES.c.application_id == application_id, CASE_ENTRIES.c.case_seq == case_seq
    )
    row = tx.execute(asked).mappings().first()
    return _entry(row) if row else None


def entries_of(tx: Connection, application_id: str) -> list[CaseEntry]:
    """The whole order of one application."""
    asked = sa.select(CASE_ENTRIES).where(CASE_ENTRIES.c.application_id == application_id)
    return [_entry(row) for row in tx.execute(asked.order_by(CASE_ENTRIES.c.case_seq)).mappings()]


def entries_at(tx: Connection, region: str, *, covering: bool) -> list[CaseEntry]:
    """The whole order of every application of a site, or of all sites that a region covers."""
    mine = within(region) if covering else APPLICATIONS.c.site == region
    asked = (
        sa.select(CASE_ENTRIES)
        .join(APPLICATIONS, APPLICATIONS.c.application_id == CASE_ENTRIES.c.application_id)
        .where(mine)
        .order_by(CASE_ENTRIES.c.recorded_at, CASE_ENTRIES.c.application_id, CASE_ENTRIES.c.case_seq)
    )
    return [_entry(row) for row in tx.execute(asked).mappings()]


def page(
    tx: Connection,
    *,
    states: Sequence[str] = (),
    text: str = "",
    region: str | None = None,
    before: datetime | None = None,
    offset: int,
    limit: int,
) -> tuple[list[Case], int]:
    """Applications in these states and this region, oldest change first, and how many there are in all."""
    where: list[sa.ColumnElement[bool]] = [] if region is None else [within(region)]
    if states:
        where.append(APPLICATIONS.c.state.in_(list(states)))
    if text:
        where.append(
            sa.or_(APPLICATIONS.c.receipt_no == text, APPLICATIONS.c.item_id == text, APPLICATIONS.c.site == text)
        )
    if before is not None:
        where.append(APPLICATIONS.c.updated_at <= before)
    total = tx.scalar(sa.select(sa.func.count()).select_from(APPLICATIONS).where(*where))
    asked = sa.select(APPLICATIONS).where(*where).order_by(APPLICATIONS.c.updated_at, APPLICATIONS.c.application_id)
    return [_case(row) for row in tx.execute(asked.offset(offset).limit(limit)).mappings()], int(total or 0)


def within(region: str) -> sa.ColumnElement[bool]:
    """Whether an application's site lies in the region."""
    return APPLICATIONS.c.site.startswith(region[: LEVEL_DIGITS[region_level(region)]], autoescape=True)


def _row(case: Case, now: datetime) -> Plain:
    application = case.application
    return {
        "application_id": application.application_id,
        "receipt_no": application.receipt_no,
        "item_id": application.item_id,
        "site": application.site,
        "state": str(application.state),
        "case_seq": case.case_seq,
        "updated_at": now,
        "record": json.dumps(application_to_plain(application), ensure_ascii=False, separators=(",", ":")),
    }


def _case(row: RowMapping) -> Case:
    return Case(application_from_plain(json.loads(row["record"])), row["case_seq"])


def _entry(row: RowMapping) -> CaseEntry:
    values = {name: row[name] for name in CaseEntry.__slots__}
    return CaseEntry(**values | {"events": tuple(json.loads(row["events"]))})
