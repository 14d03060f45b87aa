"""The city: drives its role of `wire.exchange` and the verdicts, on a ledger that commits in one assignment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from casework.application import Application
from casework.errors import CaseworkError
from casework.events import Collected, Event, Submitted
from casework.lifecycle import advance as move
from casework.lifecycle import draft
from casework.states import State
from tests.simulators.exchange_world.faults import Fuses
from tests.simulators.exchange_world.ledger import Case, CaseStep, Ledger, Outcome, Row
from tests.simulators.exchange_world.office import CITY_ACTOR, WHOLE, Office, reads
from tests.simulators.exchange_world.sealing import CITY, NO_PAGE, RECORDED, Letter, No, Op, Reply, Seals, Told
from wire.audit_chain import Head, Link
from wire.errors import Untrusted, WireError
from wire.exchange import (
    Answer,
    Asked,
    CityExchange,
    Kept,
    LeadBack,
    Phase,
    Refuse,
    Stop,
    Store,
    TurnPage,
    Verdict,
    advance,
    judge_operation,
    sort_apart,
)
from wire.receipt import Receipt

PAGE = 6
FINAL = frozenset({"fork", "envelope.forged"})


class Poison(Exception):
    """Sorting this operation fails in a way that nobody thought of."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a node asks."""

    node: str
    nonce: str
    feed_cursor: int
    feed_hash: bytes | None
    letters: tuple[Letter, ...]
    scans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """A letter and what was in it; no act when nobody can read it."""

    author: Row
    letter: Letter
    op: Op | None
    body_hash: bytes
    parked: bool = False
    decided: bool = False

    @property
    def op_id(self) -> str:
        return self.letter.op.op_id  # clear in the header


