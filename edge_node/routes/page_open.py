"""One application on the page: everything the templates of its pages show, put together once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

from fastapi import Path

from casework.application import Application
from casework.materials import returnable
from edge_node.acts import opening, status
from edge_node.acts.opening import LaidOpen
from edge_node.counter.counter import Counter
from edge_node.printing.figures import legal_day, when
from edge_node.printing.papers import Source, offered
from edge_node.routes import page_file, page_views
from edge_node.routes.page_file import FilledSection, HandedRow, Sheet
from edge_node.routes.page_notices import NoticeRow, notice_rows
from edge_node.routes.page_session import Visitor
from edge_node.routes.page_views import ClockRow, Frame, Row
from edge_node.routes.page_waiting import WaitingRow, waiting_rows
from edge_node.wording import sentence
from wire.counter import ClockView

ApplicationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class ActLink:
    """An act that may be done now."""

    name: str
    path: str
    main: bool


LINKS: Final[Mapping[str, ActLink]] = {
    "pre_review_started": ActLink("begin", "begin", main=True),
    "accepted": ActLink("accept", "accept", main=True),
    "returned": ActLink("return", "return", main=False),
    "provisionally_accepted": ActLink("accept_provisionally", "accept-provisionally", main=False),
    "declined": ActLink("decline", "decline", main=False),
    "found_not_required": ActLink("not_required", "not-required", main=False),
    "forwarded": ActLink("forward", "forward", main=False),
}
"""The events a township clerk may cause, in the order of the page."""


@dataclass(frozen=True, slots=True)
class SaidPoint:
    """One point of a return, with the agent's answer."""

    name: str
    problem: str
    remedy: str
    answer: str


@dataclass(frozen=True, slots=True)
class SaidRound:
    """One return, as it was given and answered."""

    title: str
    words: str
    points: tuple[SaidPoint, ...]


@dataclass(frozen=True, slots=True)
class OpenedView:
    """What the templates of one application read."""

    application_id: str
    receipt_no: str
    item_name: str
    applicant: str
    state_words: str
    state_tone: str
    erased_words: str
    waiting: Sequence[WaitingRow]
    warnings: Sequence[str]
    notices: Sequence[NoticeRow]
    rounds: Sequence[SaidRound]
    outcome: Sequence[Row]
    sections: Sequence[FilledSection]
    scan_words: str
    materials: Sequence[HandedRow]
    all_sheets: Sequence[Sheet]
    who_words: str
    acts: Sequence[ActLink]
    acts_closed: Sequence[str]
    clocks: Sequence[ClockRow]
    limits: Sequence[Row]
    prints: Sequence[str]
    steps: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """One application laid open, with the page's own frame."""

    laid: LaidOpen
    view: OpenedView
    frame: Frame
    today: date
    site: str

    def paper_source(self) -> Source:
        """What the papers of this application are made from."""
        return Source(
            application=self.laid.application,
            item=self.laid.item,
            form=self.laid.form,
            centre=self.frame.site_name,
            centre_site=self.site,
            region_name=self.laid.region_name,
            handling=_clock(self.laid, "handling"),
        )


def open_file(counter: Counter, visitor: Visitor, application_id: str) -> Opened:
    """Lay one application open for the clerk in front of the page."""
    laid = opening.lay_open(counter, visitor.who, application_id)
    bar = status.status(counter)
    return Opened(laid, _view(laid, bar.now), page_views.frame(bar), page_views.today_of(bar), counter.node.site)


def frame_of(counter: Counter) -> Frame:
    """The frame of a page that shows no single application."""
    return page_views.frame(status.status(counter))


