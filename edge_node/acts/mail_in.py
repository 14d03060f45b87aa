"""Incoming mail: the city's receipt, and scans that moved. The courier has no authority; only signatures count here.

Laws
- A receipt is believed by the gateway's signature and for this node alone; whether it is obeyed, what is gone back to
  and what is a fork is decided by the node's role of `wire.exchange` and done here. Nothing is taken from the journal
  by a receipt; from the mailbox only what the gateway holds.
- A fork stops journaling, and people are told.
- The signed server time moves the clock only when the receipt is news; an old receipt, or one that a carrier brought,
  is only a floor.
"""

from __future__ import annotations

import errno
from datetime import datetime
from functools import partial
from typing import Any, Final

from edge_node.acts import audit, forking, mail_out, renewing
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Anchor
from offline_store.desk import answering, applications, feed, journal, scans, state
from offline_store.desk.database import Transaction
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.desk.state import Marks
from offline_store.errors import DamagedFile
from wire.errors import WireError
from wire.exchange import (
    Brought,
    Doubt,
    Epoch,
    GoBack,
    GoBackInFeed,
    KeepReceipt,
    NodeConsequence,
    NodeExchange,
    Phase,
    advance,
)
from wire.judgement import Accepted
from wire.receipt import Receipt, read_receipt
from wire.scan import SCAN_HEADER_MAX, unwrap_scan
from wire.waiting import Alarm

TIME_ANCHOR: Final = "time.anchor"
"""The city was restored to a state older than the stable mark it had given: a person must look at its backups."""
EPOCHS: Final = "exchange.epochs"


class ReceiptReader:
    """Looks at the receipt in the mailbox and obeys it once."""

    def __init__(self) -> None:
        self._seen: dict[str, Any] | None = None
        self._looked = False

    def look(self, counter: Counter) -> bool:
        """Obey the receipt if it is a new one; says whether it was."""
        try:
            document = counter.incoming.receipt()
        except DamagedFile:
            document = None
        fresh, self._looked = self._looked, True
        if document is None or document == self._seen:
            return False
        try:
            receipt = read_receipt(document, counter.node.gateway.signing_public, node=counter.node.node_id)
        except WireError:
            counter.alarms.put(Alarm.RECEIPT_REFUSED)
            self._seen = document
            return False
        counter.alarms.put(Alarm.RECEIPT_REFUSED, raised=False)
        obey(counter, receipt, fresh=fresh and not receipt.carried)
        renewing.take_up(counter, receipt)
        self._seen = document
        return True


def obey(counter: Counter, receipt: Receipt, *, fresh: bool) -> None:
    """Take the gateway's mark as truth, even backwards, if the exchange machine believes this receipt."""
    doubted: list[KeptScan] = []
    with counter.desk.transaction() as tx:
        before = _talk(tx)
        talk, done = _judged(tx, before, receipt)
        if contradicts(talk):
            forking.stop(counter, tx, forking.BY_MARK, seq=receipt.hwm)
            return
        if not any(isinstance(consequence, KeepReceipt) for consequence in done):
            return
        rewound = False
        for consequence in done:
            match consequence:
                case KeepReceipt():
                    _keep(counter, tx, receipt, talk, fresh=fresh)
                case Doubt():
                    doubted = scans.doubt_stored(tx)
                case GoBack(to):
                    if journal.repost_after(tx, to):
                        counter.alarms.put(Alarm.ASKED_FOR_ERASED)
                    answering.await_again_after(tx, to, to)
                case GoBackInFeed():
                    feed.begin_anew(tx, counter.new_id())
                    applications.doubt_confirmed(tx)
                    # Even what the stable mark covers may have been answered on another timeline and wait on this one.
                    # All answers that hold are told again.
                    answering.await_again_after(tx, 0, receipt.hwm)
                    rewound = True
        answering.mark_moved(tx, before.hwm, receipt.hwm)
        forking.confirmed_here(counter, tx, receipt.hwm)
        stored = [one for one in receipt.scans_stored if _mark_stored(tx, one)]
        again = scans.doubt(tx, receipt.scans_again)
    counter.outgoing.remove_through(receipt.hwm)
    for seq, _ in counter.incoming.feed():
        # beyond the head: said on a timeline that was over before it was read; if it was not, it is fetched again
        if rewound or (receipt.epochs_left and seq > receipt.feed_head):
            counter.incoming.remove_feed(seq)
    for scan_hash in stored:
        counter.outgoing.remove_scan_ticket(scan_hash)
    mail_out.put_tickets(counter, [scan for scan in doubted if scan.scan_hash not in stored] + again)


def contradicts(talk: NodeExchange) -> bool:
    """Whether the city holds something else under this identity than this journal says."""
    return talk.phase is Phase.HALTED


def _judged(
    tx: Transaction, before: NodeExchange, receipt: Receipt
) -> tuple[NodeExchange, tuple[NodeConsequence, ...]]:
    """What the machine makes of it; edge_node asked no question, so to it every receipt was brought."""
    written, hash_at = journal.head(tx).seq, partial(journal.hash_at, tx)
    return advance(before, Brought(Accepted(receipt, {}, ()), written=written, hash_at=hash_at))


def _talk(tx: Transaction) -> NodeExchange:
    """Where the conversation stands, as far as edge_node has obeyed it."""
    marks = state.marks(tx)
    if marks is None:
        return NodeExchange()
    kept = state.get(tx, EPOCHS) or ()
    epochs = tuple(Epoch(name, datetime.fromisoformat(at), tuple(left)) for name, at, *left in kept)
    return NodeExchange(
        hwm=marks.hwm,
        stable=marks.stable_hwm,
        feed_cursor=feed.cursor(tx),
        epochs=epochs or (Epoch(marks.epoch, datetime.fromisoformat(marks.server_time)),),
    )


