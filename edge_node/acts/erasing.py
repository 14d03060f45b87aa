"""Erasing what this node no longer needs: the scans of what is over.

Laws
- Scans go only when everything this node ever said about their application lies within the gateway's *stable* mark
  and was answered, nobody has anything left to do, and the retention period is over by trusted time.
- First the row with its content key, then the file: without the key the bytes are unreadable wherever copies of them
  lie.
- Erasing is an entry of the journal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from casework.application import Application
from casework.states import CLOSED_STATES, State
from edge_node.acts import audit
from edge_node.acts.counter import Counter
from offline_store.desk import applications, journal, scans, state
from offline_store.desk.database import Transaction

OVER: Final = CLOSED_STATES | {State.DELIVERED}


def erase_due(counter: Counter) -> int:
    """Erase the scans whose time has come; says how many."""
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        stable = marks.stable_hwm if marks else 0
        due = [
            application_id
            for application_id in scans.still_here(tx, OVER)
            if _is_over(counter, tx, application_id, stable, reading.trusted)
        ]
    return sum(_erase(counter, application_id) for application_id in due)


def _is_over(counter: Counter, tx: Transaction, application_id: str, stable: int, trusted: datetime) -> bool:
    known = applications.find(tx, application_id)
    if known is None or known.confirmed is None or known.pending or known.confirmed.state not in OVER:
        return False
    ended = _ended(known.confirmed)
    own = journal.of_application(tx, application_id)
    settled = all(link.seq <= stable and link.outcome is not None for link in own)
    return settled and ended is not None and ended + counter.limits.retention <= trusted


def _ended(application: Application) -> datetime | None:
    return application.closed_at or application.delivered_at


def _erase(counter: Counter, application_id: str) -> int:
    with counter.desk.transaction() as tx:
        hashes = [scan.scan_hash for scan in scans.of_application(tx, application_id)]
        scans.remove(tx, hashes)
        audit.note(counter, tx, audit.ERASED, application_id=application_id, scans=len(hashes))
    for scan_hash in hashes:
        counter.vault.remove(scan_hash)
    return len(hashes)
