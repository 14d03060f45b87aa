"""One poisonous operation delays nothing else (I12): what cannot be sorted is refused alone, the rest goes on.

Sorting writes many operations at once. When anything unexpected comes of that (a value that a column does not take, a
defect of ours), nothing of it stays, and they are sorted one by one, each behind its own savepoint; the one that fails
again is kept as unreadable and refused. A database, disk or store of scans that does not answer is nobody's poison: it
is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import Received
from city_gateway.acts.sorting import Sorted, Sorting
from city_gateway.errors import ScanStoreAway
from wire.exchange import sort_apart

LOG = logging.getLogger("city_gateway")
OUTAGES = (OperationalError, InterfaceError, OSError, MemoryError, ScanStoreAway)


def sort_out(gateway: Gateway, tx: Connection, received: Sequence[Received], now: datetime) -> Sorted:
    """Sort all, whatever is among them."""

    def sort(some: Sequence[Received]) -> Sorted:
        with tx.begin_nested():
            return Sorting(gateway, tx, now).take(some)

    found = Sorted()
    for part in sort_apart(received, sort, _shut, OUTAGES):
        found.add(part)
    return found


def _shut(one: Received, error: Exception) -> Received:
    LOG.warning("operation refused", extra={"error": type(error).__name__, "op_id": one.op_id})
    return one.shut(type(error).__name__)
