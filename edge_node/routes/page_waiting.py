"""Why something is not at the city yet, on the page: the words of an explanation, and the page that tells them all.

Laws: the same vocabulary as the API's (`wire.waiting`), the most urgent first; a time that has passed is not promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from edge_node.access import CounterHere
from edge_node.acts import listing, status
from edge_node.printing.figures import clock_time, in_city, when
from edge_node.routes.page_session import Looking
from edge_node.routes.page_views import frame, standing_words, state_words
from edge_node.routes.page_words import first_known, page
from edge_node.wording import sentence
from wire.counter import ApplicationBrief, WaitingView, together

router = APIRouter()

LINE: Final = "/line"
PAGE_ROWS: Final = 50
NOBODY: Final = "nobody"
NOT_APPLIED: Final = "not_applied"
WITH_CODE: Final = frozenset({"city_refuses_node", "other_alarm"})


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One explanation: what and why; who must act and what comes next."""

    why: str
    then: str
    calm: bool


@dataclass(frozen=True, slots=True)
class WaitingApplication:
    """One application of which something waits."""

    application_id: str
    receipt_no: str
    item_name: str
    applicant: str
    state_words: str
    standing_words: str
    rows: Sequence[WaitingRow]
    scans_words: str


@router.get(LINE)
def show_line(counter: CounterHere, visitor: Looking, offset: Annotated[str, Query()] = "0") -> Response:
    """How the line stands, and everything that waits."""
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 9 else 0
    bar = status.status(counter)
    found = listing.waiting(counter, visitor.who, offset=start, limit=PAGE_ROWS)
    return page(
        "line.html",
        bar=frame(bar),
        visitor=visitor,
        here="line",
        conditions=[waiting_row([one], bar.now) for one in bar.conditions],
        rows=[_application(brief, bar.now) for brief in found.rows],
        total=found.total,
        first=start + 1,
        last=start + len(found.rows),
        earlier=f"{LINE}?offset={max(0, start - PAGE_ROWS)}" if start else None,
        later=f"{LINE}?offset={start + PAGE_ROWS}" if start + len(found.rows) < found.total else None,
    )


def waiting_row(same: Sequence[WaitingView], now: datetime) -> WaitingRow:
    """One explanation in words, for everything that has it."""
    one = same[0]
    why = _why(one)
    what = "、".join(words for words in map(_what, same) if words)
    then = sentence("page.waiting.then", {"who": sentence(f"who.{one.who}"), "then": _then(one, now)})
    return WaitingRow(
        why=sentence("page.waiting.what", {"what": what, "why": why}) if what else why,
        then=f"{then} · {sentence('page.waiting.stick')}" if one.stick else then,
        calm=one.who == NOBODY,
    )


def waiting_rows(brief: ApplicationBrief, now: datetime) -> tuple[WaitingRow, ...]:
    """Everything of an application that waits; a refusal has its own place, with its reason."""
    return tuple(waiting_row(same, now) for same in together(brief.waiting) if same[0].why != NOT_APPLIED)


def short_words(brief: ApplicationBrief) -> str:
    """The most urgent reason, for a line of the queue."""
    acts = [one for one in brief.waiting if one.op and one.why != NOT_APPLIED]
    return sentence("page.waiting.short", {"why": _why(acts[0])}) if acts else ""


def scans_words(brief: ApplicationBrief) -> str:
    """How many scans arrived, as long as some are missing."""
    if brief.scans_arrived >= brief.scans_total:
        return ""
    return sentence("page.scans_arrived", {"arrived": brief.scans_arrived, "total": brief.scans_total})


def _application(brief: ApplicationBrief, now: datetime) -> WaitingApplication:
    return WaitingApplication(
        application_id=brief.application_id,
        receipt_no=brief.receipt_no,
        item_name=brief.item_name,
        applicant=brief.applicant_masked,
        state_words=state_words(brief.state),
        standing_words=standing_words(brief),
        rows=[waiting_row(same, now) for same in together(brief.waiting)],
        scans_words=scans_words(brief),
    )


def _why(one: WaitingView) -> str:
    why = first_known(f"why.{one.why}", "why.other_alarm")
    return f"{why} ({one.code})" if one.code and one.why in WITH_CODE else why


def _what(one: WaitingView) -> str:
    if one.scans:
        return sentence("page.waiting.scans", {"count": one.scans})
    event = first_known(f"event.{one.op}", "page.step.unnamed")
    return sentence("page.waiting.act", {"what": event}) if one.op else ""


def _then(one: WaitingView, now: datetime) -> str:
    then = sentence(f"then.{one.then}")
    if one.when is None or one.when <= now:
        return then
    same_day = in_city(one.when).date() == in_city(now).date()
    at = clock_time(one.when) if same_day else when(one.when)
    return sentence("page.waiting.at", {"then": then, "at": at})
