"""Parked operations: tried again when their application has come far enough.

Laws: after every step of an application, in the order in which their authors acted; the outcome is then final and told
like any other. Looked for after the commit that moved the application or parked the operation, so that of two
transactions that did not see each other the second finds it; what a crash left is found at start and now and then.
Nothing waits for ever: what an author had seen may never come again (the disk it was on is gone, or the city's order
after a restore is another one), so after some days, or when a person decides, it is tried as things stand, and refused
with a reason if it does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from city_gateway.acts import arrival, scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import receive
from city_gateway.acts.quarantine import sort_out
from city_gateway.acts.sorting import Sorted
from city_gateway.ledger import cases, nodes, parked

AT_ONCE = 500
PATIENCE = timedelta(days=14)


def unpark(gateway: Gateway, application_ids: Iterable[str]) -> int:
    """Try what waits for these applications again, as long as that leads to something; how many were settled."""
    ids = sorted(set(application_ids))
    return sum(_unpark(gateway, ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE))


def unpark_missed(gateway: Gateway) -> int:
    """Everything that could go on."""
    return _unpark(gateway, None)


def decide(gateway: Gateway, application_id: str) -> int:
    """A person says that nobody has anything more to bring: what waits is tried as things stand; how many settled."""
    found = gateway.ledger.run(lambda tx: _try_again(gateway, tx, application_id, decided=True))
    gateway.news(found.news)
    share_arrived(gateway, found)
    return found.settled


def _unpark(gateway: Gateway, application_ids: list[str] | None) -> int:
    with gateway.ledger.reading() as tx:
        ready = parked.ready(tx, application_ids, gateway.clock() - PATIENCE)
    settled = 0
    for application_id in ready:
        while found := _unpark_once(gateway, application_id):
            settled += found
    return settled


def _unpark_once(gateway: Gateway, application_id: str) -> int:
    found = gateway.ledger.run(lambda tx: _try_again(gateway, tx, application_id))
    gateway.news(found.news)
    share_arrived(gateway, found)
    return found.settled


def share_arrived(gateway: Gateway, found: Sorted) -> None:
    """A scan that became whole while this was sorted saw no reference to it yet."""
    arrived = scan_shelf.stored_as_far_as_known(gateway, sorted(found.awaited))
    for start in range(0, len(arrived), arrival.AT_ONCE):
        arrival.share_scans(gateway, arrived[start : start + arrival.AT_ONCE])


def _try_again(gateway: Gateway, tx: Connection, application_id: str, *, decided: bool = False) -> Sorted:
    gateway.ledger.readers_stay(tx)
    cases.lock(tx, [application_id])
    received = []
    patience_ends = gateway.clock() - PATIENCE
    for place, envelope in parked.take(tx, application_id, patience_ends, whatever=decided):
        author = nodes.find(tx, place.node_id)
        if author is None:
            raise RuntimeError("the ledger names a node that it does not hold")
        one = receive(gateway, author, envelope, parked=True, decided=decided)
        received.append(replace(one, overdue=place.parked_at <= patience_ends))
    return sort_out(gateway, tx, received, gateway.clock()) if received else Sorted()
