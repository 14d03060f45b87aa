"""Sorting what a node sent: each operation gets its outcome, in the order it was sent, inside the batch's transaction.

The batch is held in memory and written in a handful of statements, because a drained village sends hundreds at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from casework.application import Application
from casework.errors import CaseworkError
from casework.events import Collected, Event, Submitted, Supplemented
from casework.record import event_to_plain
from casework.states import State
from city_gateway.acts import scan_shelf
from city_gateway.acts.casebook import Casebook
from city_gateway.acts.feed import Authored, Draft, ScanKey, tell, wraps_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import Received, receive
from city_gateway.acts.platform_port import records_of
from city_gateway.acts.readers import Readers
from city_gateway.ledger import cases, journal, outbox, ratings, scan_references
from city_gateway.ledger.cases import CaseEntry
from city_gateway.ledger.journal import Link, Outcome
from city_gateway.ledger.nodes import Node
from city_gateway.ledger.outbox import PlatformRecord
from city_gateway.ledger.ratings import Rating
from wire.canonical import read_json
from wire.errors import WireError
from wire.messages import FeedEntry, Reason
from wire.sealed_note import open_note

APPLIED: Final = "applied"
REFUSED: Final = "refused"
RECORDED: Final = "recorded"
CONFLICT = Reason(code="operation.conflict")


class Sorting:
    """One batch of one node."""

    def __init__(self, gateway: Gateway, tx: Connection, node: Node, now: datetime) -> None:
        self._gateway = gateway
        self._tx = tx
        self._node = node
        self._now = now
        self._readers = Readers(tx)
        self._links: list[Link] = []
        self._outcomes: dict[str, Outcome] = {}
        self._entries: list[CaseEntry] = []
        self._records: list[PlatformRecord] = []
        self._references: list[tuple[str, str, int, bool]] = []
        self._drafts: list[Draft] = []

    def take(self, links: Sequence[bytes]) -> tuple[set[str], set[str]]:
        """Sort and write; returns the nodes that have news and the scans that are still awaited."""
        self._gateway.ledger.readers_stay(self._tx)
        received = [receive(self._gateway, self._node, data) for data in links]
        seen_before = self._gateway.register.outcomes(self._tx, [one.op_id for one in received])
        wanted = {one.operation.application_id for one in received if one.operation and one.operation.application_id}
        self._book = Casebook(self._tx, wanted)
        for one in received:
            known = seen_before.get(one.op_id) or self._outcomes.get(one.op_id)
            if known is None:
                self._first_time(one)
            elif known.body_hash == one.body_hash:
                self._again(one, known)
            else:
                self._keep(one, journal.CONFLICT, known.application_id)
                self._answer_refused(one, known.application_id, known.case_seq, CONFLICT)
        return self._write()

    def _first_time(self, one: Received) -> None:
        application_id = one.operation.application_id if one.operation else None
        result: str = APPLIED
        reason, case_seq = one.reason, 0
        if one.readable and not one.events:
            result = RECORDED
        elif one.readable and application_id:
            try:
                case_seq = self._apply(one, application_id)
            except CaseworkError as error:
                reason = Reason(code=error.code, params=dict(error.params))
        if reason is not None:
            result = REFUSED
            case = self._book.case(application_id) if application_id else None
            case_seq = case.case_seq if case else 0
            self._answer_refused(one, application_id, case_seq, reason)
        self._keep(one, journal.EFFECTIVE if one.readable else journal.UNREADABLE, application_id)
        self._outcomes[one.op_id] = Outcome(
            op_id=one.op_id,
            body_hash=one.body_hash,
            node_id=self._node.node_id,
            seq=one.header.seq,
            application_id=application_id,
            case_seq=case_seq,
            result=result,
            refusal=json.dumps(reason.model_dump(mode="json")) if reason else None,
        )

    def _apply(self, one: Received, application_id: str) -> int:
        case, added = self._book.move_by_node(application_id, one.events, self._node, and_then=self._city_adds)
        plain = [event_to_plain(event) for event in added]
        application = case.application
        self._entries.append(
            CaseEntry(
                application_id, case.case_seq, one.op_id, self._node.node_id, one.header.seq, tuple(plain), self._now
            )
        )
        self._records += records_of(application, case.case_seq, one.events)
        self._open_rating(one, application)
        keys = self._refer(application_id, one.events)
        authored = Authored(self._node, one.data, one.content_key)
        answer = FeedEntry(
            application_id=application_id,
            case_seq=case.case_seq,
            op_id=one.op_id,
            author_node=self._node.node_id,
            author_role=str(one.events[0].by.role),
            result=APPLIED,
            events=plain,
        )
        for reader in self._readers.of(application.site):
            if reader.node_id != self._node.node_id:
                more = authored.for_reader(reader) | {"scan_wraps": wraps_for(reader, keys)}
                self._drafts.append(Draft(reader, answer.model_copy(update=more)))
        self._drafts.append(Draft(self._node, answer))
        return case.case_seq

    def _city_adds(self, application: Application) -> list[Event]:
        if application.state is State.COLLECTED:
            return [Submitted(at=self._now, by=self._gateway.city)]
        return []

    def _open_rating(self, one: Received, application: Application) -> None:
        sealed = one.operation.rating if one.operation else None
        if sealed is not None and application.rated_at is not None:
            try:
                said = read_json(open_note("rating", sealed, *self._gateway.keys.sealing), "rating")
                rating = Rating(application.application_id, int(said["level"]), str(said["text"]), application.rated_at)
            except (WireError, TypeError, KeyError, ValueError):
                return  # the act of rating counts; a note that nobody can read stays in the envelope
            ratings.keep(self._tx, rating)

    def _refer(self, application_id: str, events: Iterable[Event]) -> dict[str, ScanKey]:
        scans = {
            scan.scan_hash: scan
            for event in events
            if isinstance(event, Collected | Supplemented)
            for scan in event.scans
        }
        keys = scan_shelf.keys_of(self._gateway, scans)
        for name, scan in scans.items():
            self._references.append((name, application_id, scan.length, name in keys))
        return keys

    def _again(self, one: Received, known: Outcome) -> None:
        """The same operation under another number of a new chain: the same answer, no second effect."""
        self._keep(one, journal.REPEATED, known.application_id)
        if known.result == RECORDED:
            return
        refusal = Reason.model_validate_json(known.refusal) if known.refusal else None
        events = self._city_events(known)
        role = str(one.events[0].by.role) if one.events else self._node.role
        entry = FeedEntry(
            application_id=known.application_id,
            case_seq=known.case_seq,
            op_id=one.op_id,
            author_node=self._node.node_id,
            author_role=role,
            result=APPLIED if refusal is None else REFUSED,
            refusal=refusal,
            events=events,
        )
        self._drafts.append(Draft(self._node, entry))

    def _city_events(self, known: Outcome) -> list[dict[str, object]]:
        if known.application_id is None or known.result != APPLIED:
            return []
        entry = cases.entry(self._tx, known.application_id, known.case_seq)
        return list(entry.events) if entry else []

    def _answer_refused(self, one: Received, application_id: str | None, case_seq: int, reason: Reason) -> None:
        role = str(one.events[0].by.role) if one.events else self._node.role
        entry = FeedEntry(
            application_id=application_id,
            case_seq=case_seq,
            op_id=one.op_id,
            author_node=self._node.node_id,
            author_role=role,
            result=REFUSED,
            refusal=reason,
        )
        self._drafts.append(Draft(self._node, entry))

    def _keep(self, one: Received, standing: str, application_id: str | None) -> None:
        self._links.append(
            Link(
                node_id=self._node.node_id,
                seq=one.header.seq,
                op_id=one.op_id,
                kind=int(one.header.kind),
                envelope_hash=one.hash,
                standing=standing,
                application_id=application_id,
                received_at=self._now,
                envelope=one.data,
            )
        )

    def _write(self) -> tuple[set[str], set[str]]:
        journal.append(self._tx, self._links)
        self._gateway.register.remember(self._tx, self._outcomes.values())
        self._book.save(self._now)
        cases.append(self._tx, self._entries)
        scan_references.refer(self._tx, self._references)
        outbox.promise(self._tx, self._records, self._now)
        news = tell(self._gateway, self._tx, self._drafts)
        return news, {name for name, _, _, shared in self._references if not shared}
