"""The monthly report on the page, and as a sheet for the printer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from casework.months import month_of
from casework.register_figures import RegisterFigures
from edge_node.access import CounterHere
from edge_node.acts import opening, reporting
from edge_node.counter.counter import Counter
from edge_node.language import speaking
from edge_node.printing.figures import when
from edge_node.printing.register_words import FIGURES, figure_words
from edge_node.routes.page_open import frame_of
from edge_node.routes.page_session import Looking, Visitor
from edge_node.routes.page_words import page
from edge_node.wording import LANGUAGE

router = APIRouter()

REPORT: Final = "/report"
SHEET: Final = "/report/print"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a table of the report."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """What the templates of a report read."""

    month: str
    made_at: str
    site_name: str
    total: FigureRow
    items: tuple[FigureRow, ...]
    sites: tuple[FigureRow, ...]
    filed: int


@router.get(REPORT)
def show_report(counter: CounterHere, visitor: Looking, month: str = "") -> Response:
    """The figures of a month; this month where none was named."""
    return page(
        "report.html",
        bar=frame_of(counter),
        visitor=visitor,
        here="report",
        report=_view(counter, visitor, month),
        figures=FIGURES,
    )


@router.get(SHEET)
def show_sheet(counter: CounterHere, visitor: Looking, month: str = "") -> Response:
    """The same for the printer."""
    with speaking(LANGUAGE):  # it goes into the office's files
        view = _view(counter, visitor, month)
        return page("print/report_sheet.html", report=view, figures=FIGURES, back=f"{REPORT}?month={view.month}")


def _view(counter: Counter, visitor: Visitor, month: str) -> ReportView:
    wanted = month_of(month) or reporting.this_month(counter)
    made = reporting.monthly(counter, visitor.who, wanted)
    regions = opening.region_names(counter)
    return ReportView(
        month=str(made.month),
        made_at=when(made.at),
        site_name=counter.node.site_name,
        total=FigureRow("", figure_words(made.figures.total)),
        items=_rows(made.figures.items, made.item_names),
        sites=_rows(made.figures.sites, {code: opening.named(regions, code) or code for code in made.figures.sites}),
        filed=made.figures.total.filed,
    )


def _rows(by: Mapping[str, RegisterFigures], names: Mapping[str, str]) -> tuple[FigureRow, ...]:
    return tuple(FigureRow(names.get(key, key), figure_words(figures)) for key, figures in sorted(by.items()))
