"""Outgoing mail: what was committed is laid into the mailbox, at once or after any crash.

Laws
- The desk is the queue; the mailbox is its shadow and can be filled again from it. Posting the same entry twice is
  the same file.
- An entry is marked as posted after its file is durable, and its scans have their tickets before that.
- Envelopes go before scans, small scans before large ones, what completes an earlier application before a later one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_node.acts import forking, scan_urgency, status
from edge_node.counter.counter import PROGRAM_VERSION, Counter
from offline_store.desk import catalog, feed, journal, scans, state
from offline_store.desk.journal import Link
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.errors import DamagedFile, EnvelopeChanged
from offline_store.mailbox.outgoing import Facts
from wire.envelope import envelope_hash
from wire.errors import WireError
from wire.waiting import Alarm

BATCH: Final = 100
"""A file of the mailbox was not what was laid down there: made good, but the disk is to be looked at."""


def post_due(counter: Counter) -> int:
    """Lay every entry that is not in the mailbox into it, in order; says how many."""
    posted = 0
    with counter.desk.reading() as tx:
        if state.get(tx, state.STOPPED):
            return 0  # what is not posted yet goes on under the next identity
    while links := _due(counter):
        _lay(counter, links)
        with counter.desk.transaction() as tx:
            journal.mark_posted(tx, [link.seq for link in links])
        posted += len(links)
        if len(links) < BATCH:
            break
    return posted


def make_good(counter: Counter) -> None:
    """At start: whatever a crash, a wiped mailbox or a restored gateway left out is made due again."""
    counter.outgoing.sweep()
    forking.look_at_start(counter)
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        hwm = marks.hwm if marks else 0
        head = journal.head(tx).seq
        outgoing = scans.with_status(tx, ScanStatus.OUTGOING)
        known, wanted = scans.known(tx), {one.scan_hash for one in scans.with_status(tx, ScanStatus.WANTED)}
    counter.outgoing.remove_through(hwm)
    heal(counter)
    lying = {seq for seq, _ in counter.outgoing.envelopes()}
    absent = next((seq for seq in range(hwm + 1, head + 1) if seq not in lying), None)
    if absent is not None:
        with counter.desk.transaction() as tx:
            journal.repost_after(tx, absent - 1)
    put_tickets(counter, outgoing)
    counter.vault.sweep(known, wanted)
    for scan_hash in wanted:
        if not counter.vault.has(scan_hash):
            counter.outgoing.want_scan(scan_hash)
    put_facts(counter)


def heal(counter: Counter, most: int | None = None) -> int:
    """Lay anew what rotted in the mailbox: the envelopes that go next (all, unless said), compared with the journal.

    What this identity signed and the journal does not know is no rot: that is left to `forking`.
    """
    healed = []
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        for seq, path in itertools.islice(counter.outgoing.envelopes(marks.hwm if marks else 0), most):
            data, known = _read(path), journal.hash_at(tx, seq)
            is_rotten = known is not None and not _is(data, known)
            if is_rotten and not forking.proves_another_journal(counter, seq, data, known):
                healed += journal.after(tx, seq - 1, 1)
    for link in healed:
        counter.outgoing.set_aside(link.seq)
        counter.alarms.put(Alarm.MAIL_DAMAGED)
    _lay(counter, healed)
    return len(healed)


def _read(path: Path) -> bytes:
    """What lies there; nothing of what cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _is(data: bytes, known: bytes) -> bool:
    try:
        return envelope_hash(data) == known
    except WireError:
        return False


def put_facts(counter: Counter) -> bool:
    """Tell the courier how far the feed was followed and which catalog is in use; says whether that was news."""
    reading = counter.clock.read()
    offset = (reading.wall - reading.now).total_seconds() if reading.confident else None
    with counter.desk.reading() as tx:
        active = catalog.active(tx)
        facts = Facts(
            feed_cursor=feed.cursor(tx),
            feed_hash=feed.head(tx).hash.hex(),
            catalog_version=active.version if active else None,
            program_version=PROGRAM_VERSION,
            clock_offset_s=round(offset, 1) if offset is not None else None,
            alarms=[str(alarm) for alarm in status.alarms(counter, tx, reading)],
        )
    try:
        same = counter.outgoing.facts() == facts
    except DamagedFile:
        same = False
    if not same:
        counter.outgoing.put_facts(facts)
    return not same


def _due(counter: Counter) -> list[Link]:
    with counter.desk.reading() as tx:
        return journal.unposted(tx, BATCH)


def _lay(counter: Counter, links: Sequence[Link]) -> None:
    for link in links:
        try:
            counter.outgoing.put_envelope(link.seq, link.envelope)
        except EnvelopeChanged:
            _replace_rotten(counter, link)
        if link.application_id is not None:
            with counter.desk.reading() as tx:
                kept = scans.of_application(tx, link.application_id)
            put_tickets(counter, kept)


def _replace_rotten(counter: Counter, link: Link) -> None:
    """Rotten bytes give way to the journal's own. What this identity itself signed does not: only a desk that was set
    back, or a clone, can say something else under a number that was said already."""
    lying = counter.outgoing.envelope(link.seq)
    if forking.proves_another_journal(counter, link.seq, lying, envelope_hash(link.envelope)):
        with counter.desk.transaction() as tx:
            forking.stop(counter, tx, forking.BY_MAIL, seq=link.seq)
        raise EnvelopeChanged(link.seq)
    counter.outgoing.remove_envelope(link.seq)
    counter.outgoing.put_envelope(link.seq, link.envelope)


def put_tickets(counter: Counter, kept: Sequence[KeptScan]) -> None:
    """A ticket for each scan that is to be sent and has none."""
    due = [scan for scan in kept if scan.status is ScanStatus.OUTGOING]
    _write_tickets(counter, [scan for scan in due if not counter.outgoing.has_scan_ticket(scan.scan_hash)])


def hurry_the_last(counter: Counter, stored: Sequence[str]) -> None:
    """These scans arrived: where only one of their application is left, its ticket says so."""
    with counter.desk.reading() as tx:
        theirs = {scan.application_id for one in stored if (scan := scans.find(tx, one)) is not None}
        left = [
            [scan for scan in scans.of_application(tx, one) if scan.status is ScanStatus.OUTGOING]
            for one in theirs
            if one is not None
        ]
    _write_tickets(counter, [scan for missing in left if len(missing) == 1 for scan in missing])


def _write_tickets(counter: Counter, due: Sequence[KeptScan]) -> None:
    if not due:
        return
    with counter.desk.reading() as tx:
        urgency = {one: scan_urgency.priority(counter, tx, one) for one in {scan.application_id for scan in due}}
    for scan in due:
        counter.outgoing.put_scan_ticket(scan.scan_hash, urgency[scan.application_id], scan.length)
