"""Which site a stored scan belongs to: the one whose node sent its bytes first, for ever.

Laws: only who sent all the bytes can own a scan, naming its hash gives nothing; a scan is owned before it becomes
visible, so one without an owner is as if it were not here and is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city_gateway.ledger.tables import SCAN_OWNERS

AT_ONCE = 500


def claim(tx: Connection, scan_hash: str, site: str) -> None:
    """This site sent the whole scan; the first one owns it."""
    if owners(tx, [scan_hash]):
        return
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(SCAN_OWNERS).values(scan_hash=scan_hash, site=site))
    except IntegrityError:
        return  # another process was first


def owners(tx: Connection, scan_hashes: Iterable[str]) -> dict[str, str]:
    """The sites of those that are owned."""
    names = list(dict.fromkeys(scan_hashes))
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        asked = sa.select(SCAN_OWNERS).where(SCAN_OWNERS.c.scan_hash.in_(names[start : start + AT_ONCE]))
        found |= {row.scan_hash: row.site for row in tx.execute(asked)}
    return found
