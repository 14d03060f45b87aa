"""A new key for the desk, some days after something was erased, while nobody is at the counter.

Laws: some `rekey_after` after an erasing, as soon as the counter is quiet; a change that must wait (no room for a
second desk, somebody reads it) is told and tried again; that it was done is an entry of the journal.
"""

from __future__ import annotations

from edge_node.acts import audit
from edge_node.counter.counter import Counter
from offline_store.desk import rekeying
from offline_store.errors import NO_ROOM, DeskBusy
from wire.waiting import Alarm


def change_if_due(counter: Counter) -> bool:
    """Re-key the desk if its time has come and nobody is at work; says whether it was done."""
    if counter.change_key is None or counter.sessions.anyone_at_work():
        return False
    trusted = counter.clock.read().trusted
    with counter.desk.reading() as tx:
        due = rekeying.is_due(tx, trusted, counter.limits.rekey_after)
    if not due:
        return False
    try:
        counter.change_key()
    except (DeskBusy, *NO_ROOM):
        counter.alarms.put(Alarm.KEY_CHANGE_WAITS)
        return False
    counter.alarms.put(Alarm.KEY_CHANGE_WAITS, raised=False)
    audit.once(counter, audit.REKEYED)
    return True
