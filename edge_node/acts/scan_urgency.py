"""Which scan goes first: a number for the ticket, lower is earlier; among equals the courier takes the smaller one.

Laws: what somebody waits for by a near day comes before what answers a return, and that before the rest; an application
of which only one scan is missing comes before its like, because one scan more makes it whole.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from casework.states import State
from casework.working_days import city_day
from edge_node.counter.counter import Counter
from offline_store.desk import applications, scans
from offline_store.desk.applications import Known
from offline_store.desk.database import Transaction
from offline_store.desk.scans import ScanStatus

DUE_SOON: Final = 2
ANSWERS_A_RETURN: Final = 4
ORDINARY: Final = 6
SOON: Final = timedelta(days=2)
LAST_ONE: Final = 1


def priority(counter: Counter, tx: Transaction, application_id: str | None) -> int:
    """The number for the scans of this application."""
    known = applications.find(tx, application_id) if application_id else None
    if known is None or application_id is None:
        return ORDINARY
    missing = [one for one in scans.of_application(tx, application_id) if one.status is ScanStatus.OUTGOING]
    return _of(known, city_day(counter.clock.read().now)) - (LAST_ONE if len(missing) == 1 else 0)


def _of(known: Known, today: date) -> int:
    if known.due is not None and known.due <= today + SOON:
        return DUE_SOON
    if known.shown.returns_count and known.shown.state is State.PRE_REVIEW:
        return ANSWERS_A_RETURN
    return ORDINARY
