"""Days that do not count for a limit, and days of which nobody has said whether they count.

- A *span* of days is skipped by a pause of one clock, or by a notice for the clocks and units that it names.
- A standstill whose last day is not known runs until today; whatever it touches is a guess for today only.
- One that nobody decided skips nothing, and whatever it touches is no verdict either: unknown is not "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from casework.catalog import LimitUnit
from casework.working_days import no_day

ClockKind = Literal["notice", "handling"]
Doubt = Literal["", "open", "unstated"]

CLOCKS: Final[tuple[ClockKind, ...]] = ("notice", "handling")


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days that do not count, both ends included: a pause of the clock, or what an emergency notice declares."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Standstill:
    """What one notice says of the days of `span`: they do not count (`stands`), or nobody has said so."""

    notice_id: str
    span: DaySpan
    clocks: frozenset[ClockKind]
    units: frozenset[LimitUnit]
    stands: bool = True
    open_ended: bool = False

    def concerns(self, kind: ClockKind, unit: LimitUnit) -> bool:
        """Whether it speaks of this clock in this unit."""
        return kind in self.clocks and unit in self.units

    @property
    def doubt(self) -> Doubt:
        """Why a limit that it touches is not final."""
        return "unstated" if not self.stands else "open" if self.open_ended else ""

    @property
    def reach(self) -> DaySpan:
        """The days in which it may still come to matter."""
        return DaySpan(self.span.first, date.max) if self.open_ended else self.span


def spans_of(standstills: Iterable[Standstill]) -> tuple[DaySpan, ...]:
    """The days that do not count."""
    return tuple(one.span for one in standstills if one.stands)


def touching(standstills: Iterable[Standstill], first: date, last: date) -> tuple[Standstill, ...]:
    """Those that reach into the days from `first` to `last`."""
    return tuple(one for one in standstills if one.reach.first <= last and one.reach.last >= first)


def skips(spans: Sequence[DaySpan]) -> Callable[[date], bool]:
    """Tell of a day whether it is skipped."""
    return (lambda day: any(day in span for span in spans)) if spans else no_day
