"""The queue: searched, narrowed and paged on the node, the most urgent first.

Laws
- What was searched for is a citizen's name as often as not: it is posted, kept with the session, and stands in no
  address, so in no browser's history.
- Narrowing by light looks through at most `LIGHT_LOOK_MAX` applications of the list, the soonest due first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from casework.states import CLOSED_STATES, State
from edge_node.access import CounterHere
from edge_node.acts import listing, notice_reading, opening
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.routes.page_notices import notice_rows
from edge_node.routes.page_open import frame_of
from edge_node.routes.page_refusals import HOME, SEE_OTHER, STRIP
from edge_node.routes.page_session import Acting, Form, Looking, session_token
from edge_node.routes.page_views import QueueRow, RegionName, queue_row
from edge_node.routes.page_waiting import scans_words, short_words
from edge_node.routes.page_words import page
from wire.counter import ApplicationBrief

router = APIRouter()

PAGE_ROWS: Final = 20
LIGHT_LOOK_MAX: Final = 500
TEXT_MAX: Final = 60
OFFSET_MAX: Final = 10_000_000

SHOWS: Final[Mapping[str, frozenset[State]]] = {
    "todo": frozenset(listing.QUEUE_STATES),
    "returned": frozenset({State.RETURNED}),
    "accepted": frozenset(
        {
            State.ACCEPTED,
            State.PROVISIONALLY_ACCEPTED,
            State.UNDER_REVIEW,
            State.SUSPENDED,
            State.EXTENDED,
        }
    ),
    "done": frozenset({State.DECIDED, State.CONCLUDED, State.DELIVERED, State.RATED}),
    "closed": CLOSED_STATES - {State.RATED},
    "all": frozenset(State) - {State.DRAFT},
}
LIGHTS: Final = ("any", "red", "yellow", "green", "grey")


@dataclass(frozen=True, slots=True)
class Sieve:
    """What the clerk asked to see."""

    q: str = ""
    show: str = "todo"
    light: str = "any"

    @property
    def narrowed(self) -> bool:
        """Whether anything but the plain queue was asked for."""
        return self != Sieve()

    def at(self, offset: int) -> str:
        """The address of another page of the same list."""
        asked = {"show": self.show, "light": self.light, "offset": str(offset), "sought": "1" if self.q else ""}
        return f"{HOME}?{urlencode({name: value for name, value in asked.items() if value})}"


@router.get("/")
def home(visitor: Looking) -> Response:  # noqa: ARG001 - whoever is not signed in is sent to the door
    """The queue is the first page."""
    return RedirectResponse(HOME, SEE_OTHER)


@router.get(HOME)
def show_queue(
    counter: CounterHere,
    visitor: Looking,
    show: str = "todo",
    light: str = "any",
    offset: Annotated[str, Query()] = "0",
    sought: str = "",
) -> Response:
    """The queue, searched for what this session sought last if the address says so."""
    sieve = _sieve(_sought(counter, visitor.who) if sought else "", show, light)
    start = min(int(offset), OFFSET_MAX) if offset.isascii() and offset.isdigit() and len(offset) < 12 else 0
    rows, total = _found(counter, visitor.who, sieve, start)
    if not rows and start:
        return RedirectResponse(sieve.at(0), SEE_OTHER)
    names = opening.region_names(counter)
    return page(
        "queue.html",
        bar=frame_of(counter),
        visitor=visitor,
        here="queue",
        notices=notice_rows(notice_reading.at_this_counter(counter)),
        rows=[_row(row, lambda code: opening.named(names, code)) for row in rows],
        sieve=sieve,
        shows=tuple(SHOWS),
        lights=LIGHTS,
        total=total,
        first=start + 1,
        last=start + len(rows),
        earlier=sieve.at(max(0, start - PAGE_ROWS)) if start else None,
        later=sieve.at(start + PAGE_ROWS) if start + len(rows) < total else None,
    )


@router.post(HOME)
def search_queue(counter: CounterHere, visitor: Acting, form: Form) -> Response:
    """Keep what is sought, and lead to the list."""
    sieve = _sieve(form.text("q"), form.text("show"), form.text("light"))
    counter.sessions.keep_typed(visitor.who, HOME, (("q", sieve.q),))
    return RedirectResponse(sieve.at(0), SEE_OTHER)


def _sieve(text: str, show: str, light: str) -> Sieve:
    """A strange filter is taken as none."""
    return Sieve(
        q=text.strip()[:TEXT_MAX],
        show=show if show in SHOWS else "todo",
        light=light if light in LIGHTS else "any",
    )


def _sought(counter: Counter, who: AtCounter) -> str:
    return dict(counter.sessions.typed(who, HOME) or ()).get("q", "")


def _row(brief: ApplicationBrief, region_name: RegionName) -> QueueRow:
    row = queue_row(brief, region_name)
    return replace(row, waiting_words=short_words(brief), scans_words=scans_words(brief))


def _found(counter: Counter, who: AtCounter, sieve: Sieve, start: int) -> tuple[list[ApplicationBrief], int]:
    states = SHOWS[sieve.show]
    if sieve.light == "any":
        found = listing.queue(counter, who, text=sieve.q, states=states, offset=start, limit=PAGE_ROWS)
        return found.rows, found.total
    matching: list[ApplicationBrief] = []
    looked = 0
    while looked < LIGHT_LOOK_MAX:
        found = listing.queue(counter, who, text=sieve.q, states=states, offset=looked, limit=listing.MAX_PAGE)
        matching += [row for row in found.rows if row.light == sieve.light]
        looked += listing.MAX_PAGE
        if looked >= found.total:
            break
    return matching[start : start + PAGE_ROWS], len(matching)


@router.get(STRIP)
def strip(request: Request, counter: CounterHere) -> Response:
    """The status strip alone, for a page left open; looking at it does not keep a session awake."""
    counter.sessions.locked_clerk(session_token(request))
    return page("strip.html", bar=frame_of(counter))
