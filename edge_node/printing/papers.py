"""The four papers: 代办收件单, 补正告知书, 受理通知书, 不予受理通知书, with every field that law and standards ask for.

Each is a frozen value made from one `Source`; `offered` says which of them this application can have by now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from casework.application import Application, HandedIn, Seen
from casework.catalog import Limit, ServiceItem
from casework.forms import Form
from casework.identifiers import COUNTY, TOWNSHIP, VILLAGE, is_region_code, region_at
from casework.masking import mask_resident_id
from casework.materials import needed, returnable
from casework.states import State
from edge_node.printing.figures import days_words, legal_day, limit_words, when
from edge_node.printing.square import square
from edge_node.wording import sentence
from wire.counter import ClockView

VILLAGE_AGENT: Final = "village_agent"
ANY_COUNTY: Final = "区县"
"""How a guide that holds for every county begins the name of who rules."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a paper is made from."""

    application: Application
    item: ServiceItem
    form: Form
    centre: str
    centre_site: str
    region_name: Callable[[str], str]
    handling: ClockView | None


@dataclass(frozen=True, slots=True)
class TakenMaterial:
    """One line of the slip."""

    name: str
    form: str
    copies: str
    original_back: str


@dataclass(frozen=True, slots=True)
class Slip:
    """代办收件单 (D-SL)."""

    number: str
    square: Markup
    applicant: str
    id_masked: str
    item_name: str
    collector: str
    collected_at: str
    place: str
    promised: str
    query: str
    materials: tuple[TakenMaterial, ...]


@dataclass(frozen=True, slots=True)
class PointLine:
    """One line of the full notice."""

    name: str
    problem: str
    basis: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SupplementNotice:
    """补正告知书 (D-BZ)."""

    number: str
    applicant: str
    id_masked: str
    item_name: str
    collected_on: str
    points: tuple[PointLine, ...]
    is_permit: bool
    told_on: str
    issuer: str


@dataclass(frozen=True, slots=True)
class AcceptanceNotice:
    """受理通知书 (D-STZ)."""

    number: str
    applicant: str
    id_masked: str
    item_name: str
    body: str
    collected_on: str
    accepted_on: str
    statutory: str
    promised: str
    due: str
    due_note: str
    query: str
    provisional: bool
    deferred: tuple[str, ...]
    deferred_due: str
    promise: str
    issuer: str


@dataclass(frozen=True, slots=True)
class DeclineNotice:
    """不予受理通知书 (D-BSL)."""

    number: str
    applicant: str
    id_masked: str
    item_name: str
    body: str
    collected_on: str
    reason: str
    basis: str
    elsewhere: str
    remedy: str
    declined_on: str
    issuer: str


Paper = Slip | SupplementNotice | AcceptanceNotice | DeclineNotice


def slip(source: Source) -> Slip:
    """The collection slip."""
    it = source.application
    by_agent = it.form.get("agent_mode") == VILLAGE_AGENT
    limit = source.item.handling_limit
    return Slip(
        number=it.receipt_no,
        square=square(it.receipt_no),
        applicant=it.applicant.name,
        id_masked=mask_resident_id(it.applicant.id_no),
        item_name=source.item.name,
        collector=str((by_agent and it.form.get("agent_name")) or sentence("print.slip.collector.blank")),
        collected_at=when(it.collected_at),
        place=_place(source),
        promised=sentence("print.slip.promised.known", {"limit": limit_words(limit)})
        if limit
        else sentence("print.slip.promised.unknown"),
        query=_query(source),
        materials=_taken(source),
    )


def _place(source: Source) -> str:
    """The name of the site; of another site this node knows the region only, which is written out from the county."""
    it = source.application
    if it.site == source.centre_site:
        return source.centre
    levels = [region_at(it.site, level) for level in (COUNTY, TOWNSHIP, VILLAGE)] if is_region_code(it.site) else []
    name = "".join(source.region_name(code) for code in dict.fromkeys(levels))
    return sentence("print.slip.place.site", {"region": name}) if name else it.site


def _taken(source: Source) -> tuple[TakenMaterial, ...]:
    it = source.application
    names = {need.material_id: need.name for need in needed(source.item, it.form, source.form)}
    pages = {one.material_id: 0 for one in it.handed_in}
    for scan in it.scans:
        pages[scan.material_id] = pages.get(scan.material_id, 0) + 1
    taken = [one for one in it.handed_in if one.applies is not False and one.seen is not Seen.DEFERRED]
    return tuple(
        TakenMaterial(
            name=names.get(one.material_id, one.material_id),
            form=sentence(f"page.seen.{one.seen}"),
            copies=_copies(one, pages[one.material_id]),
            original_back=sentence(
                "print.slip.original_choice" if one.seen is Seen.ORIGINAL_SEEN else "print.slip.original_none"
            ),
        )
        for one in taken
    )


def _copies(one: HandedIn, pages: int) -> str:
    if one.copies:
        return str(one.copies)
    return sentence("print.slip.pages", {"pages": pages}) if pages else sentence("print.slip.copies_unknown")


