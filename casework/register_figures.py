"""Figures of the register: how many, how they ended, how the limits were kept, how long it took.

Laws
- Each figure counts the same lines, so that every one of them can be found again in the register.
- A share or a median of nothing is None and is shown as unknown, never as 0; what cannot be judged is counted apart
  and is in no share.
- Adding lines keeps nothing of them: the memory of a thousand lines is that of ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from casework.register_entry import Entry, Outcome, Timeliness
from casework.states import State

JUDGED: Final = (Timeliness.IN_TIME, Timeliness.LATE, Timeliness.OVERDUE)


@dataclass(slots=True)
class RegisterFigures:
    """What was counted of some lines."""

    filed: int = 0
    returned: int = 0
    returns: int = 0
    accepted: int = 0
    concluded: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    times: Counter[Timeliness] = field(default_factory=Counter)
    states: Counter[State] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count one line."""
        self.filed += 1
        self.returned += entry.returns > 0
        self.returns += entry.returns
        self.accepted += entry.accepted_on is not None
        self.outcomes[entry.outcome] += 1
        self.times[entry.timeliness] += 1
        self.states[entry.state] += 1
        if entry.ended_on is not None and entry.outcome in {Outcome.GRANTED, Outcome.REFUSED}:
            self.concluded += 1
            if entry.collected_on is not None and entry.ended_on >= entry.collected_on:
                self.days[(entry.ended_on - entry.collected_on).days] += 1

    @property
    def declined(self) -> int:
        """How many were not accepted (不予受理)."""
        return self.outcomes[Outcome.DECLINED]

    @property
    def ended_otherwise(self) -> int:
        """How many ended without a ruling and without being declined, or were revoked."""
        apart = {Outcome.OPEN, Outcome.GRANTED, Outcome.REFUSED, Outcome.DECLINED}
        return sum(count for outcome, count in self.outcomes.items() if outcome not in apart)

    @property
    def overdue(self) -> int:
        """How many passed their limit, decided since or not."""
        return self.times[Timeliness.OVERDUE] + self.times[Timeliness.LATE]

    @property
    def in_time(self) -> int:
        """How many were decided within their limit."""
        return self.times[Timeliness.IN_TIME]

    @property
    def unjudged(self) -> int:
        """How many of which nobody can say it."""
        return self.times[Timeliness.UNJUDGED]

    @property
    def on_time_share(self) -> float | None:
        """The share of what was decided in time among everything that can be judged.

        >>> RegisterFigures().on_time_share is None
        True
        """
        judged = sum(self.times[one] for one in JUDGED)
        return self.in_time / judged if judged else None

    @property
    def median_days(self) -> float | None:
        """The median of the calendar days from taking in to conclusion.

        >>> RegisterFigures(days=Counter({1: 1, 4: 1})).median_days
        2.5
        """
        count = self.days.total()
        if not count:
            return None
        return (self._nth((count - 1) // 2) + self._nth(count // 2)) / 2

    def _nth(self, number: int) -> int:
        passed = 0
        for day in sorted(self.days):
            passed += self.days[day]
            if passed > number:
                return day
        raise IndexError(number)


@dataclass(slots=True)
class FiguresBy:
    """Figures of all lines, and of each item and each site among them."""

    total: RegisterFigures = field(default_factory=RegisterFigures)
    items: dict[str, RegisterFigures] = field(default_factory=dict)
    sites: dict[str, RegisterFigures] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Count one line everywhere it belongs."""
        for figures in (
            self.total,
            self.items.setdefault(entry.item_id, RegisterFigures()),
            self.sites.setdefault(entry.site, RegisterFigures()),
        ):
            figures.add(entry)


def figures_of(entries: Iterable[Entry]) -> FiguresBy:
    """Count many lines."""
    found = FiguresBy()
    for entry in entries:
        found.add(entry)
    return found
