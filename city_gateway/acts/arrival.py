"""A scan became whole: its key goes to the townships that wait for it.

Laws: a scan may come before or after the operation that names it; whichever commits second shares the key, and once.
What was missed between a commit and a crash is found again at start.
"""

from __future__ import annotations

from sqlalchemy import Connection

from city_gateway.acts import scan_shelf
from city_gateway.acts.feed import Draft, tell, wraps_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.readers import TOWNSHIP, Readers
from city_gateway.ledger import cases, scan_references
from wire.messages import FeedEntry


def share_scan(gateway: Gateway, scan_hash: str) -> None:
    """Send the key of a whole scan to those who wait for it."""
    gateway.news(gateway.ledger.run(lambda tx: _share(gateway, tx, scan_hash)))


def share_missed(gateway: Gateway) -> None:
    """At start: scans that are here and whose key did not go out."""
    with gateway.ledger.reading() as tx:
        waiting = scan_references.all_waiting(tx)
    for scan_hash in scan_shelf.stored(gateway, waiting):
        share_scan(gateway, scan_hash)


def _share(gateway: Gateway, tx: Connection, scan_hash: str) -> set[str]:
    keys = scan_shelf.keys_of(gateway, [scan_hash])
    waiting = scan_references.waiting_for(tx, scan_hash)
    if not waiting or not keys:
        return set()
    readers = Readers(tx)
    drafts = []
    for application_id, case in cases.lock(tx, waiting).items():
        for reader in readers.of(case.application.site):
            if reader.role == TOWNSHIP:
                entry = FeedEntry(
                    application_id=application_id,
                    case_seq=case.case_seq,
                    author_role=str(gateway.city.role),
                    result="recorded",
                    scan_wraps=wraps_for(reader, keys),
                )
                drafts.append(Draft(reader, entry))
    scan_references.mark_shared(tx, scan_hash, waiting)
    return tell(gateway, tx, drafts)
