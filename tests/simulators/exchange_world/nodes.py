"""A machine in a village or township: the counter service with its desk, and the courier beside it.

Both drive the node's role of `wire.exchange`, each from what lies on the disk, as in production.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from casework.application import Application
from casework.errors import CaseworkError
from casework.lifecycle import advance as move
from casework.lifecycle import draft
from casework.states import CLOSED_STATES, State
from tests.simulators.exchange_world.courier import BATCH, Courier
from tests.simulators.exchange_world.faults import Fuses
from tests.simulators.exchange_world.folder import Desk, Entry, Folder, Known
from tests.simulators.exchange_world.sealing import RECORDED, FeedMail, Op, Reply, Seals, Told
from wire.audit_chain import GENESIS, Head, continue_with
from wire.errors import Duplicate, Fork, Gap, UnknownDictionary, Untrusted
from wire.exchange import (
    Brought,
    Doubt,
    GoBack,
    GoBackInFeed,
    KeepReceipt,
    NodeConsequence,
    NodeExchange,
    Phase,
    Telling,
    advance,
    judge_entry,
    may_be_purged,
)
from wire.judgement import Accepted
from wire.receipt import CARRIED, Receipt

OVER = CLOSED_STATES | {State.DELIVERED}
ANY = b"any"
"""With a protection switched off: the node goes on behind a link of which it knows nothing."""


@dataclass(slots=True)
class Machine(Courier):
    """One machine. Everything outside `folder` is forgotten by a crash."""

    number: int
    site: str
    role: str
    folder: Folder
    seals: Seals
    fuses: Fuses
    off: frozenset[str]
    fresh: Callable[[], str]
    talk: NodeExchange | None = None
    seen: Reply | None = None
    asked_scans: tuple[str, ...] = ()
    obeyed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    checked: Desk | None = None

    @property
    def desk(self) -> Desk:
        return self.folder.desk

    @property
    def node(self) -> str:
        return self.folder.desk.node

    def restart(self) -> None:
        """Both programs begin anew from the disk."""
        self.talk, self.seen, self.asked_scans = None, None, ()

    # --- the counter service ------------------------------------------------------------------------------------------

    def _edge(self) -> None:
        self.fuses.touch(f"edge:{self.number}")

    def _commit(self, desk: Desk) -> None:
        self._edge()
        self.folder.desk = desk
        self._edge()

    def save(self, op: Op) -> None:
        """One transaction: from here on it is saved."""
        desk = self.desk.copy()
        letter = self.seals.letter(desk.node, desk.head, op, desk.key, desk.dictionaries)
        desk.moment += 1
        outcome = RECORDED if op.note else None
        desk.journal = (*desk.journal, Entry(letter.seq, op, letter.hash, letter, outcome=outcome, written=desk.moment))
        desk.by_op[op.op_id] = letter.seq
        for scan in op.scans:
            desk.scans[scan] = "outgoing"
            self.folder.vault[scan] = "whole"
        self._commit(desk)

    def shown(self, application_id: str) -> tuple[Application, int]:
        """The application with this node's unanswered acts over it, and the basis of the next act."""
        known = self.desk.known.get(application_id)
        application = known.confirmed if known else draft(application_id)
        for entry in self.desk.journal:
            if entry.op.application_id == application_id and entry.outcome is None:
                try:
                    moved = application
                    for event in entry.op.events:
                        moved = move(moved, event)
                except CaseworkError:
                    continue
                application = moved
        return application, known.case_seq if known else 0

    def work(self) -> None:
        """One round of the mail: the receipt, the feed, what is to be posted, what the courier has to know."""
        self.look()
        self.take_feed()
        self.post()
        self.purge()
        head = self.desk.feed
        if self.folder.facts != head:
            self._edge()
            self.folder.facts = head

    def look(self) -> None:
        """Obey the receipt that lies in the mailbox, once."""
        if self.folder.refused is not None and not self.desk.stopped:
            desk = self.desk.copy()
            desk.stopped = True
            self._commit(desk)
        reply = self.folder.receipt
        if reply is None or reply is self.seen:
            return
        receipt = self.seals.receipt_of(reply, self.node)
        if receipt is not None:
            self._obey(receipt)
        self.seen = reply

    def _obey(self, receipt: Receipt) -> None:
        desk = self.desk.copy()
        before = NodeExchange(hwm=desk.hwm, stable=desk.stable, feed_cursor=desk.feed.seq, epochs=desk.epochs)
        after, done = self._brought(before, Accepted(receipt, {}, ()), 1, desk.head.seq, desk.hash_at)
        if after.phase is Phase.HALTED:
            desk.stopped = True
            self._commit(desk)
            return
        if not any(isinstance(one, KeepReceipt) for one in done):
            return
        for consequence in done:
            self._do(desk, after, consequence)
        self._commit(desk)
        keep = receipt.feed_head if receipt.epochs_left and "feed" not in self.off else None
        self._sweep(desk, 0 if any(isinstance(one, GoBackInFeed) for one in done) else keep)

    def _do(self, desk: Desk, after: NodeExchange, consequence: NodeConsequence) -> None:
        match consequence:
            case KeepReceipt(said):
                if "mark" in self.off and desk.receipt is not None and said.hwm < desk.hwm:
                    said = said.model_copy(update={"hwm": desk.hwm})
                desk.receipt, desk.epochs = said, after.epochs
                desk.floor = max(desk.floor, said.server_time) if desk.floor else said.server_time
                for scan in said.scans_stored:
                    if desk.scans.get(scan) == "outgoing":
                        desk.scans[scan] = "stored"
                self.obeyed.append((said.epoch, tuple(said.epochs_left)))
            case Doubt():
                desk.scans = {scan: "outgoing" if status == "stored" else status for scan, status in desk.scans.items()}
            case GoBack(to) if "mark" not in self.off:
                desk.journal = tuple(self._again(one) if one.seq > to and one.letter else one for one in desk.journal)
            case GoBackInFeed() if "feed" in self.off and desk.receipt is not None:
                desk.feed = Head(desk.receipt.feed_head, ANY)
            case GoBackInFeed():
                desk.feed, desk.telling = GENESIS, self.fresh()
                desk.journal = tuple(
                    replace(self._again(one), posted=one.posted) if one.letter else one for one in desk.journal
                )

    def _again(self, entry: Entry) -> Entry:
        """It is to be posted again, and waits for its answer again."""
        return replace(entry, posted=False, outcome=RECORDED if entry.op.note else None)

    def _sweep(self, desk: Desk, keep_feed: int | None) -> None:
        """The mailbox after a receipt: what the city holds goes, and what it said on a timeline that is over."""
        for seq in [seq for seq in self.folder.outgoing if seq <= desk.hwm]:
            self._edge()
            del self.folder.outgoing[seq]
        for seq in [seq for seq in self.folder.feed if keep_feed is not None and seq > keep_feed]:
            self._edge()
            del self.folder.feed[seq]

    def _brought(
        self,
        before: NodeExchange,
        accepted: Accepted,
        first: int,
        written: int | None,
        hash_at: Callable[[int], bytes | None],
    ) -> tuple[NodeExchange, tuple[NodeConsequence, ...]]:
        before = self._gullible(before)
        if self.off & {"fork", "chain"}:
            return advance(before, Brought(accepted, first))
        return advance(before, Brought(accepted, first, written, hash_at))

    def _gullible(self, talk: NodeExchange) -> NodeExchange:
        """The protection switched off: no epoch was ever left."""
        return replace(talk, epochs=()) if "epoch" in self.off else talk

    def take_feed(self) -> None:
        """Each entry that follows, in a transaction of its own; a stopped identity reads nothing."""
        if self.desk.stopped:
            return
        for seq in sorted(self.folder.feed):
            if seq > self.desk.feed.seq and not self._take(seq, self.folder.feed[seq]):  # type: ignore[arg-type]
                return
            if seq in self.folder.feed:
                self._edge()
                del self.folder.feed[seq]

    def _take(self, seq: int, mail: FeedMail) -> bool:
        desk = self.desk.copy()
        try:
            link = self.seals.prove_feed(mail, desk.node)
            place = Head(desk.feed.seq, link.prev) if desk.feed.hash == ANY else desk.feed
            head = continue_with(place, link)
        except (Gap, Duplicate):
            return False
        except (Fork, Untrusted):
            del self.folder.feed[seq]
            return False
        told = mail.told
        if told.op_id and told.letter is None and told.op_id not in desk.by_op and not self.off & {"fork", "chain"}:
            desk.stopped = True  # an answer to an act of this identity that another disk holds
            self._commit(desk)
            return False
        try:
            self._fold(desk, told)
        except UnknownDictionary:
            return False
        desk.feed = head
        self._commit(desk)
        return True

    def _fold(self, desk: Desk, told: Told) -> None:
        own_seq = desk.by_op.get(told.op_id) if told.op_id else None
        own = desk.journal[own_seq - 1] if own_seq else None
        if own is not None:
            desk.put(replace(own, outcome=told.result))
        if not told.application_id:
            return
        known = desk.known.get(told.application_id)
        events = told.events
        if told.result == "applied" and own is not None and own.letter is not None:
            events = (*own.op.events, *told.events)
        elif told.result == "applied" and told.letter is not None:
            if told.letter.dictionary > desk.dictionaries:
                raise UnknownDictionary(told.letter.dictionary)
            events = (*told.letter.op.events, *told.events)
        if known is None and not events:
            return
        fresh = (
            desk.telling is not None and desk.told.get(told.application_id) != desk.telling and "told" not in self.off
        )
        if fresh and desk.telling is not None:
            desk.told[told.application_id] = desk.telling
        telling = judge_entry(
            told.case_seq, known.case_seq if known else None, told_anew=fresh and not (known and known.erased)
        )
        if telling is Telling.BEGINS or known is None:
            known = Known(draft(told.application_id), 0)
        moved = known.confirmed
        if telling is not Telling.KNOWN:
            try:
                for event in events:
                    moved = move(moved, event)
            except CaseworkError:
                moved = known.confirmed
                desk.misunderstood += 1
        desk.moment += 1
        desk.known[told.application_id] = replace(
            known, confirmed=moved, case_seq=max(known.case_seq, told.case_seq), told=desk.moment
        )

    def post(self) -> None:
        """What is saved is laid into the mailbox."""
        for entry in self.desk.journal:
            if not entry.posted and entry.letter is not None and not self.desk.stopped:
                self._edge()
                self.folder.outgoing[entry.seq] = entry.letter
                desk = self.desk.copy()
                desk.put(replace(entry, posted=True))
                self._commit(desk)

    def purge(self) -> None:
        """What is over, stable and answered leaves the node. What the city said last of it is stable when the note is
        that was written afterwards."""
        stable = self.desk.hwm if "stable" in self.off else self.desk.stable
        for application_id, known in list(self.desk.known.items()):
            mine = [one for one in self.desk.journal if one.op.application_id == application_id]
            own = [one for one in mine if not one.op.note]
            if known.erased or known.confirmed.state not in OVER or not own or self.desk.stopped:
                continue
            if all(may_be_purged(one.seq, one.outcome, stable) for one in own):
                if any(self.desk.scans.get(scan) == "outgoing" and self.folder.vault.get(scan) == "whole"
                       for one in own for scan in one.op.scans):  # fmt: skip
                    continue
                noted = [one.seq for one in mine if one.op.note and one.written > known.told]
                if not noted:
                    self.save(Op(self.fresh(), application_id, (), 0, note=True))
                if not noted or noted[0] > stable:
                    continue
                desk = self.desk.copy()
                for one in own:
                    desk.put(replace(one, letter=None))
                    for scan in one.op.scans:
                        desk.scans.pop(scan, None)
                desk.known[application_id] = replace(known, erased=True)
                self._commit(desk)
                for one in own:
                    for scan in one.op.scans:
                        self.folder.vault.pop(scan, None)

    # --- another identity ---------------------------------------------------------------------------------------------

    def re_enrol(self, node: str) -> None:
        """The same machine under a new id: what is not safe at the city is chained anew, with unchanged op_ids, and
        waits for its answer again: who had answered it may have been a gateway that was given up."""
        desk = self.desk.copy()
        going_on = [
            one for one in desk.journal if one.letter is not None and (one.seq > desk.stable or one.outcome is None)
        ]
        desk.node, desk.journal, desk.by_op, desk.receipt = node, (), {}, None
        for one in going_on:
            letter = self.seals.letter(node, desk.head, one.op, desk.key, desk.dictionaries)
            renewed = replace(self._again(one), seq=letter.seq, hash=letter.hash, letter=letter)
            desk.journal = (*desk.journal, renewed)
            desk.by_op.setdefault(one.op.op_id, letter.seq)
        desk.feed, desk.telling, desk.stopped = GENESIS, node, False
        self._commit(desk)
        self.folder.outgoing, self.folder.feed, self.folder.receipt = {}, {}, None
        self.folder.refused, self.folder.facts = None, GENESIS
        self.restart()


__all__ = ["BATCH", "CARRIED", "OVER", "Machine"]
