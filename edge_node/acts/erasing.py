"""Erasing what this node no longer needs: of what is over, everything but the line of the register.

Laws
- The time of keeping runs from the end of the application, or from when this node heard of it where the clock that
  wrote it was ahead.
- Papers go only when everything this node ever said about their application lies within the gateway's *stable* mark
  and was answered, its scans are at the city, nobody has anything left to do, and the time of keeping is over by
  trusted time.
- That it is over may be what somebody else said: a city restored from an older backup could have lost that, and then
  nobody could go on with it here. So when it is due a note is written first; once the note is stable, every backup that
  counts holds what the city had said before it. What the city says afterwards asks for a new note.
- Erased are form, materials, answers, journal bodies and sealed envelopes, drafts, scans and what it is found by; the
  links of the chain stay. First the rows with their keys, then the files: without the key the bytes are unreadable
  wherever copies of them lie.
- Each erasing is one transaction and an entry of the journal; it remembers, by trusted time, since when the desk is to
  be re-keyed, for what was deleted may still lie in the free space of the disk under the old key.
"""

from __future__ import annotations

from typing import Final

from casework.states import CLOSED_STATES, State
from edge_node.acts import audit
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk import applications, drafts, journal, rekeying, scans, state
from offline_store.desk.applications import Known
from offline_store.desk.database import Transaction
from offline_store.desk.scans import KeptScan, ScanStatus
from wire.exchange import may_be_purged
from wire.messages import read_operation

OVER: Final = CLOSED_STATES | {State.DELIVERED}
AT_ONCE: Final = 20


def erase_due(counter: Counter, most: int = AT_ONCE) -> int:
    """Erase the papers of applications whose time has come, at most so many; says of how many. What waits for its note
    to be stable is not asked for again before it is."""
    reading = counter.clock.read()
    erased, after = 0, ("", 0)
    while erased < most:
        with counter.desk.reading() as tx:
            marks = state.marks(tx)
            due = applications.to_erase(
                tx,
                ended_by=reading.trusted - counter.limits.retention,
                stable_seq=marks.stable_hwm if marks else 0,
                after=after,
                limit=most,
            )
        if not due:
            break
        erased += sum(_erase(counter, application_id, reading) for _, _, application_id in due)
        after = due[-1][:2]
    return erased


def _is_over(counter: Counter, tx: Transaction, known: Known, kept: list[KeptScan], reading: Reading) -> bool:
    confirmed = known.confirmed
    if confirmed is None or known.pending or known.erased_at is not None or confirmed.state not in OVER:
        return False
    ended = applications.ended(confirmed, known.updated_at)
    if ended is None or ended + counter.limits.retention > reading.trusted:
        return False
    if any(scan.status is ScanStatus.OUTGOING and counter.vault.has(scan.scan_hash) for scan in kept):
        return False
    marks = state.marks(tx)
    stable = marks.stable_hwm if marks else 0
    acts = [link for link in journal.of_application(tx, known.application_id) if link.kind == journal.OPERATION]
    return all(may_be_purged(link.seq, link.outcome, stable) for link in acts)


def _note_of_its_end(tx: Transaction, known: Known) -> int | None:
    """The number of the note that was written after the city's last word on it; None when there is none."""
    for link in reversed(journal.of_application(tx, known.application_id)):
        if link.kind != journal.OPERATION:
            facts = read_operation(link.body).audit or {}
            if facts.get("kind") == audit.ERASING_DUE and facts.get("version") == known.version:
                return link.seq
    return None


def _erase(counter: Counter, application_id: str, reading: Reading) -> bool:
    with counter.desk.transaction() as tx:
        known = applications.load(tx, application_id)
        kept = scans.of_application(tx, application_id)
        if not _is_over(counter, tx, known, kept, reading):
            return False
        noted, marks = _note_of_its_end(tx, known), state.marks(tx)
        if noted is None:
            audit.note(counter, tx, audit.ERASING_DUE, application_id=application_id, version=known.version)
        if noted is None or marks is None or noted > marks.stable_hwm:
            return False
        hashes = [scan.scan_hash for scan in kept]
        draft = drafts.of_application(tx, application_id)
        if draft is not None:
            hashes += drafts.remove(tx, draft.draft_id)
        scans.remove(tx, hashes)
        acts = journal.purge(tx, application_id)
        applications.erase(tx, application_id, reading.now)
        audit.note(counter, tx, audit.ERASED, application_id=application_id, scans=len(hashes), acts=acts)
        rekeying.wanted_since(tx, reading.trusted)
    for scan_hash in hashes:
        counter.vault.forget(scan_hash)
        counter.outgoing.remove_scan_ticket(scan_hash)
        counter.outgoing.unwant(scan_hash)
    return True
