"""The mail round: at start and then again and again, mail goes out, receipts, feed, scans and catalogs come in.

Laws: each step is safe to repeat and stands alone, a step that fails raises an alarm and does not stop the others; the round
is woken by a commit, otherwise it looks every few tenths of a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge_node.acts import audit, feed_reading, mail_in, mail_out
from edge_node.acts.activate_catalog import CatalogReader
from edge_node.acts.counter import Counter

log = logging.getLogger("edge_node")

STALLED = "mail_stalled"


class MailRound:
    """One thread of the process; `nudge` wakes it."""

    def __init__(self, counter: Counter, poll_seconds: float) -> None:
        self._counter = counter
        self._poll_seconds = poll_seconds
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._receipts = mail_in.ReceiptReader()
        self._arrivals = CatalogReader()
        self._thread = threading.Thread(target=self._run, name="mail-round", daemon=True)

    def start(self) -> None:
        """Make good what a crash left out, then begin the rounds."""
        mail_out.make_good(self._counter)
        mail_out.post_due(self._counter)
        self._thread.start()

    def nudge(self) -> None:
        """Something was committed."""
        self._wake.set()

    def stop(self) -> None:
        """End after the step under way."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def once(self) -> None:
        """One round."""
        counter = self._counter
        steps: tuple[Callable[[], object], ...] = (
            lambda: mail_out.post_due(counter),
            lambda: self._receipts.look(counter),
            lambda: self._arrivals.look(counter),
            lambda: feed_reading.take_feed(counter),
            lambda: mail_in.take_stored_scans(counter),
            lambda: mail_in.take_arrived_scans(counter),
            lambda: _note_clock_step(counter),
            lambda: mail_out.post_due(counter),
            lambda: mail_out.put_facts(counter),
        )
        stalled = False
        for step in steps:
            try:
                step()
            except Exception as failure:  # noqa: BLE001 - one step must not stop the others
                stalled = True
                log.error("mail step failed class=%s", type(failure).__name__)  # noqa: TRY400 - no message
        counter.alarms.put(STALLED, raised=stalled)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._poll_seconds)
            self._wake.clear()
            if not self._stopping.is_set():
                self.once()


def _note_clock_step(counter: Counter) -> None:
    step = counter.clock.step()
    if step is None:
        return
    with counter.desk.transaction() as tx:
        audit.note(counter, tx, audit.CLOCK_STEPPED, seconds=round(step.total_seconds()))
