"""The city beside its exchange: who is told, what a department rules, who is enrolled, backups, pieces of scans."""

from __future__ import annotations

from casework.application import Actor, Decision, Role
from casework.events import Concluded, Decided, Event, ReviewStarted
from casework.lifecycle import advance as move
from casework.states import State
from tests.simulators.exchange_world.ledger import TOWNSHIP, Case, CaseStep, Ledger, Row
from tests.simulators.exchange_world.sealing import Told
from wire.exchange import BackedUp, Restored, advance

CITY_ACTOR = Actor(Role.CITY, "", "c" * 32, "511600000000")
WHOLE = 3
"""A scan has so many pieces."""


def reads(row: Row, site: str) -> bool:
    """Whether this node is told of the applications of a site."""
    return row.role == TOWNSHIP or row.site == site


class Office:
    """What the city does besides answering; the state is the city's own."""

    __slots__ = ()

    def _tell(self, tx: Ledger, node: str, told: Told) -> None:
        tx.feeds[node] = (*tx.feeds.get(node, ()), self.seals.feed(node, tx.feed_head(node), told))

    @staticmethod
    def _readers(tx: Ledger, site: str) -> list[Row]:
        return [row for row in tx.rows.values() if row.stopped_for is None and reads(row, site)]

    def enrol(self, node: str, site: str, role: str, replaces: str | None = None) -> None:
        """A new identity, told everything that it may read; the one it replaces stops."""
        tx = self.ledger.copy()
        if replaces in tx.rows and tx.rows[replaces].stopped_for is None:
            tx.change(replaces, stopped_for="fork")
        tx.rows[node] = Row(node, site, role)
        for application_id, case in tx.cases.items():
            if reads(tx.rows[node], case.site):
                for step in tx.steps[application_id]:
                    self._tell(
                        tx, node, Told(application_id, step.case_seq, step.op_id, "applied", step.letter, step.events)
                    )
        self._commit(tx)

    def rule(self, application_id: str) -> bool:
        """The department takes its next step on an application, if there is one."""
        case = self.ledger.cases[application_id]
        events: tuple[Event, ...] = ()
        if case.application.state is State.ACCEPTED:
            events = (ReviewStarted(at=self.clock, by=CITY_ACTOR),)
        elif case.application.state is State.UNDER_REVIEW:
            decision = Decision(True, "虚构", "虚构证", "X1", self.clock)
            events = (Decided(at=self.clock, by=CITY_ACTOR, decision=decision), Concluded(at=self.clock, by=CITY_ACTOR))
        if not events:
            return False
        tx = self.ledger.copy()
        application = case.application
        for event in events:
            application = move(application, event)
        tx.cases[application_id] = Case(application, case.case_seq + 1, case.site)
        step = CaseStep(case.case_seq + 1, None, None, None, events)
        tx.steps[application_id] = (*tx.steps[application_id], step)
        for reader in self._readers(tx, case.site):
            self._tell(tx, reader.node, Told(application_id, step.case_seq, None, "applied", None, events))
        self._commit(tx)
        self.unpark([application_id])
        return True

    def backed_up(self, backup: Ledger) -> None:
        """A backup was restored on trial: what it holds of each node is stable from now on."""
        tx = self.ledger.copy()
        for node, row in backup.rows.items():
            if node in tx.rows:
                talk, _ = advance(self._talk(tx.rows[node]), BackedUp(row.head.seq))
                tx.change(node, stable=talk.stable)
        self._commit(tx)

    def restore(self, backup: Ledger, epoch: str) -> None:
        """Begin a new timeline from a backup."""
        self.ledger = backup.copy()
        self.ledger.epoch, self.ledger.left = epoch, (*backup.left, backup.epoch)
        for node, row in backup.rows.items():
            talk, _ = advance(self._talk(row), Restored(epoch, row.head, row.stopped_for))
            self.ledger.change(node, head=talk.head, stable=talk.stable, stopped_for=talk.stopped_for)

    def piece(self, scan: str, offset: int) -> int:
        """A piece of a scan came for this offset; where the upload stands now."""
        held = self.ledger.scans.get(scan, 0)
        if offset == held < WHOLE:
            self.fuses.touch("city")
            self.ledger.scans[scan] = held + 1
            self.fuses.touch("city")
        return self.ledger.scans.get(scan, 0)