def _keep(counter: Counter, tx: Transaction, receipt: Receipt, talk: NodeExchange, *, fresh: bool) -> None:
    _keep_time(counter, tx, receipt, fresh=fresh)
    state.put(tx, EPOCHS, [[epoch.name, epoch.last_word.isoformat(), *epoch.left] for epoch in talk.epochs])
    state.keep_marks(
        tx,
        Marks(
            gateway=receipt.gateway,
            epoch=receipt.epoch,
            hwm=receipt.hwm,
            stable_hwm=receipt.stable_hwm,
            head_hash=receipt.head_hash,
            server_time=receipt.server_time.isoformat(),
        ),
    )


def take_stored_scans(counter: Counter) -> int:
    """Scans that the city says, with its signature, it holds whole need no ticket any more."""
    stored = [scan_hash for scan_hash in counter.incoming.stored_scans() if _city_holds(counter, scan_hash)]
    if stored:
        with counter.desk.transaction() as tx:
            for scan_hash in stored:
                _mark_stored(tx, scan_hash)
    for scan_hash in stored:
        counter.outgoing.remove_scan_ticket(scan_hash)
        counter.incoming.clear_scan_stored(scan_hash)
    if stored:
        mail_out.hurry_the_last(counter, stored)
    return len(stored)


def _city_holds(counter: Counter, scan_hash: str) -> bool:
    """Whether the receipt that came for it is the gateway's, of its present epoch, and names it; another is removed."""
    try:
        receipt = read_receipt(
            counter.incoming.scan_receipt(scan_hash),
            counter.node.gateway.signing_public,
            node=counter.node.node_id,
        )
    except (WireError, DamagedFile):
        counter.alarms.put(Alarm.RECEIPT_REFUSED)
        counter.incoming.clear_scan_stored(scan_hash)
        return False
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
    if marks is None or marks.epoch != receipt.epoch or scan_hash not in receipt.scans_stored:
        counter.incoming.clear_scan_stored(scan_hash)
        return False
    return True


def take_damaged_scans(counter: Counter) -> int:
    """Scans that the courier could not send because their bytes here are not those of their name. It has no authority:
    the bytes are read again, and only what is really lost is waited for no more."""
    told = counter.incoming.damaged_scans()
    for scan_hash in told:
        if is_lost(counter, scan_hash):
            with counter.desk.transaction() as tx:
                scan = scans.find(tx, scan_hash)
                if scan is not None and scan.status is ScanStatus.OUTGOING:
                    scans.set_status(tx, scan_hash, ScanStatus.DAMAGED)
                    audit.note(counter, tx, audit.SCAN_LOST, application_id=scan.application_id, scan=scan_hash)
            counter.outgoing.remove_scan_ticket(scan_hash)
        counter.incoming.clear_scan_damaged(scan_hash)
    return len(told)


def is_lost(counter: Counter, scan_hash: str) -> bool:
    """Whether the sealed bytes under this name are gone or others; rotten ones are set aside."""
    try:
        counter.vault.check(scan_hash)
    except (DamagedFile, FileNotFoundError, IsADirectoryError):
        return True
    except OSError as failure:
        if failure.errno != errno.EIO:
            raise
        return True  # a sector that cannot be read any more
    return False


def take_arrived_scans(counter: Counter) -> int:
    """Scans that were asked for and lie in the vault now: open their wrap and keep the key."""
    arrived = [scan_hash for scan_hash in counter.outgoing.wanted() if counter.vault.has(scan_hash)]
    for scan_hash in arrived:
        with counter.desk.transaction() as tx:
            scan = scans.find(tx, scan_hash)
            if scan is not None and scan.status is ScanStatus.WANTED and scan.wrap is not None:
                key = _content_key(counter, scan_hash, scan.wrap)
                if key is not None:
                    scans.set_status(tx, scan_hash, ScanStatus.ARRIVED, key)
        counter.outgoing.unwant(scan_hash)
    return len(arrived)


def _content_key(counter: Counter, scan_hash: str, wrap: bytes) -> bytes | None:
    with counter.vault.open(scan_hash) as stream:
        header = stream.read(SCAN_HEADER_MAX)
    try:
        return counter.with_own_key(lambda key: unwrap_scan(header, wrap, key))
    except WireError:
        counter.alarms.put(Alarm.SCAN_NOT_OPENED)
        return None


def _keep_time(counter: Counter, tx: Transaction, receipt: Receipt, *, fresh: bool) -> None:
    state.raise_time_floor(tx, counter.clock.not_before(receipt.server_time))
    if fresh:
        anchor = counter.clock.hear(receipt.server_time)
        state.put(
            tx,
            TIME_ANCHOR,
            {
                "server_time": anchor.server_time.isoformat(),
                "monotonic": str(anchor.monotonic),
                "boot_id": anchor.boot_id,
            },
        )


def _mark_stored(tx: Transaction, scan_hash: str) -> bool:
    scan = scans.find(tx, scan_hash)
    if scan is None:
        return False
    if scan.status is ScanStatus.OUTGOING:
        scans.set_status(tx, scan_hash, ScanStatus.STORED)
    return True


def kept_anchor(tx: Transaction) -> Anchor | None:
    """The last server time and the machine's reading when it came, as kept by the desk."""
    kept = state.get(tx, TIME_ANCHOR)
    if kept is None:
        return None
    return Anchor(datetime.fromisoformat(kept["server_time"]), float(kept["monotonic"]), kept["boot_id"])
