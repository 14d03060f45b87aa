"""The two clocks of an application: the notice clock and the handling clock.

- **Notice** (一次性告知): five working days from receipt; a return, acceptance or refusal answers it. Unanswered, a
  行政许可 counts as accepted from receipt (行政许可法 art. 32). A supplement starts it again.
- **Handling** (办理): the promised limit, else the statutory one, from acceptance to the decision. A special procedure
  stops it only where `pauses_clock` is True; the day it begins still counts, the day it ends does not.
- The starting day does not count (民法典 art. 201). Units belong to each limit. Unknown is unknown, never zero.
- Nothing is *overdue* by an estimated calendar, or by a clock nobody has confirmed, the one that wrote the acceptance
  included; that is *provisional*.
- A notice moves a limit by the days of which it says that they do not count. While its end is not known, or it does not
  say what it does to limits, every limit that it touches is *provisional*, too.
- Where a limit in calendar days ends on a rest day, a milder reading moves it to the next working day (art. 203);
  `due` shows the plain day, and only the milder one makes it overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from casework.application import Application
from casework.catalog import Limit, LimitUnit, ServiceItem
from casework.standstill import ClockKind, DaySpan, Doubt, Standstill, skips, spans_of, touching
from casework.states import CLOSED_STATES
from casework.working_days import CITY_TIME, LONGEST_WALK, ONE_DAY, Calendar, city_day

__all__ = [
    "CITY_TIME",
    "NOTICE_LIMIT",
    "Calendar",
    "Clock",
    "ClockKind",
    "DaySpan",
    "Due",
    "Keeping",
    "Standing",
    "Standstill",
    "city_day",
    "due",
    "handling_clock",
    "handling_days",
    "keeping",
    "kept",
    "notice_clock",
]

_Day = date

NOTICE_LIMIT: Final = Limit(5, "working_day", "行政许可法第32条")
SOON_DAYS: Final = 2
"""The third day of the notice clock is its first alarm: two days are left."""

SOON_SHARE: Final = 5
"""For long limits, soon is the last fifth."""


class Standing(StrEnum):
    """How a clock stands; what a traffic light is made of."""

    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"
    RUNNING = "running"
    SOON = "soon"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    PAUSED = "paused"
    MET = "met"
    PROVISIONAL = "provisional"


class Keeping(StrEnum):
    """Whether a decision kept its handling limit."""

    IN_TIME = "in_time"
    LATE = "late"
    UNKNOWN = "unknown"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a limit; `latest` is the last day by the mildest reading."""

    date: _Day
    provisional: bool
    latest: _Day


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock as it stands now; `remaining_days` counts in the unit of `limit` and is negative after the day.

    `latest` is the last day by the mildest reading, told of a clock that was met.
    `shifted_days` counts in the same unit what `notices` took out; `doubt` says why it is not final on their account.
    """

    kind: ClockKind
    due: date | None
    standing: Standing
    remaining_days: int | None = None
    provisional: bool = False
    limit: Limit | None = None
    deemed_accepted: bool = False
    latest: date | None = None
    shifted_days: int = 0
    doubt: Doubt = ""
    notices: tuple[str, ...] = ()


def due(start: date | datetime, limit: Limit, calendar: Calendar, skipped: Sequence[DaySpan] = ()) -> Due:
    """Count a limit from its starting day, which itself does not count.

    >>> due(date(2027, 1, 1), Limit(3, "calendar_day"), Calendar()).date
    datetime.date(2027, 1, 4)
    """
    day = city_day(start) if isinstance(start, datetime) else start
    if limit.unit == "immediate":
        end, provisional = (day, calendar.is_working_day(day)[1])
        if skips(skipped)(day):
            end, provisional = calendar.add_working_days(day, 1, skips(skipped))
        return Due(end, provisional, end)
    if limit.unit == "working_day":
        end, provisional = calendar.add_working_days(day, limit.value, skips(skipped))
        return Due(end, provisional, end)
    end = _add_calendar_days(day, limit.value, skips(skipped))
    working, estimated = calendar.is_working_day(end)
    latest, guessed = (end, estimated) if working else calendar.add_working_days(end, 1, skips(skipped))
    return Due(end, estimated or guessed, latest)


def notice_clock(
    application: Application,
    item: ServiceItem,
    calendar: Calendar,
    now: datetime,
    confident: bool,  # noqa: FBT001 - a fact about `now`
    declared: Sequence[Standstill] = (),
) -> Clock:
    """Say how the five days of the one-time full notice stand; `confident` tells whether `now` is to be believed."""
    received, answered = application.received_at, application.notice_given_at
    if received is None or (answered is None and application.state in CLOSED_STATES):
        return Clock("notice", None, Standing.NOT_STARTED, limit=NOTICE_LIMIT)
    count = _Count("notice", city_day(received), NOTICE_LIMIT, calendar, _begun_by(answered, declared))
    if answered is not None:
        return count.met(city_day(answered))
    clock = count.running(city_day(now), confident=confident)
    return replace(clock, deemed_accepted=item.is_permit and clock.standing is Standing.OVERDUE)


def handling_clock(
    application: Application,
    item: ServiceItem,
    calendar: Calendar,
    now: datetime,
    confident: bool,  # noqa: FBT001 - a fact about `now`
    declared: Sequence[Standstill] = (),
) -> Clock:
    """Say how the handling limit stands; `confident` tells whether `now` is to be believed."""
    limit = item.handling_limit
    start = application.accepted_at
    decided = application.decision.decided_on if application.decision else None
    if start is None or (decided is None and application.state in CLOSED_STATES):
        return Clock("handling", None, Standing.NOT_STARTED, limit=limit)
    if limit is None:
        return Clock("handling", None, Standing.MET if decided else Standing.UNKNOWN)
    limit = Limit(limit.value + application.extended_days, _counting_unit(limit, application), limit.basis)
    start_day = _start_of_handling(start, application.received_at, item, calendar, declared)
    pauses, paused_on = _pauses(application, item)
    count = _Count("handling", start_day, limit, calendar, _begun_by(decided, declared), pauses)
    if paused_on is not None and decided is None:
        used = _days_between(start_day, paused_on, limit.unit, calendar, count.skipped)
        return Clock("handling", None, Standing.PAUSED, limit.value - used, limit=limit)
    if decided is not None:
        return count.met(city_day(decided))
    return count.running(city_day(now), confident=confident and not application.accepted_unsure)


@dataclass(frozen=True, slots=True)
class _Count:
    """A limit that is counted from a day, through pauses and what notices declare."""

    kind: ClockKind
    start: date
    limit: Limit
    calendar: Calendar
    declared: tuple[Standstill, ...]
    pauses: tuple[DaySpan, ...] = ()

    @property
    def concerning(self) -> tuple[Standstill, ...]:
        return tuple(one for one in self.declared if one.concerns(self.kind, self.limit.unit))

    @property
    def skipped(self) -> tuple[DaySpan, ...]:
        return (*spans_of(self.concerning), *self.pauses)

    def end(self) -> Due:
        """The last day; provisional as well where a notice leaves it open."""
        end = due(self.start, self.limit, self.calendar, self.skipped)
        return replace(end, provisional=end.provisional or any(one.doubt for one in self._touching(end)))

    def met(self, on: date) -> Clock:
        """It was answered or decided."""
        end = self.end()
        left = _days_between(on, end.date, self.limit.unit, self.calendar, self.skipped)
        return self._clock(end, Standing.MET, left)

    def running(self, today: date, *, confident: bool) -> Clock:
        """It runs, or ran out."""
        end = self.end()
        left = _days_between(today, end.date, self.limit.unit, self.calendar, self.skipped)
        if today > end.latest:
            doubtful = end.provisional or not confident
            standing = Standing.PROVISIONAL if doubtful else Standing.OVERDUE
        elif today >= end.date:
            standing = Standing.DUE_TODAY
        else:
            soon = left <= max(SOON_DAYS, self.limit.value // SOON_SHARE)
            standing = Standing.SOON if soon else Standing.RUNNING
        return self._clock(end, standing, left)

    def _clock(self, end: Due, standing: Standing, left: int) -> Clock:
        touched = self._touching(end)
        doubts = {one.doubt for one in touched}
        return Clock(
            self.kind,
            end.date,
            standing,
            left,
            end.provisional,
            self.limit,
            latest=end.latest if standing is Standing.MET else None,
            shifted_days=self._shifted(end),
            doubt="unstated" if "unstated" in doubts else "open" if "open" in doubts else "",
            notices=tuple(sorted({one.notice_id for one in touched})),
        )

    def _touching(self, end: Due) -> tuple[Standstill, ...]:
        first = self.start if self.limit.unit == "immediate" else self.start + ONE_DAY
        return touching(self.concerning, first, end.latest)

    def _shifted(self, end: Due) -> int:
        if not spans_of(self.concerning):
            return 0
        plain = due(self.start, self.limit, self.calendar, self.pauses)
        return _days_between(plain.date, end.date, self.limit.unit, self.calendar, self.pauses)


def kept(application: Application, handling: Clock) -> Keeping | None:
    """Say by its clock whether the decision kept its limit; None where nothing was accepted and decided. Without a
    known limit it is unknown; by an estimated calendar, a notice that leaves it open or a clock nobody had confirmed it
    is doubtful, whichever way it looks."""
    if application.accepted_at is None or application.decision is None:
        return None
    if handling.latest is None:
        return Keeping.UNKNOWN
    if handling.provisional or application.accepted_unsure:
        return Keeping.DOUBTFUL
    return Keeping.IN_TIME if city_day(application.decision.decided_on) <= handling.latest else Keeping.LATE


def keeping(
    application: Application, item: ServiceItem | None, calendar: Calendar, declared: Sequence[Standstill] = ()
) -> Keeping | None:
    """The same of an application whose clock is not at hand; of an item that nobody knows the limit is unknown."""
    if application.accepted_at is None or application.decision is None:
        return None
    if item is None:
        return Keeping.UNKNOWN
    on = application.decision.decided_on
    return kept(application, handling_clock(application, item, calendar, on, True, declared))


def handling_days(
    application: Application, item: ServiceItem, calendar: Calendar, declared: Sequence[Standstill] = ()
) -> int | None:
    """Count the working days from acceptance to the decision, without those that a pause or a notice took out."""
    if application.accepted_at is None or application.decision is None:
        return None
    start = _start_of_handling(application.accepted_at, application.received_at, item, calendar, declared)
    pauses, _ = _pauses(application, item)
    end = city_day(application.decision.decided_on)
    stood = spans_of(one for one in declared if one.concerns("handling", "working_day"))
    return max(0, _days_between(start, end, "working_day", calendar, (*stood, *pauses)))


def _begun_by(met: datetime | None, declared: Sequence[Standstill]) -> tuple[Standstill, ...]:
    """Leave out what began after a clock was met: it has no say in whether that was in time."""
    return tuple(one for one in declared if met is None or one.span.first <= city_day(met))


def _counting_unit(limit: Limit, application: Application) -> LimitUnit:
    """Something due on the spot that was extended all the same is counted in working days."""
    return "working_day" if limit.unit == "immediate" and application.extended_days else limit.unit


def _start_of_handling(
    accepted: datetime, received: datetime | None, item: ServiceItem, calendar: Calendar, declared: Sequence[Standstill]
) -> date:
    """Take the day of acceptance; for a permit accepted after the notice clock ran out, the day of receipt."""
    if not item.is_permit or received is None or received > accepted:
        return city_day(accepted)
    end = _Count("notice", city_day(received), NOTICE_LIMIT, calendar, tuple(declared)).end()
    too_late = not end.provisional and city_day(accepted) > end.date
    return city_day(received if too_late else accepted)


def _pauses(application: Application, item: ServiceItem) -> tuple[tuple[DaySpan, ...], date | None]:
    """Return the days that pauses took out, and the day on which a pause began that still lasts."""
    never = {one.name for one in item.special_procedures if one.pauses_clock is False}
    spans, open_since = [], None
    for pause in application.pauses:
        if pause.pauses_clock is not True or pause.kind in never:
            continue
        began = city_day(pause.started_at)
        if pause.ended_at is None:
            open_since = began
        elif city_day(pause.ended_at) > began:
            spans.append(DaySpan(began + ONE_DAY, city_day(pause.ended_at)))
    return tuple(spans), open_since


def _days_between(start: date, end: date, unit: LimitUnit, calendar: Calendar, skipped: Sequence[DaySpan]) -> int:
    if unit == "working_day":
        return calendar.working_days_between(start, end, skips(skipped))
    if not skipped:
        return (end - start).days
    first, last = min(start, end), max(start, end)
    skipped_on, span = skips(skipped), min(last - first, LONGEST_WALK).days
    days = sum(not skipped_on(first + ONE_DAY * number) for number in range(1, span + 1))
    return days if end >= start else -days


def _add_calendar_days(start: date, days: int, skipped_on: Callable[[date], bool]) -> date:
    day, left, end = start, days, start + LONGEST_WALK
    while left > 0 and day < end:
        day += ONE_DAY
        left -= not skipped_on(day)
    return day