def supplement(source: Source) -> SupplementNotice:
    """The one-time full notice."""
    it = source.application
    names = {(one.kind, one.ref): one.name for one in returnable(source.item, source.form)}
    told = _moment_of(it, "returned")
    return SupplementNotice(
        number=f"{it.receipt_no}-BZ{max(it.returns_count, 1)}",
        applicant=it.applicant.name,
        id_masked=mask_resident_id(it.applicant.id_no),
        item_name=source.item.name,
        collected_on=legal_day(it.collected_at),
        points=tuple(
            PointLine(
                name=names.get((point.kind, point.ref), point.ref),
                problem=point.problem,
                basis=sentence(f"print.supplement.basis.{point.kind}", {"ref": point.ref}),
                remedy=point.remedy,
            )
            for point in it.return_points
        ),
        is_permit=source.item.is_permit,
        told_on=legal_day(told),
        issuer=source.centre,
    )


def acceptance(source: Source) -> AcceptanceNotice:
    """The notice of acceptance, provisional where it was."""
    it = source.application
    names = {need.material_id: need.name for need in needed(source.item, it.form, source.form)}
    return AcceptanceNotice(
        number=f"{it.receipt_no}-SL",
        applicant=it.applicant.name,
        id_masked=mask_resident_id(it.applicant.id_no),
        item_name=source.item.name,
        body=_body(source),
        collected_on=legal_day(it.collected_at),
        accepted_on=legal_day(it.accepted_at),
        statutory=_limit_with_basis(source.item.statutory_limit),
        promised=_limit_with_basis(source.item.promised_limit),
        due=_due(source),
        due_note=_due_note(source),
        query=_query(source),
        provisional=it.state is State.PROVISIONALLY_ACCEPTED or bool(it.deferred),
        deferred=tuple(names.get(one, one) for one in it.deferred),
        deferred_due=legal_day(it.deferred_due),
        promise=it.promise,
        issuer=_body(source),
    )


def _due(source: Source) -> str:
    it, clock = source.application, source.handling
    provisional = clock is not None and (clock.provisional or clock.standing == "provisional")
    if it.limit_due is not None and not provisional:
        return legal_day(it.limit_due)
    day = it.limit_due or (clock.due if clock else None)
    if day is None:
        return sentence("print.acceptance.due.unknown")
    doubtful = provisional or it.accepted_unsure
    if clock is not None and clock.doubt:
        return sentence("print.acceptance.due.by_notice", {"date": legal_day(day)})
    return sentence("print.acceptance.due.provisional", {"date": legal_day(day)}) if doubtful else legal_day(day)


def _due_note(source: Source) -> str:
    """What emergency notices do to the limit as it stands today, whatever day the acceptance was written with."""
    clock = source.handling
    if clock is None or clock.due is None:
        return ""
    said = {
        "by": sentence("page.comma").join(clock.notices),
        "days": days_words(clock.shifted_days, clock.unit),
        "date": legal_day(clock.due),
    }
    notes = [sentence("print.acceptance.due.shifted", said)] if clock.shifted_days else []
    if clock.doubt:
        notes.append(sentence(f"print.acceptance.due.{clock.doubt}", said))
    return "".join(notes)


def declined(source: Source) -> DeclineNotice:
    """The notice of refusal to accept."""
    it = source.application
    return DeclineNotice(
        number=f"{it.receipt_no}-BSL",
        applicant=it.applicant.name,
        id_masked=mask_resident_id(it.applicant.id_no),
        item_name=source.item.name,
        body=_body(source),
        collected_on=legal_day(it.collected_at),
        reason=it.outcome_reason,
        basis=it.outcome_basis,
        elsewhere=it.outcome_elsewhere or sentence("print.declined.elsewhere.none"),
        remedy=it.outcome_remedy,
        declined_on=legal_day(_moment_of(it, "declined")),
        issuer=_body(source),
    )


PAPERS: Final[Mapping[str, Callable[[Source], Paper]]] = {
    "slip": slip,
    "supplement": supplement,
    "acceptance": acceptance,
    "declined": declined,
}


def offered(application: Application) -> tuple[str, ...]:
    """Which papers this application can have by now."""
    can: dict[str, Any] = {
        "slip": application.collected_at is not None,
        "supplement": bool(application.return_points),
        "acceptance": application.accepted_at is not None,
        "declined": application.state is State.DECLINED,
    }
    return tuple(name for name in PAPERS if can[name])


def _limit_with_basis(limit: Limit | None) -> str:
    words = limit_words(limit)
    return (
        sentence("print.limit_with_basis", {"limit": words, "basis": limit.basis}) if limit and limit.basis else words
    )


def _body(source: Source) -> str:
    """Who rules; a guide for all counties says "区县…", a paper names the one."""
    body = str(source.item.raw.get("implementing_body") or sentence("page.unknown"))
    county = source.region_name(region_at(source.application.site, COUNTY))
    return county + body.removeprefix(ANY_COUNTY) if county and body.startswith(ANY_COUNTY) else body


def _query(source: Source) -> str:
    return sentence("print.query.words", {"centre": source.centre})


def _moment_of(application: Application, event: str) -> datetime | None:
    return next((step.at for step in reversed(application.history) if step.event == event), None)
