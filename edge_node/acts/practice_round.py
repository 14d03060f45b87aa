"""The round of a practice store, in the place of the mail's: nothing is laid out, and who practises is answered.

Laws
- No file of the mailbox is written. An act of the clerk is answered in the desk, at once, by a township and a city that
  do not exist: every second application is returned once, a returned one and the others are accepted and granted.
- The same lifecycle moves it as everywhere, so that what is practised is what happens.
- The catalog is proven like everywhere; that it has expired meanwhile is no reason not to practise on it.
"""

from __future__ import annotations

import logging
from typing import Final

from casework.application import Actor, Application, Decision, ReturnPoint, Role
from casework.events import Accepted, Concluded, Decided, Event, PreReviewStarted, Returned, ReviewStarted, Submitted
from casework.lifecycle import advance
from casework.states import State
from edge_node.acts import activate_catalog, time_lights
from edge_node.counter.counter import Counter
from edge_node.counter.errors import CatalogRefused
from edge_node.counter.trusted_clock import Reading
from edge_node.wording import sentence
from offline_store.desk import applications, journal, scans
from offline_store.desk.applications import Known, Standing
from offline_store.desk.database import Transaction
from offline_store.desk.journal import OPERATION
from offline_store.desk.scans import ScanStatus
from wire.messages import Result

log = logging.getLogger("edge_node")

NOBODY: Final = "0" * 32


class PracticeRound:
    """The rounds of one practice."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._collected = 0

    def begin(self) -> None:
        """Put the catalog that was brought here into use; without one there is nothing to practise on."""
        try:
            activate_catalog.activate_arrived(self._counter)
        except (CatalogRefused, activate_catalog.HeldBack) as refused:
            log.warning("no catalog to practise on code=%s", getattr(refused, "code", "catalog.held_back"))

    def turn(self, *, quiet: bool = False) -> bool:
        """Answer what was saved since; says whether anything was."""
        counter = self._counter
        if quiet:
            return False
        reading = counter.clock.read()
        with counter.desk.transaction() as tx:
            unanswered = journal.unanswered(tx)
            for link in unanswered:
                journal.settle(tx, link.op_id, Result.APPLIED.value)
            acted_on = dict.fromkeys(link.application_id for link in unanswered if link.kind == OPERATION)
            for application_id in acted_on:
                known = applications.find(tx, application_id) if application_id else None
                if known is not None:
                    self._answer(tx, known, reading)
        return bool(unanswered)

    def _answer(self, tx: Transaction, known: Known, reading: Reading) -> None:
        counter = self._counter
        moved = known.shown
        for event in self._what_happens(tx, known.shown, reading):
            moved = advance(moved, event)
        for scan in scans.of_application(tx, known.application_id):
            scans.set_status(tx, scan.scan_hash, ScanStatus.STORED)
        applications.save(
            tx,
            moved,
            confirmed=moved,
            standing=Standing.CONFIRMED,
            case_seq=known.case_seq + 1,
            at=reading.now,
            due=time_lights.due_day(counter, tx, moved, reading),
        )

    def _what_happens(self, tx: Transaction, application: Application, reading: Reading) -> list[Event]:
        at = reading.now
        town, city, bureau = (self._nobody(role) for role in (Role.CLERK, Role.CITY, Role.DEPARTMENT))
        granted = [
            Accepted(at=at, by=town, unsure=not reading.confident),
            ReviewStarted(at=at, by=bureau),
            Decided(at=at, by=bureau, decision=_decision(reading)),
            Concluded(at=at, by=bureau),
        ]
        if application.state is State.COLLECTED:
            self._collected += 1
            arrived = [Submitted(at=at, by=city), PreReviewStarted(at=at, by=town)]
            if self._collected % 2:
                return [*arrived, Returned(at=at, by=town, points=(self._point(tx, application),))]
            return [*arrived, *granted]
        return list(granted) if application.state is State.PRE_REVIEW else []

    def _nobody(self, role: Role) -> Actor:
        return Actor(role=role, clerk_id="", node_id=NOBODY, region=self._counter.node.region)

    def _point(self, tx: Transaction, application: Application) -> ReturnPoint:
        """What is returned: the first paper that was handed in; without any, the first field."""
        told = sentence("practice.problem"), sentence("practice.remedy")
        if application.handed_in:
            return ReturnPoint("material", application.handed_in[0].material_id, *told)
        form = self._counter.shelf.form(tx, application.form_id, application.catalog_version)
        return ReturnPoint("field", next(iter(form.by_id)), *told)


def _decision(reading: Reading) -> Decision:
    return Decision(
        granted=True,
        reason=sentence("practice.reason"),
        document_name=sentence("practice.document"),
        document_no="",
        decided_on=reading.now,
    )
