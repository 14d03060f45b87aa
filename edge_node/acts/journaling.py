"""The heart of the counter: an act becomes a sealed, signed, chained entry in the transaction that saves it.

Laws
- One transaction: the application as it now stands, the journal entry with its envelope already sealed, nothing else
  left to do. After the commit the act is *saved*, whatever happens to line, power or city.
- The order is: is it this clerk's duty, does the lifecycle allow it, seal, append, save. A refusal leaves no trace.
- The op_id is random, made once (here, or with the draft that becomes the operation), and stays with the operation
  for ever.
- A node whose journal does not fit the city's record has stopped: it saves drafts, and journals nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casework import duty
from casework.application import Application
from casework.events import Event
from casework.lifecycle import advance, draft
from casework.record import event_to_plain
from edge_node.acts import time_lights
from edge_node.counter.counter import Counter
from edge_node.counter.errors import Stopped
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from edge_node.counter.visibility import workable
from offline_store.desk import applications, journal, state
from offline_store.desk.applications import Known
from offline_store.desk.applications import Standing as Coming
from offline_store.desk.database import Transaction
from wire.audit_chain import Head
from wire.canonical import canonical_json
from wire.envelope import Kind, envelope_hash, seal
from wire.messages import RATING_LABEL, Operation, Times, body_of
from wire.sealed_note import seal_note

STOPPED: Final = state.STOPPED


Say = Callable[[Transaction, Application, Reading], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was appended to the journal."""

    seq: int
    op_id: str


def act_on(
    counter: Counter,
    who: AtCounter,
    application_id: str,
    say: Say,
    *,
    rating: Mapping[str, Any] | None = None,
) -> Application:
    """One act of a clerk on one application, as one transaction; `say` makes its events from what is known now."""
    counter.room.require()
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        known = workable(tx, who.actor, application_id)
        moved = record(counter, tx, who, known, say(tx, known.shown, reading), reading, rating=rating)
    counter.nudge()
    return moved


def record(
    counter: Counter,
    tx: Transaction,
    who: AtCounter,
    known: Known | None,
    events: Sequence[Event],
    reading: Reading,
    *,
    application_id: str = "",
    op_id: str | None = None,
    rating: Mapping[str, Any] | None = None,
) -> Application:
    """Move an application by events of this node, inside the caller's transaction."""
    shown = known.shown if known is not None else draft(application_id)
    for event in events:
        duty.require(who.actor, event, shown)
        shown = advance(shown, event)
    entry = append(
        counter,
        tx,
        reading,
        clerk=who.clerk_id,
        application_id=shown.application_id,
        events=events,
        op_id=op_id,
        basis=known.case_seq if known is not None else 0,
        catalog_version=shown.catalog_version,
        rating=rating,
    )
    applications.save(
        tx,
        shown,
        confirmed=known.confirmed if known is not None else None,
        pending=(*(known.pending if known is not None else ()), entry.op_id),
        standing=Coming.SAVED_HERE,
        case_seq=known.case_seq if known is not None else 0,
        at=reading.now,
        due=time_lights.due_day(counter, tx, shown, reading),
        refusal=None,
    )
    return shown


def append(
    counter: Counter,
    tx: Transaction,
    reading: Reading,
    *,
    clerk: str,
    application_id: str | None = None,
    events: Sequence[Event] = (),
    op_id: str | None = None,
    audit: Mapping[str, Any] | None = None,
    basis: int = 0,
    catalog_version: int | None = None,
    rating: Mapping[str, Any] | None = None,
) -> Entry:
    """Seal an operation or an audit entry and append it to the journal."""
    if events and state.get(tx, STOPPED):
        raise Stopped
    recipients = counter.recipients(tx)
    operation = Operation(
        op_id=op_id or counter.new_id(),
        application_id=application_id,
        events=[event_to_plain(event) for event in events],
        audit=dict(audit) if audit is not None else None,
        clerk=clerk,
        times=Times(
            wall=reading.wall,
            monotonic=round(reading.monotonic, 3),
            boot_id=reading.boot_id,
            confidence=reading.confidence.value,
        ),
        catalog_version=catalog_version or None,
        basis=basis,
        rating=seal_note(RATING_LABEL, canonical_json(dict(rating)), recipients[0]) if rating is not None else None,
    )
    return _chain(counter, tx, operation, recipients, reading)


def _chain(
    counter: Counter, tx: Transaction, operation: Operation, recipients: Sequence[bytes], reading: Reading
) -> Entry:
    kind = Kind.AUDIT if operation.audit is not None else Kind.OPERATION
    body = body_of(operation)
    head = journal.head(tx)
    envelope = seal(
        kind=kind,
        node_id=bytes.fromhex(counter.node.node_id),
        seq=head.seq + 1,
        prev=head.hash,
        op_id=bytes.fromhex(operation.op_id),
        body=body,
        recipients=recipients,
        signer=counter.identity,
        dictionary=counter.shelf.dictionary(tx),
        randomness=counter.randomness,
    )
    new = Head(head.seq + 1, envelope_hash(envelope))
    journal.append(
        tx,
        head=new,
        op_id=operation.op_id,
        kind=kind.name.lower(),
        application_id=operation.application_id,
        envelope=envelope,
        body=body,
        at=reading.now,
    )
    return Entry(new.seq, operation.op_id)
