"""One round of the mail: what came is taken in, what is due is laid out. The program calls it again and again.

Laws
- A round is safe to repeat and to be cut anywhere; each step stands for itself, and one that fails is told and tried
  again.
- On a full disk every step is given the reserve; erasing comes at once, for it makes room.
- A disk that refuses a write ends the program: only a new start may look at the desk again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from edge_node.acts import audit, erasing, feed_reading, forking, key_change, mail_in, mail_out, recounting
from edge_node.acts.activate_catalog import CatalogReader
from edge_node.acts.mail_in import ReceiptReader
from edge_node.counter.counter import Counter
from offline_store.desk import state
from offline_store.errors import DISK_REFUSES, NO_ROOM, DamagedFile, DeskDamaged, StoreError
from wire.errors import FORK, WireError
from wire.messages import read_refusal
from wire.waiting import Alarm

log = logging.getLogger("edge_node")

ERASE_EVERY_SECONDS: Final = 6 * 3600.0
KEY_EVERY_SECONDS: Final = 600.0
FLOOR_EVERY_SECONDS: Final = 3600.0
FACTS_EVERY_SECONDS: Final = 60.0
POST_EVERY_SECONDS: Final = 15.0
RECOUNT_EVERY_SECONDS: Final = 1800.0


class MailRound:
    """The rounds of one process."""

    def __init__(self, counter: Counter) -> None:
        if counter.practice:
            raise RuntimeError("a practice store has no mail")
        self._counter = counter
        self._receipts = ReceiptReader()
        self._catalogs = CatalogReader()
        self._erase_at = 0.0
        self._facts_at = 0.0
        self._post_at = 0.0
        self._key_at = 0.0
        self._floor_at = 0.0
        self._recount_at = 0.0
        self._was_short = False
        self._unread = counter.desk.left_unclean

    def begin(self) -> None:
        """Once, at start: make good what a crash left out."""
        counter = self._counter
        counter.room.must(lambda: mail_out.make_good(counter))
        counter.room.look()

    def turn(self, *, quiet: bool = False) -> bool:
        """Take in and lay out what there is; says whether anything happened.

        `quiet` says that nothing was committed since the last round: then the desk is not asked each time what is due.
        """
        counter = self._counter
        if counter.room.look():
            self._post_at = 0.0
        if counter.room.short and not self._was_short:
            self._erase_at = 0.0  # erasing makes room: it does not wait for its hour
        self._was_short = counter.room.short
        self._read_whole()
        steps: tuple[Callable[[], int | bool], ...] = (
            lambda: self._receipts.look(counter),
            lambda: mail_in.take_stored_scans(counter),
            lambda: mail_in.take_damaged_scans(counter),
            lambda: feed_reading.take_feed(counter),
            lambda: mail_in.take_arrived_scans(counter),
            self._catalog,
            self._recount,
            self._refusal,
            self._clock_step,
            self._keep_floor,
            self._erase,
            self._change_key,
        )
        results = [self._step(step) for step in steps]
        if any(results) or not quiet or self._is_time_to_post():
            results.append(self._step(lambda: mail_out.post_due(counter)))
        happened = any(results)
        self._facts(happened=happened)
        counter.alarms.put(Alarm.MAIL_FAILED, raised=None in results)
        return happened

    def _read_whole(self) -> None:
        """After an end that nobody ordered: every page of the desk, once, while the counter is open already."""
        if self._unread:
            self._unread = False
            if self._counter.desk.check():
                raise DeskDamaged

    def _step(self, step: Callable[[], int | bool]) -> bool | None:
        """Whether the step did something; None when it failed."""
        try:
            return bool(self._counter.room.must(step))
        except DISK_REFUSES:
            raise
        except NO_ROOM as full:
            log.error("mail step failed code=%s", full.code)  # noqa: TRY400 - a code says it
            return None
        except (StoreError, WireError, OSError) as failure:
            log.error("mail step failed code=%s", getattr(failure, "code", type(failure).__name__))  # noqa: TRY400
            return None
        except Exception as defect:  # noqa: BLE001 - a defect in one step must not end all mail; it is told
            log.critical("mail step failed by a defect type=%s", type(defect).__name__)
            return None

    def _is_time_to_post(self) -> bool:
        now = self._counter.clock.read().monotonic
        if now < self._post_at:
            return False
        self._post_at = now + POST_EVERY_SECONDS
        return True

    def _facts(self, *, happened: bool) -> None:
        now = self._counter.clock.read().monotonic
        if happened or now >= self._facts_at:
            self._facts_at = now + FACTS_EVERY_SECONDS
            self._step(lambda: mail_out.heal(self._counter, mail_out.BATCH))
            self._step(lambda: mail_out.put_facts(self._counter))

    def _clock_step(self) -> bool:
        stepped = self._counter.clock.step()
        if stepped is None:
            return False
        with self._counter.desk.transaction() as tx:
            audit.note(self._counter, tx, audit.CLOCK_STEPPED, seconds=int(stepped.total_seconds()))
        return True

    def _keep_floor(self) -> bool:
        """Time that passed for certain is remembered over a reboot, now and then."""
        reading = self._counter.clock.read()
        if reading.confident and reading.monotonic >= self._floor_at:
            self._floor_at = reading.monotonic + FLOOR_EVERY_SECONDS
            with self._counter.desk.transaction() as tx:
                state.raise_time_floor(tx, reading.trusted)
        return False

    def _catalog(self) -> bool:
        changed = self._catalogs.look(self._counter)
        if changed:
            self._recount_at = 0.0
        return changed

    def _recount(self) -> bool:
        """The order of the queue follows a new calendar, new notices, and the day."""
        now = self._counter.clock.read().monotonic
        if now < self._recount_at:
            return False
        self._recount_at = now + RECOUNT_EVERY_SECONDS
        return bool(recounting.recount_due(self._counter))

    def _erase(self) -> bool:
        now = self._counter.clock.read().monotonic
        if now < self._erase_at:
            return False
        erased = erasing.erase_due(self._counter)
        if erased < erasing.AT_ONCE:  # else there is more, after the mail had its turn
            self._erase_at = now + ERASE_EVERY_SECONDS
        return bool(erased)

    def _change_key(self) -> bool:
        now = self._counter.clock.read().monotonic
        if now < self._key_at:
            return False
        self._key_at = now + KEY_EVERY_SECONDS
        return key_change.change_if_due(self._counter)

    def _refusal(self) -> bool:
        """A refusal signed by the city is told, a fork stops this identity; the courier's word for one is not."""
        counter = self._counter
        try:
            document = counter.incoming.refusal()
            if document is None:
                counter.alarms.put(Alarm.CITY_REFUSED, raised=False)
                return False
            refusal = read_refusal(document, counter.node.gateway.signing_public)
            if refusal.code != FORK and self._taken_back(refusal.server_time):
                counter.incoming.clear_refusal()
                counter.alarms.put(Alarm.CITY_REFUSED, raised=False)
                return False
        except (WireError, DamagedFile):
            counter.incoming.clear_refusal()
            return False
        if refusal.node == counter.node.node_id and refusal.code == FORK:
            with counter.desk.transaction() as tx:
                forking.stop(counter, tx, forking.BY_CITY)
        elif refusal.node == counter.node.node_id:
            counter.alarms.put(Alarm.CITY_REFUSED)
        return False

    def _taken_back(self, refused_at: datetime) -> bool:
        """Whether the city has given a receipt since."""
        with self._counter.desk.reading() as tx:
            marks = state.marks(tx)
        return marks is not None and datetime.fromisoformat(marks.server_time) > refused_at
