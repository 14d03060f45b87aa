"""How an application is shown: as a line, in full, and as the slip the villager takes home.

Laws
- What is shown is the fold of what the city confirmed with this node's own unanswered acts over it; both are told
  apart.
- A line shows the masked name only. Everything that is not where it should be says why (`explaining`).
- The acts offered are those that duty and lifecycle allow this person now; the act itself asks again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from casework import duty
from casework.application import Actor, Application, HandedIn
from casework.catalog import Limit, ServiceItem
from casework.events import Rescanned
from casework.masking import mask_name
from edge_node.acts import explaining, notice_reading, time_lights
from edge_node.acts.explaining import Standpoint
from edge_node.counter.counter import Counter
from edge_node.counter.errors import NoCatalog, UnknownItem
from edge_node.counter.trusted_clock import Reading
from edge_node.wording import sentence
from offline_store.desk import scans
from offline_store.desk.applications import Known
from offline_store.desk.database import Transaction
from offline_store.desk.scans import KeptScan, ScanStatus
from wire.counter import (
    ApplicationBrief,
    ApplicationDetail,
    ClockView,
    DecisionView,
    DutyView,
    HandedInView,
    LimitView,
    ReturnPointView,
    ScanView,
    Slip,
    SlipMaterial,
    StepView,
)

NOT_HERE: Final = frozenset({ScanStatus.WANTED, ScanStatus.DAMAGED})


def brief(counter: Counter, tx: Transaction, known: Known, reading: Reading, here: Standpoint) -> ApplicationBrief:
    """One line of a list."""
    shown = known.shown
    told = explaining.tell(counter, tx, known, here)
    clock = time_lights.telling(time_lights.clocks(counter, tx, shown, reading))
    return ApplicationBrief(
        application_id=shown.application_id,
        receipt_no=shown.receipt_no,
        item_id=shown.item_id,
        item_name=counter.shelf.item_name(tx, shown.item_id, shown.catalog_version),
        applicant_masked=mask_name(shown.applicant.name),
        state=shown.state.value,
        standing=known.standing.value,
        waiting=list(told.waiting),
        scans_arrived=told.scans_arrived,
        scans_total=told.scans_total,
        who_must_act=_who(shown),
        due=clock.due if clock else None,
        light=time_lights.light(shown, clock),
        due_unit=clock.limit.unit if clock and clock.limit else None,
        shifted_days=clock.shifted_days if clock else 0,
        due_doubt=clock.doubt if clock else "",
        updated_at=known.updated_at,
        erased_at=known.erased_at,
    )


def detail(counter: Counter, tx: Transaction, known: Known, reading: Reading, actor: Actor) -> ApplicationDetail:
    """Everything this node knows of one application."""
    shown = known.shown
    item = _item(counter, tx, shown)
    confirmed_steps = len(known.confirmed.history) if known.confirmed is not None else 0
    return ApplicationDetail(
        **dict(brief(counter, tx, known, reading, explaining.standpoint(counter, tx, reading))),
        form_id=shown.form_id,
        catalog_version=shown.catalog_version,
        site=shown.site,
        township=shown.township,
        proxy=shown.proxy.value,
        form=dict(shown.form),
        handed_in=[handed_in_view(one) for one in shown.handed_in],
        scans=_scans(tx, shown),
        return_points=return_points(counter, tx, shown),
        returns_count=shown.returns_count,
        deferred=list(shown.deferred),
        clocks=[
            ClockView(
                kind=clock.kind,
                standing=clock.standing.value,
                due=clock.due,
                remaining_days=clock.remaining_days,
                unit=clock.limit.unit if clock.limit else None,
                provisional=clock.provisional,
                shifted_days=clock.shifted_days,
                doubt=clock.doubt,
                notices=notice_reading.titles(counter, tx, clock.notices),
                deemed_accepted=clock.deemed_accepted,
            )
            for clock in (time_lights.clocks(counter, tx, shown, reading) if item else [])
        ],
        decision=_decision(shown),
        outcome_reason=shown.outcome_reason,
        outcome_basis=shown.outcome_basis,
        outcome_remedy=shown.outcome_remedy,
        outcome_elsewhere=shown.outcome_elsewhere,
        forwarded_to=shown.forwarded_to,
        refusal=explaining.refusal_view(tx, known),
        history=[
            StepView(
                at=step.at,
                event=step.event,
                role=step.role.value,
                node_id=step.node_id,
                note=step.note,
                pending=number >= confirmed_steps,
            )
            for number, step in enumerate(shown.history)
        ],
        acts=[
            act
            for act in duty.offered(actor, shown)
            if known.erased_at is None and (act != Rescanned.code or scans.has_damaged(tx, shown.application_id))
        ],
    )


def slip(counter: Counter, tx: Transaction, application: Application, clerk_name: str = "") -> Slip:
    """The 收件单: papers were taken in; it never says that the application was accepted."""
    item = _item(counter, tx, application)
    labels = counter.shelf.labels(tx, application.item_id, application.form_id, application.catalog_version)
    pages: dict[str, int] = {}
    for scan in application.scans:
        pages[scan.material_id] = pages.get(scan.material_id, 0) + 1
    return Slip(
        application_id=application.application_id,
        receipt_no=application.receipt_no,
        item_name=item.name if item else application.item_id,
        applicant_masked=mask_name(application.applicant.name),
        materials=[
            SlipMaterial(
                material_id=one.material_id,
                name=labels.get(("material", one.material_id), one.material_id),
                seen=one.seen.value,
                copies=one.copies,
                pages=pages.get(one.material_id, 0),
            )
            for one in application.handed_in
            if one.applies is not False
        ],
        collected_at=application.collected_at or datetime.min,  # noqa: DTZ901 - a collected one always has it
        site_name=counter.node.site_name,
        clerk_name=clerk_name,
        promised=limit_view(item.promised_limit) if item else None,
        query_hint=sentence("form.slip.query_hint", {"receipt_no": application.receipt_no}),
        qr_text=application.receipt_no,
    )


def handed_in_view(one: HandedIn) -> HandedInView:
    """How a material was handed in."""
    return HandedInView(
        material_id=one.material_id, seen=one.seen.value, applies=one.applies, copies=one.copies, note=one.note
    )


def scan_view(scan: KeptScan) -> ScanView:
    """One sealed page."""
    return ScanView(
        scan_hash=scan.scan_hash,
        material_id=scan.material_id,
        page=scan.page,
        length=scan.length,
        media_type=scan.media_type,
        arrived=scan.status is not ScanStatus.WANTED,
    )


def limit_view(limit: Limit | None) -> LimitView | None:
    """A limit; None is unknown."""
    return LimitView(value=limit.value, unit=limit.unit, basis=limit.basis or None) if limit else None


def return_points(counter: Counter, tx: Transaction, application: Application) -> list[ReturnPointView]:
    """The points of the last return, each with the name the guide gives it."""
    if not application.return_points:
        return []
    labels = counter.shelf.labels(tx, application.item_id, application.form_id, application.catalog_version)
    return [
        ReturnPointView(
            kind=point.kind,
            ref=point.ref,
            problem=point.problem or "-",
            remedy=point.remedy or "-",
            label=labels.get((point.kind, point.ref), point.ref),
        )
        for point in application.return_points
    ]


def _who(application: Application) -> DutyView | None:
    who = duty.who_must_act(application)
    return DutyView(role=who.role.value, region=who.region, what=who.what) if who.role is not None else None


def _item(counter: Counter, tx: Transaction, application: Application) -> ServiceItem | None:
    try:
        return counter.shelf.item(tx, application.item_id, application.catalog_version)
    except (UnknownItem, NoCatalog):
        return None


def _scans(tx: Transaction, application: Application) -> list[ScanView]:
    here = {scan.scan_hash: scan for scan in scans.of_application(tx, application.application_id)}
    return [
        ScanView(
            scan_hash=scan.scan_hash,
            material_id=scan.material_id,
            page=scan.page,
            length=scan.length,
            media_type=scan.media_type,
            arrived=scan.scan_hash in here and here[scan.scan_hash].status not in NOT_HERE,
            damaged=scan.scan_hash in here and here[scan.scan_hash].status is ScanStatus.DAMAGED,
        )
        for scan in application.scans
    ]


def _decision(application: Application) -> DecisionView | None:
    made = application.decision
    if made is None:
        return None
    return DecisionView(
        granted=made.granted,
        reason=made.reason,
        document_name=made.document_name,
        document_no=made.document_no,
        decided_on=made.decided_on,
    )
