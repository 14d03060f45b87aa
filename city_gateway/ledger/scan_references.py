"""Which application refers to which scan, and whether its key went out yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

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


@dataclass(frozen=True, slots=True)
class Waiting:
    """An application that waits for scans, and where it stands."""

    application_id: str
    site: str
    case_seq: int
    scan_hashes: tuple[str, ...]


def waiting_for(tx: Connection, scan_hashes: Sequence[str]) -> list[Waiting]:
    """Applications that wait for one of these scans; the references are held for this transaction."""
    refers, application = SCAN_REFERENCES.c, APPLICATIONS.c
    asked = (
        sa.select(refers.application_id, application.site, application.case_seq, refers.scan_hash)
        .join(APPLICATIONS, application.application_id == refers.application_id)
        .where(refers.scan_hash.in_(scan_hashes), refers.shared.is_(False))
        .order_by(refers.application_id, refers.scan_hash)
        .with_for_update(of=SCAN_REFERENCES)
    )
    rows = tx.execute(asked).all() if scan_hashes else []
    return [
        Waiting(application_id, site, case_seq, tuple(row[3] for row in found))
        for (application_id, site, case_seq), found in groupby(rows, key=lambda row: (row[0], row[1], row[2]))
    ]


def all_waiting(tx: Connection) -> list[str]:
    """Every scan that some application waits for."""
    asked = sa.select(SCAN_REFERENCES.c.scan_hash).where(SCAN_REFERENCES.c.shared.is_(False)).distinct()
    return list(tx.execute(asked).scalars())


def mark_shared(tx: Connection, waiting: Iterable[Waiting]) -> None:
    """The keys went out to the readers of these applications."""
    which = (SCAN_REFERENCES.c.scan_hash == sa.bindparam("scan")) & (
        SCAN_REFERENCES.c.application_id == sa.bindparam("application")
    )
    rows = [{"scan": name, "application": one.application_id} for one in waiting for name in one.scan_hashes]
    tx.execute(sa.update(SCAN_REFERENCES).where(which).values(shared=True), rows)


def sites_of(tx: Connection, scan_hash: str) -> list[str]:
    """The sites whose applications refer to this scan."""
    asked = sa.select(APPLICATIONS.c.site).join(
        SCAN_REFERENCES, SCAN_REFERENCES.c.application_id == APPLICATIONS.c.application_id
    )
    return list(tx.execute(asked.where(SCAN_REFERENCES.c.scan_hash == scan_hash).distinct()).scalars())
