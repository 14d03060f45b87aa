"""The township's pre-review: begin, return once with everything, accept (provisionally too), decline, forward.

Laws
- A return names only what the guide asks for in this application (no field that its answers hide), a later one only
  what the earlier named or a supplement touched; the act refuses anything else, whatever the page let through.
- Accepting provisionally is possible only for materials that the guide allows to follow.
- The limit that acceptance starts is counted by the node from the signed calendar, unless the clerk names a day; a
  provisional day (estimated calendar, clock that nobody confirmed, notice that leaves it open) is not written into an
  acceptance. A notice that comes later changes no event: it moves the clocks that everybody reads (ADR 0034).
- Deciding about an application that nobody began to look at begins it: two events, one operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from casework.application import Application, ReturnPoint
from casework.events import (
    Accepted,
    Declined,
    Event,
    Forwarded,
    FoundNotRequired,
    PreReviewStarted,
    ProvisionallyAccepted,
    Returned,
)
from casework.materials import check_return, is_asked, may_be_returned, returnable
from casework.states import State
from casework.time_limits import handling_clock
from edge_node.acts import journaling, listing, notice_reading
from edge_node.counter.counter import Counter
from edge_node.counter.errors import AddedLater, NotAskedHere, NotDeferrable, NothingToReturn, ReasonNeeded
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from edge_node.counter.visibility import visible
from offline_store.desk.database import Transaction
from wire.counter import ApplicationDetail, ReturnablePoint, ReturnPointView, ReviewGuide

Say = Callable[[Transaction, Application, Reading], Event]


def guide(counter: Counter, who: AtCounter, application_id: str) -> ReviewGuide:
    """What a return of this application may name, and what may be deferred."""
    with counter.desk.reading() as tx:
        application = visible(tx, who.actor, application_id).shown
        item = counter.shelf.item(tx, application.item_id, application.catalog_version)
        form = counter.shelf.form(tx, application.form_id, application.catalog_version)
        deferrable = [one.material_id for one in item.deferrable_materials]
        return ReviewGuide(
            points=[
                ReturnablePoint(kind=one.kind, ref=one.ref, label=one.name)
                for one in returnable(item, form)
                if may_be_returned(application, one.kind, one.ref)
                and is_asked(form, application.form, one.kind, one.ref)
            ],
            deferrable=deferrable,
            may_accept_provisionally=bool(deferrable),
        )


def begin(counter: Counter, who: AtCounter, application_id: str) -> ApplicationDetail:
    """Begin to look at it."""
    journaling.act_on(counter, who, application_id, lambda _tx, _application, reading: [_begun(who, reading)])
    return listing.detail_after_act(counter, who, application_id)


def return_once(
    counter: Counter, who: AtCounter, application_id: str, points: Sequence[ReturnPointView]
) -> ApplicationDetail:
    """The one-time full notice."""
    if not points:
        raise NothingToReturn
    named = tuple(ReturnPoint(one.kind, one.ref, one.problem.strip(), one.remedy.strip()) for one in points)

    def event(tx: Transaction, application: Application, reading: Reading) -> Event:
        item = counter.shelf.item(tx, application.item_id, application.catalog_version)
        form = counter.shelf.form(tx, application.form_id, application.catalog_version)
        check_return(item, form, named)
        for one in named:
            if not is_asked(form, application.form, one.kind, one.ref):
                labels = counter.shelf.labels(tx, application.item_id, application.form_id, application.catalog_version)
                raise NotAskedHere(kind=one.kind, ref=one.ref, label=labels.get((one.kind, one.ref), one.ref))
            if not may_be_returned(application, one.kind, one.ref):
                raise AddedLater(kind=one.kind, ref=one.ref)
        return Returned(at=reading.now, by=who.actor, points=named)

    return _decide(counter, who, application_id, event)


def accept(counter: Counter, who: AtCounter, application_id: str, limit_due: date | None = None) -> ApplicationDetail:
    """Accept (受理)."""

    def event(tx: Transaction, application: Application, reading: Reading) -> Event:
        day = limit_due or _limit_day(counter, tx, application, reading)
        return Accepted(at=reading.now, by=who.actor, limit_due=day, unsure=not reading.confident)

    return _decide(counter, who, application_id, event)


def accept_provisionally(
    counter: Counter, who: AtCounter, application_id: str, deferred: Sequence[str], due_on: date, promise: str
) -> ApplicationDetail:
    """Accept with materials to follow (容缺受理), where the guide allows each of them to follow."""
    promised = _said(promise)

    def event(tx: Transaction, application: Application, reading: Reading) -> Event:
        item = counter.shelf.item(tx, application.item_id, application.catalog_version)
        allowed = {one.material_id for one in item.deferrable_materials}
        for material_id in deferred:
            if material_id not in allowed:
                raise NotDeferrable(material_id=material_id)
        return ProvisionallyAccepted(
            at=reading.now,
            by=who.actor,
            deferred=tuple(dict.fromkeys(deferred)),
            due=due_on,
            promise=promised,
            limit_due=_limit_day(counter, tx, application, reading),
            unsure=not reading.confident,
        )

    return _decide(counter, who, application_id, event)


def decline(
    counter: Counter, who: AtCounter, application_id: str, reason: str, basis: str, remedy: str, elsewhere: str = ""
) -> ApplicationDetail:
    """Do not accept (不予受理), with reason, basis and remedies, and the competent body where it is another one."""
    said = (_said(reason), _said(basis), _said(remedy))

    def event(_tx: Transaction, _application: Application, reading: Reading) -> Event:
        return Declined(
            at=reading.now,
            by=who.actor,
            reason=said[0],
            basis=said[1],
            remedy=said[2],
            elsewhere=elsewhere.strip(),
        )

    return _decide(counter, who, application_id, event)


def not_required(counter: Counter, who: AtCounter, application_id: str, reason: str) -> ApplicationDetail:
    """No permission is needed for this."""
    said = _said(reason)

    def event(_tx: Transaction, _application: Application, reading: Reading) -> Event:
        return FoundNotRequired(at=reading.now, by=who.actor, reason=said)

    return _decide(counter, who, application_id, event)


def forward(counter: Counter, who: AtCounter, application_id: str, to: str, reason: str) -> ApplicationDetail:
    """Another body is competent."""
    said = (_said(to), _said(reason))

    def event(_tx: Transaction, _application: Application, reading: Reading) -> Event:
        return Forwarded(at=reading.now, by=who.actor, to=said[0], reason=said[1])

    return _decide(counter, who, application_id, event)


def _decide(counter: Counter, who: AtCounter, application_id: str, say: Say) -> ApplicationDetail:
    def events(tx: Transaction, application: Application, reading: Reading) -> list[Event]:
        first = [_begun(who, reading)] if application.state is State.SUBMITTED else []
        return [*first, say(tx, application, reading)]

    journaling.act_on(counter, who, application_id, events)
    return listing.detail_after_act(counter, who, application_id)


def _begun(who: AtCounter, reading: Reading) -> Event:
    return PreReviewStarted(at=reading.now, by=who.actor)


def _limit_day(counter: Counter, tx: Transaction, application: Application, reading: Reading) -> date | None:
    item = counter.shelf.item(tx, application.item_id, application.catalog_version)
    accepted = replace(application, accepted_at=application.accepted_at or reading.now)
    declared = notice_reading.standstills(counter, tx, application, reading)
    clock = handling_clock(accepted, item, counter.shelf.calendar(tx), reading.now, reading.confident, declared)
    return None if clock.provisional or not reading.confident else clock.due


def _said(text: str) -> str:
    said = text.strip()
    if not said:
        raise ReasonNeeded
    return said