def _view(laid: LaidOpen, now: datetime) -> OpenedView:
    detail, it = laid.detail, laid.application
    names = page_file.material_names(laid.item, laid.form, detail.form)
    found = page_file.sheets(detail, names)
    acts, closed = _acts(laid)
    unit = laid.item.handling_limit.unit if laid.item.handling_limit else ""
    return OpenedView(
        application_id=detail.application_id,
        receipt_no=detail.receipt_no,
        item_name=detail.item_name,
        applicant=detail.applicant_masked,
        state_words=page_views.state_words(detail.state),
        state_tone=page_views.TONES.get(detail.state, ""),
        erased_words=sentence("page.detail.erased", {"when": when(detail.erased_at)}) if detail.erased_at else "",
        waiting=waiting_rows(detail, now),
        warnings=page_views.warnings(detail, laid.item, laid.newest_version),
        notices=notice_rows(laid.notices),
        rounds=_rounds(laid),
        outcome=_outcome(it, names),
        sections=() if detail.erased_at else page_file.sections(laid.form, detail.form, laid.region_name),
        scan_words=page_file.scan_words(detail),
        materials=page_file.materials(laid.item, laid.form, detail, found),
        all_sheets=found,
        who_words=page_views.who_words(detail.who_must_act, laid.region_name),
        acts=acts,
        acts_closed=closed,
        clocks=tuple(
            page_views.clock_row(clock, "working_day" if clock.kind == "notice" else unit) for clock in detail.clocks
        ),
        limits=page_views.limit_rows(laid.item),
        prints=() if detail.erased_at else offered(it),
        steps=page_views.step_rows(detail),
    )


def _rounds(laid: LaidOpen) -> tuple[SaidRound, ...]:
    """Every return of this application, the latest first."""
    names = {(one.kind, one.ref): one.name for one in returnable(laid.item, laid.form)}
    said = []
    for number, one in enumerate(laid.application.rounds, 1):
        points = tuple(
            SaidPoint(names.get((it.kind, it.ref), it.ref), it.problem, it.remedy, one.answers.get(it.ref, ""))
            for it in one.points
        )
        title = sentence("page.detail.round", {"number": number, "when": when(one.at)})
        words = (
            sentence("page.detail.round.answered", {"when": when(one.answered_at)})
            if one.answered_at
            else sentence("page.detail.returned_words", {"count": len(points)})
        )
        said.append(SaidRound(title, words, points))
    return tuple(reversed(said))


def _acts(laid: LaidOpen) -> tuple[tuple[ActLink, ...], tuple[str, ...]]:
    may = [code for code in LINKS if code in laid.detail.acts]
    closed: tuple[str, ...] = ()
    if "provisionally_accepted" in may and not laid.item.deferrable_materials:
        may.remove("provisionally_accepted")
        closed = (sentence("page.detail.act_closed.provisional"),)
    return tuple(LINKS[code] for code in may), closed


def _clock(laid: LaidOpen, kind: str) -> ClockView | None:
    return next((clock for clock in laid.detail.clocks if clock.kind == kind), None)


def _outcome(it: Application, names: Mapping[str, str]) -> tuple[Row, ...]:
    rows = [
        _named("accepted_at", legal_day(it.accepted_at) if it.accepted_at else ""),
        _named("deferred", "、".join(names.get(one, one) for one in it.deferred)),
        _named("deferred_due", legal_day(it.deferred_due) if it.deferred_due else ""),
        _named("promise", it.promise),
        _named("forwarded_to", it.forwarded_to),
        _named("reason", it.outcome_reason),
        _named("basis", it.outcome_basis),
        _named("elsewhere", it.outcome_elsewhere),
        _named("remedy", it.outcome_remedy),
    ]
    if it.decision is not None:
        word = "granted" if it.decision.granted else "not_granted"
        rows.append(_named("decision", sentence(f"page.detail.outcome.{word}")))
        rows.append(_named("document", f"{it.decision.document_name} {it.decision.document_no}".strip()))
    return tuple(row for row in rows if row.text)


def _named(name: str, text: str) -> Row:
    return Row(sentence(f"page.detail.outcome.{name}"), text)
