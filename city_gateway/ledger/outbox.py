"""Records promised to the provincial platform: written with the act they tell of, delivered exactly once later."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import PLATFORM_OUTBOX as OUTBOX


@dataclass(frozen=True, slots=True)
class PlatformRecord:
    """One row of one record set; (act, record set, row) names it for ever, also in a ledger that was restored."""

    act: str
    application_id: str
    record_set: str
    row: int
    body: dict[str, Any]


def promise(tx: Connection, records: Iterable[PlatformRecord], now: datetime) -> None:
    """Promise records for delivery."""
    rows = [
        {
            "act": record.act,
            "application_id": record.application_id,
            "record_set": record.record_set,
            "row": record.row,
            "body": json.dumps(record.body, ensure_ascii=False, separators=(",", ":")),
            "recorded_at": now,
        }
        for record in records
    ]
    if rows:
        tx.execute(sa.insert(OUTBOX), rows)


def undelivered(tx: Connection, limit: int) -> list[tuple[int, PlatformRecord]]:
    """The oldest promises, by their numbers."""
    asked = sa.select(OUTBOX).where(OUTBOX.c.delivered_at.is_(None)).order_by(OUTBOX.c.id).limit(limit)
    return [
        (
            row["id"],
            PlatformRecord(row["act"], row["application_id"], row["record_set"], row["row"], json.loads(row["body"])),
        )
        for row in tx.execute(asked).mappings()
    ]


def delivered(tx: Connection, ids: Iterable[int], now: datetime) -> None:
    """The platform has these."""
    tx.execute(sa.update(OUTBOX).where(OUTBOX.c.id.in_(list(ids))).values(delivered_at=now))
