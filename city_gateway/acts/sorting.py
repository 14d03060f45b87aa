"""Sorting operations: each gets its outcome, in the order it was sent, or is parked.

Laws: one that its author based on a step which this ledger does not have (the ledger was restored, others have not
sent again) is stored and waits, with what the same author did after it on that application; it is never refused for
that. Pages scanned again wait while the store of scans does not say whether the others are there: a refusal is final.
What a revoked node did waits, too, however long, until a person decides; none of it is dropped, none applied by
itself. What is sorted together is held in memory and written in a handful of statements, because a drained village
sends hundreds at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from casework.application import Application
from casework.errors import CaseworkError, ScansAreThere
from casework.events import Event, Rescanned, Submitted, scans_of
from casework.record import event_to_plain
from casework.states import State
from city_gateway.acts import scan_shelf
from city_gateway.acts.casebook import Casebook
from city_gateway.acts.feed import Authored, Draft, ScanKey, tell, wraps_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import Received
from city_gateway.acts.platform_port import records_of
from city_gateway.acts.readers import Readers, reads
from city_gateway.errors import ScanStoreAway
from city_gateway.ledger import cases, journal, outbox, parked, ratings, scan_owners, scan_references
from city_gateway.ledger.cases import CaseEntry
from city_gateway.ledger.journal import Link, Outcome
from city_gateway.ledger.outbox import PlatformRecord
from city_gateway.ledger.parked import Parked
from city_gateway.ledger.ratings import Rating
from city_gateway.ledger.scan_references import Reference
from wire.canonical import read_json
from wire.errors import WireError
from wire.exchange import Verdict, judge_operation
from wire.messages import RATING_LABEL, FeedEntry, Reason, Result
from wire.sealed_note import open_note

CONFLICT = Reason(code="operation.conflict")


RATING_LEVELS = range(1, 6)


@dataclass(slots=True)
class Sorted:
    """What came of it: nodes with news, scans whose keys did not go out yet, applications that an operation moved or
    waits for, and how many are settled."""

    news: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    concerned: set[str] = field(default_factory=set)
    settled: int = 0

    def add(self, other: Sorted) -> None:
        """What came of a further part."""
        self.news |= other.news
        self.awaited |= other.awaited
        self.concerned |= other.concerned
        self.settled += other.settled


class Sorting:
    """What one transaction sorts together: new envelopes of one node, or parked ones of one application."""

    def __init__(self, gateway: Gateway, tx: Connection, now: datetime) -> None:
        self._gateway = gateway
        self._tx = tx
        self._now = now
        self._readers = Readers(tx)
        self._links: list[Link] = []
        self._parking: list[Parked] = []
        self._settled: list[tuple[str, int, str]] = []
        self._outcomes: dict[str, Outcome] = {}
        self._entries: list[CaseEntry] = []
        self._records: list[PlatformRecord] = []
        self._references: list[Reference] = []
        self._drafts: list[Draft] = []

    def take(self, received: Sequence[Received]) -> Sorted:
        """Sort and write."""
        seen_before = self._gateway.register.outcomes(self._tx, [one.op_id for one in received])
        wanted = {one.application_id for one in received if one.application_id}
        self._book = Casebook(self._tx, wanted)
        self._lanes = parked.lanes(self._tx, wanted)
        self._revoked = self._gateway.revoked()
        self._owners = scan_owners.owners(self._tx, [name for one in received for name in one.scan_hashes])
        for one in received:
            known = seen_before.get(one.op_id) or self._outcomes.get(one.op_id)
            match self._verdict(one, known):
                case Verdict.TRY:
                    self._first_time(one)
                case Verdict.WAIT:
                    self._wait(one)
                case Verdict.AGAIN if known is not None:
                    self._again(one, known)
                case Verdict.CONFLICT if known is not None:
                    self._keep(one, journal.CONFLICT, known.application_id)
                    self._answer_refused(one, known.application_id, known.case_seq, CONFLICT)
        return Sorted(
            news=self._write(),
            awaited={one.scan_hash for one in self._references if not one.shared},
            concerned={one.application_id for one in self._entries} | {one.application_id for one in self._parking},
            settled=len(self._settled),
        )

    def _verdict(self, one: Received, known: Outcome | None) -> Verdict:
        """Only nodes that may be right to be ahead of the city may wait, and those that are revoked have to."""
        application_id = one.application_id or ""
        if known is None and one.author.node_id in self._revoked and application_id and one.events and not one.decided:
            return Verdict.WAIT
        case = self._book.case(application_id)
        may_wait = (
            bool(application_id and one.events)
            and not (one.overdue or one.decided)
            and (case is None or reads(one.author, case.application.site))
        )
        if known is None and may_wait and self._only_the_store_knows(one):
            return Verdict.WAIT
        return judge_operation(
            one.body_hash,
            known.body_hash if known else None,
            may_wait=may_wait,
            basis=one.basis,
            case_seq=case.case_seq if case else 0,
            seq=one.header.seq,
            lane=self._lanes.get((one.author.node_id, application_id), ()),
        )

    def _wait(self, one: Received) -> None:
        application_id = one.application_id or ""
        self._lanes.setdefault((one.author.node_id, application_id), set()).add(one.header.seq)
        if not one.parked:
            self._keep(one, journal.PARKED, application_id)
            waiting = Parked(one.author.node_id, one.header.seq, application_id, one.basis, self._now)
            self._parking.append(waiting)

    def _first_time(self, one: Received) -> None:
        application_id = one.application_id
        result = Result.APPLIED
        reason, case_seq = one.reason, 0
        if one.readable and not one.events:
            result = Result.RECORDED
        elif one.readable and application_id:
            try:
                case_seq = self._apply(one, application_id)
            except CaseworkError as error:
                reason = Reason(code=error.code, params=dict(error.params))
        if reason is not None:
            result = Result.REFUSED
            case = self._book.case(application_id) if application_id else None
            case_seq = case.case_seq if case else 0
            self._answer_refused(one, application_id, case_seq, reason)
        self._keep(one, journal.EFFECTIVE if one.readable else journal.UNREADABLE, application_id)
        self._outcomes[one.op_id] = Outcome(
            op_id=one.op_id,
            body_hash=one.body_hash,
            node_id=one.author.node_id,
            seq=one.header.seq,
            application_id=application_id,
            case_seq=case_seq,
            result=result,
            refusal=json.dumps(reason.model_dump(mode="json")) if reason else None,
        )

    def _apply(self, one: Received, application_id: str) -> int:
        self._refuse_needless_rescans(one, application_id)
        clerk = one.operation.clerk if one.operation else ""
        case, added = self._book.move_by_node(
            application_id, one.events, one.author, clerk=clerk, and_then=self._city_adds
        )
        plain = [event_to_plain(event) for event in added]
        application = case.application
        self._entries.append(
            CaseEntry(
                application_id, case.case_seq, one.op_id, one.author.node_id, one.header.seq, tuple(plain), self._now
            )
        )
        self._records += records_of(application, one.op_id, one.events)
        self._open_rating(one, application)
        keys = self._refer(one, application)
        authored = Authored(one.author, one.data, one.content_key)
        answer = FeedEntry(
            application_id=application_id,
            case_seq=case.case_seq,
            op_id=one.op_id,
            author_node=one.author.node_id,
            author_role=str(one.events[0].by.role),
            result=Result.APPLIED,
            events=plain,
        )
        for reader in self._readers.of(application.site):
            if reader.node_id != one.author.node_id:
                more = authored.for_reader(reader) | {"scan_wraps": wraps_for(reader, keys)}
                self._drafts.append(Draft(reader, answer.model_copy(update=more)))
        self._drafts.append(Draft(one.author, answer))
        return case.case_seq

    def _city_adds(self, application: Application) -> list[Event]:
        if application.received_at is None and application.state in (State.COLLECTED, State.PRE_REVIEW):
            return [Submitted(at=self._now, by=self._gateway.city)]
        return []

    def _only_the_store_knows(self, one: Received) -> bool:
        """Whether pages were scanned again and the store does not say if that was needless."""
        try:
            self._refuse_needless_rescans(one, one.application_id or "")
        except ScanStoreAway:
            return True
        except ScansAreThere:
            pass
        return False

    def _refuse_needless_rescans(self, one: Received, application_id: str) -> None:
        """Scanning again mends what was lost before it came here; it never changes what somebody may have read."""
        case = self._book.case(application_id)
        for event in one.events:
            if not isinstance(event, Rescanned) or case is None:
                continue
            for material_id in dict.fromkeys(scan.material_id for scan in event.scans):
                former = [scan.scan_hash for scan in case.application.scans if scan.material_id == material_id]
                if former and len(scan_shelf.stored(self._gateway, former)) == len(former):
                    raise ScansAreThere(material_id)

    def _open_rating(self, one: Received, application: Application) -> None:
        sealed = one.operation.rating if one.operation else None
        if sealed is not None and application.rated_at is not None:
            try:
                said = read_json(open_note(RATING_LABEL, sealed, *self._gateway.keys.sealing), "rating")
                level, note = int(said["level"]), str(said["text"]).replace("\0", "")
            except (WireError, TypeError, KeyError, ValueError, OverflowError):
                return  # the act of rating counts; a note that nobody can read stays in the envelope
            if level in RATING_LEVELS:
                ratings.keep(self._tx, Rating(application.application_id, level, note, application.rated_at))

    def _refer(self, one: Received, application: Application) -> dict[str, ScanKey]:
        """Note what it refers to; the keys of those scans that are its author's or the application's site's."""
        scans = {scan.scan_hash: scan for scan in scans_of(one.events)}
        sites = {one.author.site, application.site}
        keys = self._keys_of([name for name in scans if self._owners.get(name) in sites])
        self._references += [
            Reference(name, application.application_id, one.author.site, scan.length, name in keys)
            for name, scan in scans.items()
        ]
        return keys

    def _keys_of(self, scan_hashes: list[str]) -> dict[str, ScanKey]:
        """None while the store does not answer: they are shared when it does (`arrival.share_missed`)."""
        try:
            return scan_shelf.keys_of(self._gateway, scan_hashes)
        except ScanStoreAway:
            return {}

    def _again(self, one: Received, known: Outcome) -> None:
        """The same operation under another number of a new chain: the same answer, no second effect."""
        self._keep(one, journal.REPEATED, known.application_id)
        if known.result is Result.RECORDED:
            return
        refusal = Reason.model_validate_json(known.refusal) if known.refusal else None
        events = self._city_events(known)
        entry = FeedEntry(
            application_id=known.application_id,
            case_seq=known.case_seq,
            op_id=one.op_id,
            author_node=one.author.node_id,
            author_role=_author_role(one),
            result=Result.APPLIED if refusal is None else Result.REFUSED,
            refusal=refusal,
            events=events,
        )
        self._drafts.append(Draft(one.author, entry))

    def _city_events(self, known: Outcome) -> list[dict[str, object]]:
        if known.application_id is None or known.result is not Result.APPLIED:
            return []
        entry = cases.entry(self._tx, known.application_id, known.case_seq)
        return list(entry.events) if entry else []

    def _answer_refused(self, one: Received, application_id: str | None, case_seq: int, reason: Reason) -> None:
        entry = FeedEntry(
            application_id=application_id,
            case_seq=case_seq,
            op_id=one.op_id,
            author_node=one.author.node_id,
            author_role=_author_role(one),
            result=Result.REFUSED,
            refusal=reason,
        )
        self._drafts.append(Draft(one.author, entry))

    def _keep(self, one: Received, standing: str, application_id: str | None) -> None:
        if one.parked:
            self._settled.append((one.author.node_id, one.header.seq, standing))
            self._lanes.get((one.author.node_id, application_id or ""), set()).discard(one.header.seq)
            return
        self._links.append(
            Link(
                node_id=one.author.node_id,
                seq=one.header.seq,
                op_id=one.op_id,
                kind=int(one.header.kind),
                envelope_hash=one.hash,
                standing=standing,
                application_id=application_id,
                received_at=self._now,
                road=one.road,
                envelope=one.data,
            )
        )

    def _write(self) -> set[str]:
        journal.append(self._tx, self._links)
        parked.park(self._tx, self._parking)
        parked.settle(self._tx, self._settled)
        self._gateway.register.remember(self._tx, self._outcomes.values())
        self._book.save(self._now)
        cases.append(self._tx, self._entries)
        scan_references.refer(self._tx, self._references)
        outbox.promise(self._tx, self._records, self._now)
        return tell(self._gateway, self._tx, self._drafts)


def _author_role(one: Received) -> str:
    """In whose name it was done; of what tells no events only its node is known."""
    return str(one.events[0].by.role) if one.events else str(one.author.role)
