"""Which days are working days, by the calendar the city ships, and which days those are in the city's time.

- Working days are Monday to Friday, minus holidays, plus make-up working days.
- A year the calendar does not cover is estimated by weekdays, and everything counted through it is *provisional*.
- A legal day is a day in China Standard Time; there is no summer time, so the offset is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from casework.errors import MalformedCatalog

CITY_TIME: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
ONE_DAY: Final = timedelta(days=1)
LONGEST_WALK: Final = timedelta(days=7305)
"""Twenty years; no limit reaches further, and no record from outside can make the count run for ever."""

_SATURDAY: Final = 5
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


def city_day(moment: datetime) -> date:
    """Say which day it is in the city.

    >>> from datetime import UTC
    >>> city_day(datetime(2026, 11, 23, 17, tzinfo=UTC))
    datetime.date(2026, 11, 24)
    """
    if not _FIRST_YEAR < moment.year < _LAST_YEAR:
        # A broken clock wrote this; it stays countable without being believed.
        return date(_FIRST_YEAR if moment.year <= _FIRST_YEAR else _LAST_YEAR, 1, 1)
    return moment.astimezone(CITY_TIME).date()


def no_day(_day: date) -> bool:
    """Skip nothing."""
    return False


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The holidays and make-up working days of one year."""

    holidays: frozenset[date]
    makeup_workdays: frozenset[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working-day calendar of the years it covers."""

    years: Mapping[int, CalendarYear] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Calendar:
        """Read `calendar.json`."""
        try:
            return cls(
                {
                    int(year["year"]): CalendarYear(
                        frozenset(date.fromisoformat(day["date"]) for day in year["holidays"]),
                        frozenset(date.fromisoformat(day) for day in year["makeup_workdays"]),
                    )
                    for year in plain["years"]
                }
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedCatalog("calendar") from problem

    def is_working_day(self, day: date) -> tuple[bool, bool]:
        """Say whether `day` is a working day, and whether that is only estimated.

        >>> Calendar().is_working_day(date(2027, 1, 1))
        (True, True)
        """
        weekday = day.weekday() < _SATURDAY
        year = self.years.get(day.year)
        if year is None:
            return weekday, True
        return day in year.makeup_workdays or (weekday and day not in year.holidays), False

    def add_working_days(self, start: date, days: int, skipped: Callable[[date], bool] = no_day) -> tuple[date, bool]:
        """Count `days` working days from the day after `start`; says whether the result is provisional.

        >>> Calendar().add_working_days(date(2027, 1, 1), 1)
        (datetime.date(2027, 1, 4), True)
        """
        day, provisional, left, end = start, False, days, start + LONGEST_WALK
        while left > 0 and day < end:
            day += ONE_DAY
            working, estimated = self.is_working_day(day)
            provisional = provisional or estimated
            left -= working and not skipped(day)
        return day, provisional or left > 0

    def working_days_between(self, start: date, end: date, skipped: Callable[[date], bool] = no_day) -> int:
        """Count the working days after `start` up to and including `end`; negative where `end` is earlier.

        >>> Calendar().working_days_between(date(2027, 1, 1), date(2027, 1, 4))
        1
        >>> Calendar().working_days_between(date(2027, 1, 4), date(2027, 1, 1))
        -1
        """
        if end < start:
            return -self.working_days_between(end, start, skipped)
        span = min(end - start, LONGEST_WALK).days
        days = (start + ONE_DAY * number for number in range(1, span + 1))
        return sum(self.is_working_day(day)[0] and not skipped(day) for day in days)
