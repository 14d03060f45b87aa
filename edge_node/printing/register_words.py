"""The register in words: one line as a page or a workbook shows it, and the figures of many.

Laws
- Names are masked unless somebody chose otherwise and it was journaled; only the village's own agent, who holds a
  public office, is named.
- Unknown is unknown: what has no day has no day, a share of nothing is a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from casework.masking import mask_name
from casework.register_entry import Entry, Outcome
from casework.register_figures import FiguresBy, RegisterFigures
from casework.states import State
from edge_node.printing.figures import when
from edge_node.printing.sheets import Column, Share, Sheet, Value
from edge_node.wording import LANGUAGE, known, sentence

Say = Callable[..., str]
Names = Callable[[str], str]

FIGURES: Final = (
    "filed",
    "returned",
    "returns",
    "accepted",
    "declined",
    "ended_otherwise",
    "concluded",
    "in_time",
    "overdue",
    "unjudged",
    "on_time_share",
    "median_days",
)
"""The figures of a report, in the order of its columns; each is an attribute of `RegisterFigures`."""

COLUMNS: Final[Mapping[str, int]] = {
    "number": 6,
    "receipt_no": 31,
    "item": 34,
    "applicant": 12,
    "site": 18,
    "proxy": 18,
    "agent": 12,
    "collected_on": 12,
    "accepted_on": 12,
    "due": 12,
    "timeliness": 22,
    "state": 14,
    "outcome": 14,
    "returns": 10,
    "ended_on": 12,
    "delivered_on": 12,
    "rated": 20,
    "kept": 22,
}
"""The columns of the workbook, and how wide they are."""
_FIGURE_WIDTH: Final = 11


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a workbook comes from: whose, when, narrowed by what, with which names."""

    site_name: str
    at: datetime
    narrowed: str
    names: str


def agent_words(entry: Entry, *, full: bool = False) -> str:
    """Who filed for the applicant."""
    public = full or entry.proxy_mode == "village_agent"
    return entry.proxy_name if public else mask_name(entry.proxy_name)


def proxy_words(entry: Entry, say: Say = sentence) -> str:
    """How it was filed; an erased line no longer knows."""
    key = f"page.register.proxy.{entry.proxy_mode}"
    return say(key) if entry.proxy_mode and known(key) else ""


def timeliness_words(entry: Entry, say: Say = sentence) -> str:
    """How the limit was kept; that the day is an estimate is said beside it."""
    words = say(f"page.register.time.{entry.timeliness}")
    return say("page.register.time.estimated", {"words": words}) if entry.due and entry.due_estimated else words


def outcome_words(entry: Entry, say: Say = sentence) -> str:
    """How it ended, nothing while it has not."""
    return "" if entry.outcome is Outcome.OPEN else say(f"page.register.outcome.{entry.outcome}")


def rated_words(entry: Entry, say: Say = sentence) -> str:
    """That it was rated; how is sealed for the city."""
    return say("page.register.rated") if entry.rated else ""


def figure_words(figures: RegisterFigures) -> tuple[str, ...]:
    """The figures of one row of a report, as a person reads them."""
    return tuple(_as_words(name, getattr(figures, name)) for name in FIGURES)


def _as_words(name: str, value: float | None) -> str:
    if value is None:
        return sentence("page.figures.none")
    return f"{value:.1%}" if name == "on_time_share" else f"{value:g}"


def register_book(
    entries: Iterable[Entry],
    count: int,
    *,
    items: Mapping[str, str],
    site_name: Names,
    full: bool,
    provenance: Provenance,
) -> Sequence[Sheet]:
    """The sheets of the register's workbook; the second counts what the first has shown."""
    say: Say = partial(sentence, language=LANGUAGE)
    counted = FiguresBy()

    def rows() -> Iterator[Sequence[Value | Share]]:
        for number, entry in enumerate(entries, 1):
            counted.add(entry)
            yield _row(number, entry, say, items=items, site_name=site_name, full=full)

    columns = [Column(say(f"page.register.col.{name}"), width) for name, width in COLUMNS.items()]
    heads = [Column(say("page.figures.kind"), 14), Column(say("page.figures.name"), 34)]
    heads += [Column(say(f"page.figures.{name}"), _FIGURE_WIDTH) for name in FIGURES]
    about = [Column(say("page.register.book.about"), 18), Column("", 90)]
    return (
        Sheet(say("page.register.title"), columns, rows(), filtered=count),
        Sheet(say("page.figures.title"), heads, _figure_rows(counted, say, items, site_name)),
        Sheet(say("page.register.book.about"), about, _about(provenance, count, say)),
    )


def _row(
    number: int, entry: Entry, say: Say, *, items: Mapping[str, str], site_name: Names, full: bool
) -> Sequence[Value]:
    cells: Mapping[str, Value] = {
        "number": number,
        "receipt_no": entry.receipt_no,
        "item": items.get(entry.item_id, entry.item_id),
        "applicant": entry.applicant if full else mask_name(entry.applicant),
        "site": site_name(entry.site) or entry.site,
        "proxy": proxy_words(entry, say),
        "agent": agent_words(entry, full=full),
        "collected_on": entry.collected_on,
        "accepted_on": entry.accepted_on,
        "due": entry.due,
        "timeliness": timeliness_words(entry, say),
        "state": say(f"state.{entry.state.value}"),
        "outcome": outcome_words(entry, say),
        "returns": entry.returns,
        "ended_on": entry.ended_on,
        "delivered_on": entry.delivered_on,
        "rated": rated_words(entry, say),
        "kept": say("page.register.erased") if entry.erased else "",
    }
    return [cells[name] for name in COLUMNS]


def _figure_rows(
    counted: FiguresBy, say: Say, items: Mapping[str, str], site_name: Names
) -> Iterator[Sequence[Value | Share]]:
    """All lines, then each state, item and site among them; asked for when every line has been counted."""
    yield [say("page.figures.all"), "", *_cells(counted.total)]
    for state in State:
        if counted.total.states[state]:
            yield [say("page.figures.by_state"), say(f"state.{state.value}"), counted.total.states[state]]
    for item_id, figures in sorted(counted.items.items()):
        yield [say("page.figures.by_item"), items.get(item_id, item_id), *_cells(figures)]
    for site, figures in sorted(counted.sites.items()):
        yield [say("page.figures.by_site"), site_name(site) or site, *_cells(figures)]


def _cells(figures: RegisterFigures) -> list[Value | Share]:
    return [_cell(name, getattr(figures, name)) for name in FIGURES]


def _cell(name: str, value: float | None) -> Value | Share:
    if value is None:
        return sentence("page.figures.none", language=LANGUAGE)
    return Share(value) if name == "on_time_share" else value


def _about(provenance: Provenance, count: int, say: Say) -> Iterator[Sequence[Value]]:
    yield [say("page.register.book.site"), provenance.site_name]
    yield [say("page.register.book.at"), when(provenance.at)]
    yield [say("page.register.book.narrowed"), provenance.narrowed]
    yield [say("page.register.book.count"), count]
    yield [say("page.register.book.names"), provenance.names]
    for name in ("figures", "on_time", "median", "rating", "leaves"):
        yield [say("page.register.book.note"), say(f"page.register.book.note.{name}")]
