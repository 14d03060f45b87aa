"""Which application refers to which scan, and whether its key went out yet.

Law: a reference counts when the scan belongs to the site that made it or to the site of the application; any other is
kept and never served, so that naming a foreign scan gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.ledger.tables import APPLICATIONS, SCAN_OWNERS, SCAN_REFERENCES


@dataclass(frozen=True, slots=True)
class Reference:
    """An operation of a node of `site` names a scan."""

    scan_hash: str
    application_id: str
    site: str
    length: int
    shared: bool


def refer(tx: Connection, references: Iterable[Reference]) -> None:
    """Note references; known ones stay as they are."""
    rows = {
        (one.scan_hash, one.application_id, one.site): {name: getattr(one, name) for name in Reference.__slots__}
        for one in references
    }
    if not rows:
        return
    refers = SCAN_REFERENCES.c
    known = sa.select(refers.scan_hash, refers.application_id, refers.site).where(
        refers.application_id.in_({application_id for _, application_id, _ in rows})
    )
    for row in tx.execute(known):
        rows.pop((row[0], row[1], row[2]), None)
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
        _counting(refers.application_id, application.site, application.case_seq, refers.scan_hash)
        .where(refers.scan_hash.in_(scan_hashes), refers.shared.is_(False))
        .order_by(refers.application_id, refers.scan_hash)
        .with_for_update(of=SCAN_REFERENCES)
    )
    rows = tx.execute(asked).all() if scan_hashes else []
    return [
        Waiting(application_id, site, case_seq, tuple(dict.fromkeys(row[3] for row in found)))
        for (application_id, site, case_seq), found in groupby(rows, key=lambda row: (row[0], row[1], row[2]))
    ]


def all_waiting(tx: Connection) -> list[str]:
    """Every scan that belongs to somebody and that some application waits for."""
    asked = _counting(SCAN_REFERENCES.c.scan_hash).where(SCAN_REFERENCES.c.shared.is_(False))
    return list(tx.execute(asked.distinct()).scalars())


def mark_shared(tx: Connection, waiting: Iterable[Waiting]) -> None:
    """The keys went out to the readers of these applications."""
    which = (SCAN_REFERENCES.c.scan_hash == sa.bindparam("scan")) & (
        SCAN_REFERENCES.c.application_id == sa.bindparam("application")
    )
    rows = [{"scan": name, "application": one.application_id} for one in waiting for name in one.scan_hashes]
    tx.execute(sa.update(SCAN_REFERENCES).where(which).values(shared=True), rows)


def wait_again(tx: Connection, application_id: str, scan_hashes: Iterable[str]) -> None:
    """Somebody was told of this application without the keys of these: they go out when the scans are here again."""
    which = (SCAN_REFERENCES.c.application_id == application_id) & SCAN_REFERENCES.c.scan_hash.in_(list(scan_hashes))
    tx.execute(sa.update(SCAN_REFERENCES).where(which).values(shared=False))


def sites_of(tx: Connection, scan_hash: str) -> list[str]:
    """The sites of the applications that may have this scan."""
    asked = _counting(APPLICATIONS.c.site).where(SCAN_REFERENCES.c.scan_hash == scan_hash)
    return list(tx.execute(asked.distinct()).scalars())


def scans_of(tx: Connection, application_id: str) -> set[str]:
    """The scans that this application may have."""
    asked = _counting(SCAN_REFERENCES.c.scan_hash).where(SCAN_REFERENCES.c.application_id == application_id)
    return set(tx.execute(asked).scalars())


def _counting(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """References to scans that belong to whoever names them, or to the application's site."""
    refers, owner = SCAN_REFERENCES.c, SCAN_OWNERS.c.site
    return (
        sa.select(*columns)
        .select_from(SCAN_REFERENCES)
        .join(SCAN_OWNERS, SCAN_OWNERS.c.scan_hash == refers.scan_hash)
        .join(APPLICATIONS, APPLICATIONS.c.application_id == refers.application_id)
        .where((owner == refers.site) | (owner == APPLICATIONS.c.site))
    )
