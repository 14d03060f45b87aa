"""The monthly report (报表) of a township: what was taken in during a month, and what has become of it by now.

Laws
- The lines of a report are those of the register whose day lies in the month, so every figure can be found there again;
  it says as of when it was made, for later figures of the same month differ.
- It names nobody and leaves the node only on paper; it is no entry of the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from casework.months import Month
from casework.register_figures import FiguresBy
from casework.working_days import city_day
from edge_node.acts import registering
from edge_node.acts.registering import Asked
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """The figures of a month as they were at a moment."""

    month: Month
    at: datetime
    figures: FiguresBy
    item_names: Mapping[str, str]


def this_month(counter: Counter) -> Month:
    """The month at the counter."""
    today = city_day(counter.clock.read().now)
    return Month(today.year, today.month)


def monthly(counter: Counter, who: AtCounter, month: Month) -> MonthlyReport:
    """Count one month."""
    figures = registering.figures(counter, who, Asked(first=month.first, last=month.last))
    names = registering.choices(counter, who).items
    return MonthlyReport(month, counter.clock.read().now, figures, names)
