"""Which site a stored scan belongs to: the one whose node sent its bytes first, for ever.

Laws: only who sent all the bytes can own a scan, naming its hash gives nothing; a scan is owned before it becomes
visible, so one without an owner is as if it were not here and is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from city_gateway.ledger.tables import SCAN_OWNERS

AT_ONCE = 500


def claim(tx: Connection, sites: Mapping[str, str]) -> None:
    """These sites (by scan) sent whole scans; of each scan the first site owns it."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    rows = [{"scan_hash": scan_hash, "site": site} for scan_hash, site in sorted(sites.items())]
    if rows:
        tx.execute(insert(SCAN_OWNERS).on_conflict_do_nothing(), rows)


def owners(tx: Connection, scan_hashes: Iterable[str]) -> dict[str, str]:
    """The sites of those that are owned."""
    names = list(dict.fromkeys(scan_hashes))
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        asked = sa.select(SCAN_OWNERS).where(SCAN_OWNERS.c.scan_hash.in_(names[start : start + AT_ONCE]))
        found |= {row.scan_hash: row.site for row in tx.execute(asked)}
    return found
