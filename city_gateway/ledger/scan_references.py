"""Which application refers to which scan, and whether its key went out yet."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import APPLICATIONS, SCAN_REFERENCES


def refer(tx: Connection, references: Iterable[tuple[str, str, int, bool]]) -> None:
    """Note references (scan, application, length, key already shared); known ones stay as they are."""
    rows = {
        (scan_hash, application_id): {
            "scan_hash": scan_hash,
            "application_id": application_id,
            "length": length,
            "shared": shared,
        }
        for scan_hash, application_id, length, shared in references
    }
    if not rows:
        return
    known = sa.select(SCAN_REFERENCES.c.scan_hash, SCAN_REFERENCES.c.application_id).where(
        SCAN_REFERENCES.c.application_id.in_({application_id for _, application_id in rows})
    )
    for row in tx.execute(known):
        rows.pop((row[0], row[1]), None)
    if rows:
        tx.execute(sa.insert(SCAN_REFERENCES), list(rows.values()))


def waiting_for(tx: Connection, scan_hash: str) -> list[str]:
    """Applications that wait for this scan, held for this transaction."""
    asked = sa.select(SCAN_REFERENCES.c.application_id).where(
        SCAN_REFERENCES.c.scan_hash == scan_hash, SCAN_REFERENCES.c.shared.is_(False)
    )
    return list(tx.execute(asked.order_by(SCAN_REFERENCES.c.application_id).with_for_update()).scalars())


def all_waiting(tx: Connection) -> list[str]:
    """Every scan that some application waits for."""
    asked = sa.select(SCAN_REFERENCES.c.scan_hash).where(SCAN_REFERENCES.c.shared.is_(False)).distinct()
    return list(tx.execute(asked).scalars())


def mark_shared(tx: Connection, scan_hash: str, application_ids: list[str]) -> None:
    """The key of this scan went out to the readers of these applications."""
    which = (SCAN_REFERENCES.c.scan_hash == scan_hash) & SCAN_REFERENCES.c.application_id.in_(application_ids)
    tx.execute(sa.update(SCAN_REFERENCES).where(which).values(shared=True))


def of_application(tx: Connection, application_id: str) -> list[str]:
    """The scans an application ever referred to."""
    asked = sa.select(SCAN_REFERENCES.c.scan_hash).where(SCAN_REFERENCES.c.application_id == application_id)
    return list(tx.execute(asked).scalars())


def sites_of(tx: Connection, scan_hash: str) -> list[str]:
    """The sites whose applications refer to this scan."""
    asked = sa.select(APPLICATIONS.c.site).join(
        SCAN_REFERENCES, SCAN_REFERENCES.c.application_id == APPLICATIONS.c.application_id
    )
    return list(tx.execute(asked.where(SCAN_REFERENCES.c.scan_hash == scan_hash).distinct()).scalars())
