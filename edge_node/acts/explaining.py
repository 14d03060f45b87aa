"""Why something of an application is not where it should be: the facts of this node, laid before `wire.waiting`.

Laws
- Everything that waits is explained: each unanswered act, the scans that are not through (those with the same reason
  together), and what the city refused.
- A later act that was answered before an earlier one says that the earlier one waits at the city for another step.
- That the bytes of a scan are gone is looked at on the disk; that they rotted is the courier's word, who reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from edge_node.acts import status
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Reading
from edge_node.wording import known as worded
from edge_node.wording import sentence
from offline_store.desk import journal, scans, state
from offline_store.desk.applications import Known, Standing
from offline_store.desk.database import Transaction
from offline_store.desk.journal import Link
from offline_store.desk.scans import KeptScan, ScanStatus
from wire.counter import ApplicationBrief, RefusalView, WaitingView
from wire.envelope import Kind
from wire.errors import WireError
from wire.fields import NodeRole
from wire.messages import Result, read_operation
from wire.waiting import Explanation, Facts, Item, Place, Reason, explain

OPERATION: Final = Kind.OPERATION.name.lower()
COLLECTED: Final = "collected"
THERE: Final = frozenset({ScanStatus.STORED, ScanStatus.ARRIVED})
_URGENCY: Final = {reason.value: at for at, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Standpoint:
    """What explains every application of one look."""

    facts: Facts
    hwm: int
    answered: int
    damaged: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one application."""

    waiting: tuple[WaitingView, ...]
    scans_arrived: int
    scans_total: int


def standpoint(counter: Counter, tx: Transaction, reading: Reading) -> Standpoint:
    """The facts, read once for a list of any length."""
    marks = state.marks(tx)
    return Standpoint(
        facts=status.facts(counter, tx, reading),
        hwm=marks.hwm if marks else 0,
        answered=journal.last_answered(tx, OPERATION),
        damaged=frozenset(counter.incoming.damaged_scans()),
    )


def tell(counter: Counter, tx: Transaction, known: Known, here: Standpoint) -> Told:
    """Everything of an application that waits, the most urgent first, and how many of its scans are through."""
    places = _scan_places(counter, tx, known, here)
    if counter.practice:
        return Told((), len(places), len(places))  # nothing waits, for nothing is sent
    found = [*_refused(tx, known, here), *_acts(tx, known, here), *_scans(places, here)]
    found.sort(key=lambda one: _URGENCY[one.why])
    return Told(tuple(found), sum(place is None for place in places), len(places))


def urgency(brief: ApplicationBrief) -> int:
    """The place of its most urgent explanation; what waits for nothing comes last."""
    return _URGENCY[brief.waiting[0].why] if brief.waiting else len(_URGENCY)


def refusal_view(tx: Transaction, known: Known) -> RefusalView | None:
    """Why the city did not apply this node's last act, in words, and what a person can do now."""
    if known.refusal is None:
        return None
    code = str(known.refusal.get("code", ""))
    params = known.refusal.get("params")
    plain: dict[str, Any] = params if isinstance(params, dict) else {}
    op = _refused_op(tx, known)
    remedies = [f"remedy.{code}", f"remedy.op.{op}", "remedy.other"]
    if op == COLLECTED:
        remedies.insert(0, "remedy.op.collected")
    return RefusalView(
        code=code,
        message=sentence(
            f"error.{code}" if worded(f"error.{code}") else "error.refused_by_city", {**plain, "code": code}
        ),
        params=plain,
        op=op,
        remedy=sentence(next(key for key in remedies if worded(key)), plain),
    )


def _refused(tx: Transaction, known: Known, here: Standpoint) -> Iterator[WaitingView]:
    if known.standing is Standing.REFUSED and known.refusal is not None:
        one = explain(Item(place=Place.REFUSED, code=str(known.refusal.get("code", ""))), here.facts)
        yield WaitingView.of(one, op=_refused_op(tx, known), answered=True)


def _acts(tx: Transaction, known: Known, here: Standpoint) -> Iterator[WaitingView]:
    for op_id in known.pending:
        link = journal.by_op(tx, op_id)
        if link is not None:
            yield WaitingView.of(explain(Item(place=_place(link, here)), here.facts), op=event_of(link))


def _place(link: Link, here: Standpoint) -> Place:
    if link.seq <= here.hwm:
        return Place.BEHIND if link.seq < here.answered else Place.AT_CITY
    return Place.HERE if link.posted else Place.SAVED


def _scans(places: list[Place | None], here: Standpoint) -> Iterator[WaitingView]:
    told: dict[Explanation, int] = {}
    for place in places:
        if place is not None:
            one = explain(Item(place=place, scan=True), here.facts)
            told[one] = told.get(one, 0) + 1
    for one, count in told.items():
        yield WaitingView.of(one, scans=count)


def _scan_places(counter: Counter, tx: Transaction, known: Known, here: Standpoint) -> list[Place | None]:
    """Where each scan of the application is; None when it is where it should be."""
    named = known.shown.scans
    if not named:
        return []
    rows = {scan.scan_hash: scan for scan in scans.of_application(tx, known.application_id)}
    return [_scan_place(counter, rows.get(scan.scan_hash), here) for scan in named]


def _scan_place(counter: Counter, scan: KeptScan | None, here: Standpoint) -> Place | None:
    if scan is None:
        # Another station's; its own scans a village knows, unless they were erased with everything else.
        return Place.ELSEWHERE if counter.node.role is NodeRole.TOWNSHIP else None
    if scan.status in THERE:
        return None
    if scan.status is ScanStatus.WANTED:
        return Place.COMING
    sound = (
        scan.status is not ScanStatus.DAMAGED
        and counter.vault.has(scan.scan_hash)
        and scan.scan_hash not in here.damaged
    )
    return Place.HERE if sound else Place.DAMAGED


def _refused_op(tx: Transaction, known: Known) -> str:
    links = journal.of_application(tx, known.application_id)
    return next((event_of(link) for link in reversed(links) if link.outcome == Result.REFUSED), "")


def event_of(link: Link) -> str:
    """The first event of an entry; empty where it cannot be read."""
    try:
        events = read_operation(link.body).events
    except WireError:
        return ""
    return str(events[0].get("event", "")) if events else ""
