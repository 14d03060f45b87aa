"""Scans became whole: their keys go to the townships that wait for them.

Laws: a scan may come before or after the operation that names it; whichever commits second shares the key, and once.
Scans of one application that arrive together share one entry.
What was missed between a commit and a crash is found again at start, and now and then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from city_gateway.acts import scan_shelf
from city_gateway.acts.feed import Draft, ScanKey, tell, wraps_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.readers import Readers
from city_gateway.ledger import scan_references
from wire.fields import NodeRole
from wire.messages import FeedEntry, Result

AT_ONCE = 200


def share_scans(gateway: Gateway, scan_hashes: Sequence[str]) -> None:
    """Send the keys of whole scans to those who wait for them, all in one transaction."""
    keys = scan_shelf.keys_of(gateway, scan_hashes)  # before the transaction, which must not wait for a far store
    gateway.news(gateway.ledger.run(lambda tx: _share(gateway, tx, keys)))


def share_missed(gateway: Gateway) -> int:
    """Scans that are here and whose key did not go out; how many."""
    with gateway.ledger.reading() as tx:
        waiting = scan_references.all_waiting(tx)
    here = scan_shelf.stored(gateway, waiting)
    for start in range(0, len(here), AT_ONCE):
        share_scans(gateway, here[start : start + AT_ONCE])
    return len(here)


def _share(gateway: Gateway, tx: Connection, keys: Mapping[str, ScanKey]) -> set[str]:
    waiting = scan_references.waiting_for(tx, list(keys))
    if not waiting:
        return set()
    gateway.ledger.readers_stay(tx)
    readers = Readers(tx)
    drafts = []
    for one in waiting:
        for reader in readers.of(one.site):
            if reader.role is NodeRole.TOWNSHIP:
                entry = FeedEntry(
                    application_id=one.application_id,
                    case_seq=one.case_seq,
                    author_role=str(gateway.city.role),
                    result=Result.RECORDED,
                    scan_wraps=wraps_for(reader, {name: keys[name] for name in one.scan_hashes}),
                )
                drafts.append(Draft(reader, entry))
    scan_references.mark_shared(tx, waiting)
    return tell(gateway, tx, drafts)
