"""What an entry of the city's feed does to an application of this node.

Laws
- What an application is = the fold of what the feed confirmed, then this node's own entries that the feed has not
  answered yet. The city's order is the order.
- An entry for an operation of this node confirms the journal's own events; for another node's it opens the author's
  sealed bytes with the wrap the city made, and checks the author's signature; then come the events the city added.
- What was erased here after its time is told no more than its line of the register; an entry for it that comes again
  finds its own acts purged and changes nothing.
- A refused operation drops out, its reason stays to be seen. An entry that casework cannot apply changes nothing but
  its place in the order, and is told.
- A feed that a restored city tells anew begins each application anew: its order may be another one, and it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from casework.application import Application
from casework.errors import CaseworkError
from casework.events import Event
from casework.lifecycle import advance, draft
from casework.record import event_from_plain
from edge_node.acts import receipt_serials, time_lights
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk import answering, applications, feed, journal, scans, state
from offline_store.desk.applications import Known
from offline_store.desk.database import Transaction
from offline_store.desk.journal import Link
from offline_store.desk.scans import KeptScan, ScanStatus
from wire.envelope import Kind, open_with_wrap, read_header
from wire.errors import NotForThisKey, UnknownDictionary, WireError
from wire.exchange import Telling, judge_entry
from wire.messages import FeedEntry, Result, read_operation
from wire.waiting import Alarm


@dataclass(frozen=True, slots=True)
class Said:
    """What an entry says happened, as far as this program understands it."""

    events: tuple[Event, ...]
    understood: bool


def apply(counter: Counter, tx: Transaction, entry: FeedEntry) -> list[str]:
    """Let one entry take effect; the hashes of scans that have to be fetched come back."""
    reading = counter.clock.read()
    refusal = entry.refusal.model_dump() if entry.refusal is not None else None
    own = journal.by_op(tx, entry.op_id) if entry.op_id is not None else None
    if own is not None:
        journal.settle(tx, own.op_id, entry.result.value, refusal)
    if entry.application_id is None:
        return []
    known = applications.find(tx, entry.application_id)
    said = _said(counter, tx, entry, own)
    if known is None and not said.events:
        return []
    telling = judge_entry(
        entry.case_seq,
        known.case_seq if known is not None else None,
        # Of what was erased nothing can be told again by this node, and a stable past does not change.
        told_anew=(known is None or known.erased_at is None) and feed.is_told_anew(tx, entry.application_id),
    )
    if telling is Telling.BEGINS and known is not None:
        known = replace(known, confirmed=None, case_seq=0)
    confirmed, understood = _confirmed(entry, known, Said((), understood=True) if telling is Telling.KNOWN else said)
    if not (understood and said.understood):
        counter.alarms.put(Alarm.FEED_NOT_UNDERSTOOD)
    if known is None:
        receipt_serials.used_up(counter, tx, confirmed.receipt_no)
    _save(counter, tx, entry, known, confirmed, refusal, reading)
    return _keep_scans(tx, entry, confirmed, reading)


def _said(counter: Counter, tx: Transaction, entry: FeedEntry, own: Link | None) -> Said:
    events: list[Mapping[str, Any]] = []
    try:
        if entry.result is Result.APPLIED and own is not None and not own.purged:
            events.extend(read_operation(own.body).events)
        elif entry.result is Result.APPLIED and entry.envelope is not None:
            events.extend(_foreign(counter, tx, entry))
        return Said(tuple(event_from_plain(one) for one in (*events, *entry.events)), understood=True)
    except UnknownDictionary:
        raise
    except (CaseworkError, WireError):
        return Said((), understood=False)


def _foreign(counter: Counter, tx: Transaction, entry: FeedEntry) -> list[dict[str, Any]]:
    """The events of another node's operation, from its own sealed bytes and proven by its own signature."""
    if entry.envelope is None or entry.wrap is None or entry.author_public is None:
        raise NotForThisKey
    header = read_header(entry.envelope)
    header.must_be(Kind.OPERATION, node_id=bytes.fromhex(entry.author_node or ""))
    sealed, wrap, signer = entry.envelope, entry.wrap, entry.author_public
    dictionaries = counter.shelf.dictionaries(tx)
    opened = counter.with_own_key(
        lambda key: open_with_wrap(sealed, wrap, recipient=key, signer_public=signer, dictionaries=dictionaries)
    )
    return read_operation(opened.body).events


def _confirmed(entry: FeedEntry, known: Known | None, said: Said) -> tuple[Application, bool]:
    confirmed = (
        known.confirmed if known is not None and known.confirmed is not None else draft(entry.application_id or "")
    )
    moved = confirmed
    try:
        for event in said.events:
            moved = advance(moved, event)
    except CaseworkError:
        return confirmed, False
    return moved, True


def _save(
    counter: Counter,
    tx: Transaction,
    entry: FeedEntry,
    known: Known | None,
    confirmed: Application,
    refusal: Mapping[str, Any] | None,
    reading: Reading,
) -> None:
    pending = answering.waiting(tx, confirmed.application_id)
    shown = _laid_over(confirmed, pending)
    nothing_confirmed = not confirmed.history
    if nothing_confirmed and known is not None:
        shown = known.shown  # the city confirmed nothing of it: what the agent saved stays visible, with the reason
    marks = state.marks(tx)
    kept_refusal = (
        refusal if entry.result is Result.REFUSED else known.refusal if known is not None and pending else None
    )
    hwm = marks.hwm if marks is not None else 0
    applications.save(
        tx,
        shown,
        confirmed=None if nothing_confirmed else confirmed,
        pending=[link.op_id for link in pending],
        standing=answering.standing(pending, hwm, refused=kept_refusal is not None),
        case_seq=max(entry.case_seq, known.case_seq if known is not None else 0),
        at=reading.now,
        due=time_lights.due_day(counter, tx, shown, reading),
        refusal=kept_refusal,
    )


def _laid_over(confirmed: Application, pending: Iterable[Link]) -> Application:
    """This node's unanswered acts over what is confirmed; one that no longer fits waits for its answer unseen."""
    shown = confirmed
    for link in pending:
        try:
            moved = shown
            for plain in read_operation(link.body).events:
                moved = advance(moved, event_from_plain(plain))
        except (CaseworkError, WireError):
            continue
        shown = moved
    return shown


def _keep_scans(tx: Transaction, entry: FeedEntry, application: Application, reading: Reading) -> list[str]:
    named = {scan.scan_hash: scan for scan in application.scans}
    wanted = []
    for scan_hash, wrap in entry.scan_wraps.items():
        before, scan = scans.find(tx, scan_hash), named.get(scan_hash)
        if before is not None or scan is None:
            continue
        scans.save(
            tx,
            KeptScan(
                scan_hash=scan_hash,
                status=ScanStatus.WANTED,
                material_id=scan.material_id,
                page=scan.page,
                length=scan.length,
                media_type=scan.media_type,
                kept_at=reading.now,
                application_id=application.application_id,
                wrap=wrap,
            ),
        )
        wanted.append(scan_hash)
    return wanted
