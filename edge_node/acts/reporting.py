"""The monthly report (报表) of a township: what was taken in during a month, and what has become of it by now.

Laws
- The lines of a report are those of the register whose day lies in the month, so every figure can be found there again;
  it says as of when it was made, for later figures of the same month differ.
- It names nobody and leaves the node only on paper; it is no entry of the journal.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from casework.register_figures import FiguresBy
from casework.working_days import city_day
from edge_node.acts import registering
from edge_node.acts.registering import Asked
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the city's calendar."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """The figures of a month as they were at a moment."""

    month: Month
    at: datetime
    figures: FiguresBy
    item_names: Mapping[str, str]


def month_of(text: str) -> Month | None:
    """Read `YYYY-MM`.

    >>> str(month_of("2026-11")), month_of("2026-13"), month_of("")
    ('2026-11', None, None)
    """
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return Month(day.year, day.month)


def this_month(counter: Counter) -> Month:
    """The month at the counter."""
    today = city_day(counter.clock.read().now)
    return Month(today.year, today.month)


def monthly(counter: Counter, who: AtCounter, month: Month) -> MonthlyReport:
    """Count one month."""
    figures = registering.figures(counter, who, Asked(first=month.first, last=month.last))
    names = registering.choices(counter, who).items
    return MonthlyReport(month, counter.clock.read().now, figures, names)
