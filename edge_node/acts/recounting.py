"""Count anew by when somebody must act, for the order of the queue, after another catalog came into use.

Laws
- Lights and days are always counted from the calendar and the notices in use; only the order of a queue is kept in a
  column, and it follows here.
- A notice without an end moves what it touches every day, so that day is part of what was counted.
- It goes through the open applications in pieces, one transaction each, and begins anew when it was cut.
"""

from __future__ import annotations

from typing import Final

from casework.working_days import city_day
from edge_node.acts import audit, time_lights
from edge_node.counter.counter import Counter
from edge_node.counter.errors import NoCatalog
from edge_node.counter.trusted_clock import Reading
from offline_store.desk import applications, state
from offline_store.desk.database import Transaction

COUNTED: Final = "limits.counted"
PIECE: Final = 200


def recount_due(counter: Counter) -> int:
    """Recount what is open, if calendar or notices may have moved it; says how many days moved."""
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        try:
            wanted = _wanted(counter, tx, reading)
        except NoCatalog:
            return 0
        if state.get(tx, COUNTED) == wanted:
            return 0
    moved, after = 0, 0
    while True:
        with counter.desk.transaction() as tx:
            piece = applications.open_after(tx, after, PIECE)
            for number, known in piece:
                day = time_lights.due_day(counter, tx, known.shown, reading)
                if day != known.due:
                    applications.set_due(tx, number, day)
                    moved += 1
            if len(piece) < PIECE:
                state.put(tx, COUNTED, wanted)
                if moved:
                    audit.note(counter, tx, audit.LIMITS_RECOUNTED, reading=reading, moved=moved)
                break
        after = piece[-1][0]
    if moved:
        counter.nudge()
    return moved


def _wanted(counter: Counter, tx: Transaction, reading: Reading) -> str:
    """What the days follow from: the catalog, and today where a notice is open-ended."""
    today = city_day(reading.now)
    version = counter.shelf.active_version(tx)
    open_ended = any(one.last is None for one in counter.shelf.notices(tx).reaching(counter.node.site, today))
    return f"{version}:{today.isoformat()}" if open_ended else str(version)
