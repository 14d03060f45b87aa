"""The assessment figures (考核指标) of a period: what is counted, and what is honestly not known.

- *Filed* (收件): reached the city in the period, by its clock; *decided* (决定): ruled on in it. What was voided (作废)
  counts nowhere.
- On time (按时办结率): of the decisions whose limit is known and whose days are certain. An item without a limit is not
  on time and not late; it is told how many such decisions there were. What is overdue and not decided stands beside.
- By the network (网办率): of what was filed and whose road is known, what came by a line, the own one or the township's
  relay; what came on a stick made a paper-like journey. Whether the applicant travelled is not recorded anywhere.
- Returns (补正率): of what was filed in the period, how much was returned, up to now.
- Ratings (好差评): of those given in the period; never of fewer than `RATED_AT_LEAST` people, and never so that such a
  group could be had by taking the shown ones from the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from casework.application import Application
from casework.catalog import ServiceItem
from casework.standstill import Standstill
from casework.states import State
from casework.time_limits import Keeping, Standing, handling_clock, handling_days, keeping
from casework.working_days import Calendar, city_day

RATED_AT_LEAST: Final = 5
LEVELS: Final = (1, 2, 3, 4, 5)
BAD_FROM: Final = 4
"""Levels 4 and 5 (不满意, 非常不满意) are 差评."""

BY_LINE: Final = ("line", "relay")
BY_STICK: Final = "stick"


@dataclass(frozen=True, slots=True)
class Period:
    """Days in the city's time, both ends included."""

    first: date
    last: date

    def __contains__(self, moment: datetime | None) -> bool:
        return moment is not None and self.first <= city_day(moment) <= self.last


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole; there is no share of nothing.

    >>> Share(1, 8).percent, Share(0, 0).percent
    (12.5, None)
    """

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """In percent, to one decimal; None where the whole is nothing."""
        return round(100 * self.part / self.whole, 1) if self.whole else None


@dataclass(frozen=True, slots=True)
class Counted:
    """One application with what else is known of it: the item as it was when filed, the road, the rating's level."""

    application: Application
    item: ServiceItem | None
    road: str | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts of one group; `levels` are None where too few rated to be shown."""

    filed: int = 0
    by_line: int = 0
    by_stick: int = 0
    returned: int = 0
    returns: int = 0
    decided: int = 0
    in_time: int = 0
    late: int = 0
    limit_unknown: int = 0
    doubtful: int = 0
    days: int = 0
    days_of: int = 0
    overdue: int = 0
    levels: tuple[int, ...] | None = (0,) * len(LEVELS)

    @property
    def on_time_rate(self) -> Share:
        """Of the decisions whose limit is known and certain."""
        return Share(self.in_time, self.in_time + self.late)

    @property
    def online_rate(self) -> Share:
        """Of the filed whose road is known."""
        return Share(self.by_line, self.by_line + self.by_stick)

    @property
    def road_unknown(self) -> int:
        """Filed before roads were noted."""
        return self.filed - self.by_line - self.by_stick

    @property
    def returned_rate(self) -> Share:
        """Of the filed, those that were returned at least once."""
        return Share(self.returned, self.filed)

    @property
    def returns_each(self) -> float | None:
        """Returns for each filed application."""
        return round(self.returns / self.filed, 2) if self.filed else None

    @property
    def average_days(self) -> float | None:
        """Working days from acceptance to decision."""
        return round(self.days / self.days_of, 1) if self.days_of else None

    @property
    def rated(self) -> int | None:
        """How many rated; None where that is not shown."""
        return None if self.levels is None else sum(self.levels)

    @property
    def good_rate(self) -> Share | None:
        """Of the ratings, those that are no 差评."""
        if self.levels is None:
            return None
        return Share(sum(self.levels[: BAD_FROM - 1]), sum(self.levels))

    @property
    def average_level(self) -> float | None:
        """1 is the best of five."""
        if not self.levels or not sum(self.levels):
            return None
        return round(sum(level * count for level, count in zip(LEVELS, self.levels, strict=True)) / sum(self.levels), 2)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The figures of a period: of everything, by site and by item."""

    period: Period
    total: Figures
    by_site: Mapping[str, Figures]
    by_item: Mapping[str, Figures]


def assess(
    counted: Iterable[Counted],
    period: Period,
    calendar: Calendar,
    now: datetime,
    declared: Callable[[Application], Sequence[Standstill]] = lambda _one: (),
) -> Assessment:
    """Reckon a period; `declared` gives what notices say of the days of an application's limits."""
    total, sites, items = Figures(), dict[str, Figures](), dict[str, Figures]()
    for one in counted:
        more = _of(one, period, calendar, now, declared(one.application))
        if more == Figures():
            continue
        site, item = one.application.site, one.application.item_id
        total = _sum(total, more)
        sites[site] = _sum(sites.get(site, Figures()), more)
        items[item] = _sum(items.get(item, Figures()), more)
    shown = total if _ratings(total) == 0 or _ratings(total) >= RATED_AT_LEAST else replace(total, levels=None)
    return Assessment(period, shown, _few_hidden(sites), _few_hidden(items))


def _of(one: Counted, period: Period, calendar: Calendar, now: datetime, declared: Sequence[Standstill]) -> Figures:
    """What one application adds."""
    application, item = one.application, one.item
    if application.state is State.VOIDED:
        return Figures()
    found = Figures()
    if application.submitted_at in period:
        found = replace(
            found,
            filed=1,
            by_line=int(one.road in BY_LINE),
            by_stick=int(one.road == BY_STICK),
            returned=int(application.returns_count > 0),
            returns=application.returns_count,
        )
    if application.decision is not None and application.decision.decided_on in period:
        kept = keeping(application, item, calendar, declared)
        days = handling_days(application, item, calendar, declared) if item is not None else None
        found = replace(
            found,
            decided=1,
            in_time=int(kept is Keeping.IN_TIME),
            late=int(kept is Keeping.LATE),
            limit_unknown=int(kept is Keeping.UNKNOWN or kept is None),
            doubtful=int(kept is Keeping.DOUBTFUL),
            days=days or 0,
            days_of=int(days is not None),
        )
    if application.decision is None and item is not None and application.accepted_at is not None:
        clock = handling_clock(application, item, calendar, now, True, declared)
        found = replace(found, overdue=int(clock.standing is Standing.OVERDUE))
    if one.level in LEVELS and application.rated_at in period:
        found = replace(found, levels=tuple(int(level == one.level) for level in LEVELS))
    return found


def _sum(one: Figures, other: Figures) -> Figures:
    added = {
        name: getattr(one, name) + getattr(other, name) for name in Figures.__dataclass_fields__ if name != "levels"
    }
    levels = tuple(a + b for a, b in zip(one.levels or (), other.levels or (), strict=True))
    return Figures(**added, levels=levels)


def _ratings(figures: Figures) -> int:
    return sum(figures.levels or ())


def _few_hidden(groups: Mapping[str, Figures]) -> dict[str, Figures]:
    """Hide the ratings of small groups, and as many of the next larger ones as keep the hidden from being reckoned."""
    by_size = sorted((key for key in groups if _ratings(groups[key])), key=lambda key: (_ratings(groups[key]), key))
    hidden: list[str] = []
    together = 0
    for key in by_size:
        small = _ratings(groups[key]) < RATED_AT_LEAST
        if not small and (together == 0 or (together >= RATED_AT_LEAST and len(hidden) > 1)):
            break
        hidden.append(key)
        together += _ratings(groups[key])
    return {key: replace(groups[key], levels=None) if key in hidden else groups[key] for key in sorted(groups)}
