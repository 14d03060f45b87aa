"""A node that says *saved* before the journal entry is on the disk: the protection taken away, for the control.

The real program in all else; started like it, with the same arguments.
"""

from __future__ import annotations

import runpy
import threading
import time
from collections.abc import Sequence
from typing import Any

from casework.events import Event
from edge_node.acts import journaling
from edge_node.acts.journaling import Entry
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk.database import Transaction

LATER_S = 2.0
_at_once = journaling.append


def _later(counter: Counter, tx: Transaction, reading: Reading, *, events: Sequence[Event] = (), **said: Any) -> Entry:
    """Answer now; write the entry in a transaction of its own, after a while."""
    if not events:
        return _at_once(counter, tx, reading, events=events, **said)
    op_id = str(said.pop("op_id", None) or counter.new_id())

    def write() -> None:
        time.sleep(LATER_S)
        with counter.desk.transaction() as own:
            _at_once(counter, own, reading, events=events, op_id=op_id, **said)
        counter.nudge()

    threading.Thread(target=write, daemon=True).start()
    return Entry(0, op_id)


if __name__ == "__main__":
    journaling.append = _later
    runpy.run_module("edge_node", run_name="__main__", alter_sys=True)
