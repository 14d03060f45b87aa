"""One line of the register (台账): what is told of an application in a list that is kept, counted and handed on.

Laws
- It is read from the application alone and says nothing that an erased one has lost: what is not known stays empty.
- A verdict on time is given only where guide, calendar, clock and record allow one; everything else is *unjudged*. An
  erased line has lost its special procedures, so none that had one is called late. Where the guide is gone, too, the
  day that was written into the acceptance can still show that it was kept; that it was not, it cannot.
- A rating is sealed for the city: a line says that there is one, never which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from casework.application import Application
from casework.states import CLOSED_STATES, State
from casework.time_limits import Clock, Keeping, Standing, city_day, kept

SUSPENDED: Final = "suspended"


class Outcome(StrEnum):
    """How it ended; `OPEN` as long as it has not."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    DECLINED = "declined"
    NOT_REQUIRED = "not_required"
    FORWARDED = "forwarded"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"
    REVOKED = "revoked"


class Timeliness(StrEnum):
    """How the handling limit was or is kept."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    IN_TIME = "in_time"
    LATE = "late"
    UNJUDGED = "unjudged"
    NOT_COUNTED = "not_counted"


_CLOSED_AS: Final = {state: Outcome(state.value) for state in CLOSED_STATES - {State.RATED}}
_OPEN: Final = {
    Standing.NOT_STARTED: Timeliness.NOT_STARTED,
    Standing.RUNNING: Timeliness.RUNNING,
    Standing.SOON: Timeliness.RUNNING,
    Standing.DUE_TODAY: Timeliness.RUNNING,
    Standing.PAUSED: Timeliness.PAUSED,
    Standing.OVERDUE: Timeliness.OVERDUE,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; `applicant` and `proxy_name` are as the node has them, and are masked by whoever shows them."""

    application_id: str
    receipt_no: str
    item_id: str
    applicant: str
    site: str
    proxy_mode: str
    proxy_name: str
    state: State
    outcome: Outcome
    returns: int
    collected_on: date | None
    accepted_on: date | None
    due: date | None
    due_estimated: bool
    timeliness: Timeliness
    ended_on: date | None
    delivered_on: date | None
    rated: bool
    erased: bool


def entry_of(application: Application, handling: Clock | None, *, erased: bool = False) -> Entry:
    """Make the line of an application; `handling` is its handling clock, None where no guide is at hand."""
    outcome = outcome_of(application)
    ended = application.concluded_at
    if ended is None and outcome in _CLOSED_AS.values():
        ended = application.closed_at
    due = (handling.due if handling is not None else None) or application.limit_due
    return Entry(
        application_id=application.application_id,
        receipt_no=application.receipt_no,
        item_id=application.item_id,
        applicant=application.applicant.name,
        site=application.site,
        proxy_mode=_text(application, "agent_mode"),
        proxy_name=_text(application, "agent_name"),
        state=application.state,
        outcome=outcome,
        returns=application.returns_count,
        collected_on=_day(application.collected_at),
        accepted_on=_day(application.accepted_at),
        due=None if _lost_a_pause(application, erased=erased) else due,
        due_estimated=handling is not None and handling.provisional,
        timeliness=timeliness(application, handling, erased=erased),
        ended_on=_day(ended),
        delivered_on=_day(application.delivered_at),
        rated=application.rated_at is not None,
        erased=erased,
    )


def outcome_of(application: Application) -> Outcome:
    """Say how it ended.

    >>> from casework.lifecycle import draft
    >>> outcome_of(draft("0" * 32))
    <Outcome.OPEN: 'open'>
    """
    if application.state in _CLOSED_AS:
        return _CLOSED_AS[application.state]
    if application.decision is None:
        return Outcome.OPEN
    return Outcome.GRANTED if application.decision.granted else Outcome.REFUSED


def timeliness(application: Application, handling: Clock | None, *, erased: bool = False) -> Timeliness:
    """Say how the handling limit was kept, as far as it can be said.

    >>> from casework.lifecycle import draft
    >>> timeliness(draft("0" * 32), None)
    <Timeliness.NOT_STARTED: 'not_started'>
    """
    decided = application.decision.decided_on if application.decision else None
    if decided is None and application.state in CLOSED_STATES:
        return Timeliness.NOT_COUNTED
    if application.accepted_at is None:
        return Timeliness.NOT_STARTED
    if handling is None:
        return Timeliness.IN_TIME if _before_the_day_written(application) else Timeliness.UNJUDGED
    if decided is None:
        return _OPEN.get(handling.standing, Timeliness.UNJUDGED)
    judged = kept(application, handling)
    if judged is Keeping.LATE:
        return Timeliness.UNJUDGED if _lost_a_pause(application, erased=erased) else Timeliness.LATE
    return Timeliness.IN_TIME if judged is Keeping.IN_TIME else Timeliness.UNJUDGED


def _before_the_day_written(application: Application) -> bool:
    decided, written = application.decision, application.limit_due
    if decided is None or written is None or application.accepted_unsure:
        return False
    return city_day(decided.decided_on) <= written


def _lost_a_pause(application: Application, *, erased: bool) -> bool:
    return erased and any(step.event == SUSPENDED for step in application.history)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else city_day(moment)


def _text(application: Application, field: str) -> str:
    value = application.form.get(field)
    return value.strip() if isinstance(value, str) else ""