@dataclass(slots=True)
class City(Office):
    """One gateway on one ledger."""

    ledger: Ledger
    seals: Seals
    fuses: Fuses
    off: frozenset[str]
    clock: datetime
    keys: set[int] = field(default_factory=lambda: {1})
    dictionaries: int = 0
    signed: set[tuple[object, ...]] = field(default_factory=set)
    refused_ahead: list[str] = field(default_factory=list)
    broken: str | None = None

    # --- the exchange -------------------------------------------------------------------------------------------------

    def exchange(self, asked: Question) -> Reply | No:
        """One transaction, then what waits for what came, then the answer."""
        tx = self.ledger.copy()
        row = tx.rows.get(asked.node)
        if row is None:
            return self._no("request.unknown_node", asked)
        proven, forged = self._proven(row, asked.letters)
        talk, done = advance(self._talk(row), self._question(tx, row, asked, proven, forged=forged))
        page, feed_head, concerned = (), 0, set[str]()
        for consequence in done:
            match consequence:
                case Refuse(code):
                    return self._no(code, asked)
                case Store(links, head):
                    letters = [proven[link] for link in links]
                    tx.journal[row.node] = (*tx.journal.get(row.node, ()), *letters)
                    concerned = self._sort(tx, [self._received(row, letter) for letter in letters])
                    tx.change(row.node, head=head)
                case Stop(why):
                    tx.change(row.node, stopped_for=why)
                case TurnPage(after):
                    page = tx.feeds.get(row.node, ())[after : after + PAGE]
                    feed_head = tx.feed_head(row.node).seq
                case LeadBack():
                    feed_head = tx.feed_head(row.node).seq if "feed" in self.off else 0
        self._commit(tx)
        self.unpark(concerned)
        _, (said,) = advance(talk, Kept())
        if isinstance(said, Refuse):
            return self._no(said.code, asked)
        assert isinstance(said, Answer)
        stored = [name for name in asked.scans if self.ledger.scans.get(name, 0) >= WHOLE]
        receipt = Receipt.model_construct(
            gateway="f" * 32,
            epoch=said.epoch,
            node=asked.node,
            hwm=said.head.seq,
            head_hash=said.head.hash.hex(),
            stable_hwm=said.stable,
            server_time=self.clock,
            nonce=asked.nonce,
            feed_head=feed_head,
            feed_more=asked.feed_cursor + len(page) < feed_head,
            page_hash=NO_PAGE,
            scans_stored=stored,
            epochs_left=list(self.ledger.left),
            retry_after=None,
            catalog_mark=None,
            renewal=None,
        )
        self.signed.add((asked.node, said.epoch, said.head.seq, said.head.hash, said.stable))
        return self.seals.reply(receipt, page, asked.feed_cursor + 1, CITY)

    def _talk(self, row: Row) -> CityExchange:
        return CityExchange(
            phase=Phase.STOPPED if row.stopped_for else Phase.SERVING,
            head=row.head,
            stable=row.stable,
            epoch=self.ledger.epoch,
            stopped_for=row.stopped_for,
        )

    def _proven(self, row: Row, letters: Iterable[Letter]) -> tuple[dict[Link, Letter], bool]:
        proven: dict[Link, Letter] = {}
        for letter in letters:
            try:
                proven[self.seals.prove(letter, row.node)] = letter
            except Untrusted:
                return proven, True
        return proven, False

    def _question(self, tx: Ledger, row: Row, asked: Question, proven: dict[Link, Letter], *, forged: bool) -> Asked:
        feed, cursor = tx.feeds.get(row.node, ()), asked.feed_cursor
        links = tuple(proven)
        if "fork" in self.off or "chain" in self.off:
            links = self._unforked(tx, row, proven)
        return Asked(
            links=links,
            forged=forged,
            hash_at=lambda seq: tx.hash_at(row.node, seq),
            feed_cursor=cursor,
            feed_hash=asked.feed_hash,
            feed_head=len(feed),
            own_feed_hash=feed[cursor - 1].hash if 0 < cursor <= len(feed) else None,
        )

    def _unforked(self, tx: Ledger, row: Row, proven: dict[Link, Letter]) -> tuple[Link, ...]:
        """The protection switched off: what does not fit is passed over ("fork"), or nobody looks ("chain")."""
        head, kept = row.head, []
        for link in list(proven):
            if "chain" in self.off:
                if link.seq == head.seq + 1:
                    fitting = Link(link.seq, head.hash, link.hash)
                    proven[fitting] = proven[link]
                    kept.append(fitting)
                    head = Head(link.seq, link.hash)
            elif link.seq == head.seq + 1 and link.prev == head.hash:
                kept.append(link)
                head = Head(link.seq, link.hash)
        return tuple(kept)

    def _commit(self, tx: Ledger) -> None:
        self.fuses.touch("city")
        self.ledger.become(tx)
        self.fuses.touch("city")

    def _no(self, code: str, asked: Question) -> No:
        return self.seals.refuse(code, asked.node, asked.nonce, final=code in FINAL, at=self.clock)

    # --- sorting ------------------------------------------------------------------------------------------------------

    def _received(self, author: Row, letter: Letter, *, parked: bool = False, decided: bool = False) -> Received:
        try:
            op = self.seals.open(letter, frozenset(self.keys), self.dictionaries)
        except WireError:
            return Received(author, letter, None, letter.hash, parked, decided)
        if op.poison == "shut":
            return Received(author, letter, None, op.body_hash, parked, decided)
        return Received(author, letter, op, op.body_hash, parked, decided)

    def _sort(self, tx: Ledger, received: Sequence[Received]) -> set[str]:
        """The applications that moved or for which something waits."""

        def sort(some: Sequence[Received]) -> set[str]:
            inner = tx.copy()
            concerned = {application_id for one in some for application_id in self._one(inner, one)}
            tx.become(inner)
            return concerned

        def shut(one: Received, _error: Exception) -> Received:
            return Received(one.author, one.letter, None, one.body_hash, one.parked, one.decided)

        if "poison" in self.off:
            return sort(received)
        return set().union(*sort_apart(received, sort, shut))

    def _one(self, tx: Ledger, one: Received) -> Iterable[str]:
        if one.op is not None and one.op.poison == "crash":
            raise Poison
        op = one.op
        if op is not None and op.note:
            tx.outcomes[op.op_id] = Outcome(one.body_hash, "", 0, RECORDED)
            return []
        case = tx.cases.get(op.application_id) if op else None
        known = None if "op_id" in self.off else tx.outcomes.get(one.op_id)
        lane = [seq for (node, seq), letter in tx.parked.items()
                if node == one.author.node and op and letter.op.application_id == op.application_id]  # fmt: skip
        verdict = judge_operation(
            one.body_hash,
            known.body_hash if known else None,
            may_wait=op is not None
            and not one.decided
            and "order" not in self.off
            and (case is None or reads(one.author, case.site)),
            basis=op.basis if op else 0,
            case_seq=case.case_seq if case else 0,
            seq=one.letter.seq,
            lane=lane,
        )
        if verdict is not Verdict.WAIT:
            tx.parked.pop((one.author.node, one.letter.seq), None)
        match verdict:
            case Verdict.WAIT:
                tx.parked[one.author.node, one.letter.seq] = one.letter
                return [op.application_id] if op else []
            case Verdict.AGAIN if known is not None:
                step = next((s for s in tx.steps.get(known.application_id, ()) if s.case_seq == known.case_seq), None)
                events = step.events if step and known.result == "applied" else ()
                self._tell(
                    tx,
                    one.author.node,
                    Told(known.application_id, known.case_seq, one.op_id, known.result, None, events),
                )
            case Verdict.CONFLICT if known is not None:
                self._tell(tx, one.author.node, Told(known.application_id, known.case_seq, one.op_id, "refused"))
            case Verdict.TRY:
                return self._first_time(tx, one, case)
        return []

    def _first_time(self, tx: Ledger, one: Received, case: Case | None) -> Iterable[str]:
        op = one.op
        application_id = op.application_id if op else ""
        try:
            if op is None:
                raise CaseworkError(reason="unreadable")
            moved, added = self._moved(op, case)
        except CaseworkError as error:
            if (
                op is not None
                and not one.decided
                and op.basis > (case.case_seq if case else 0)
                and (case is None or reads(one.author, case.site))
            ):
                self.refused_ahead.append(one.op_id)
            case_seq = case.case_seq if case else 0
            tx.outcomes[one.op_id] = Outcome(one.body_hash, application_id, case_seq, "refused", error.code)
            self._tell(tx, one.author.node, Told(application_id, case_seq, one.op_id, "refused"))
            return []
        case_seq = case.case_seq + 1 if case else 1
        site = case.site if case else one.author.site
        tx.cases[application_id] = Case(moved, case_seq, site)
        step = CaseStep(case_seq, one.op_id, one.author.node, one.letter, added)
        tx.steps[application_id] = (*tx.steps.get(application_id, ()), step)
        tx.outcomes[one.op_id] = Outcome(one.body_hash, application_id, case_seq, "applied")
        for reader in self._readers(tx, site):
            if reader.node != one.author.node:
                self._tell(tx, reader.node, Told(application_id, case_seq, one.op_id, "applied", one.letter, added))
        self._tell(tx, one.author.node, Told(application_id, case_seq, one.op_id, "applied", None, added))
        return [application_id]

    def _moved(self, op: Op, case: Case | None) -> tuple[Application, tuple[Event, ...]]:
        application = case.application if case else draft(op.application_id)
        for event in op.events:
            if case is None and not isinstance(event, Collected) and not application.receipt_no:
                raise CaseworkError(reason="unknown application")
            application = move(application, event)
        added: tuple[Event, ...] = ()
        if application.received_at is None and application.state in (State.COLLECTED, State.PRE_REVIEW):
            added = (Submitted(at=self.clock, by=CITY_ACTOR),)
            application = move(application, added[0])
        return application, added

    def unpark(self, application_ids: Iterable[str] | None = None) -> None:
        """Try what waits again, as long as that leads to something."""
        again = sorted({letter.op.application_id for letter in self.ledger.parked.values()})
        for application_id in again if application_ids is None else sorted(set(application_ids) & set(again)):
            while self._unpark_once(application_id):
                pass

    def decide(self) -> None:
        """A person says that nobody has anything more to bring: what waits is tried as things stand."""
        tx = self.ledger.copy()
        waiting = sorted((letter.op.basis, node, seq, letter) for (node, seq), letter in tx.parked.items())
        self._sort(
            tx, [self._received(tx.rows[node], letter, parked=True, decided=True) for _, node, _, letter in waiting]
        )
        self._commit(tx)

    def _unpark_once(self, application_id: str) -> bool:
        tx = self.ledger.copy()
        case = tx.cases.get(application_id)
        waiting = [
            (letter.op.basis, node, seq, letter)
            for (node, seq), letter in tx.parked.items()
            if letter.op.application_id == application_id and letter.op.basis <= (case.case_seq if case else -1)
        ]
        before = len(tx.parked)
        ordered = sorted(waiting, key=lambda one: one[:3])
        self._sort(tx, [self._received(tx.rows[node], letter, parked=True) for _, node, _, letter in ordered])
        if len(tx.parked) == before:
            return False
        self._commit(tx)
        return True


def founded(seals: Seals, fuses: Fuses, off: frozenset[str], clock: datetime) -> City:
    """A city that nobody has written to."""
    return City(Ledger(epoch="e" * 31 + "1"), seals, fuses, off, clock)


__all__ = ["PAGE", "WHOLE", "City", "Question", "founded"]
