"""Emergency notices (应急公告): what they order, where, for which items, from when to when, and what they do to limits.

- Only an *active* notice orders anything; a historical one is a record. Its days stay in it after it has ended, so that
  limits which ran through them keep them; taken out of the catalog, it never was.
- A notice that supersedes another, or resumes the windows that it shut, ends it the day before; which of them is read
  first does not matter. A narrower one ends nothing beyond its own regions and items.
- What it does to limits is what its `DEADLINE_POLICY` says: `shift` (for the clocks and units it names), `no_shift`, or
  `unknown`. Windows that are shut without a word about limits leave it unknown; unknown is never "no".
- A measure of a later vocabulary is kept and shown by its own summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from casework.catalog import LIMIT_UNITS, LimitUnit
from casework.errors import MalformedCatalog
from casework.identifiers import region_covers
from casework.standstill import CLOCKS, ClockKind, DaySpan, Standstill
from casework.working_days import ONE_DAY

ACTIVE: Final = frozenset({"active", "in_force"})
STATUSES: Final = (*sorted(ACTIVE), "historical", "withdrawn")

WINDOW_SUSPENDED: Final = "WINDOW_SUSPENDED"
WINDOW_RESUMED: Final = "WINDOW_RESUMED"
DEADLINE_POLICY: Final = "DEADLINE_POLICY"

_Choice = TypeVar("_Choice", bound=str)


class Effect(StrEnum):
    """What a notice does to limits."""

    SHIFT = "shift"
    NO_SHIFT = "no_shift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; without days of its own it holds as long as its notice."""

    code: str
    summary: str = ""
    first: date | None = None
    last: date | None = None
    params: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Measure:
        """Read one measure."""
        return cls(
            code=_text(plain, "code"),
            summary=str(plain.get("summary") or ""),
            first=_day(plain, "from"),
            last=_day(plain, "to"),
            params=plain.get("params") or {},
        )

    @property
    def effect(self) -> Effect:
        """What it says of limits; a shift that names no clocks or units says nothing that could be counted."""
        said = self.params.get("effect")
        if said == Effect.SHIFT and self.clocks and self.units:
            return Effect.SHIFT
        return Effect.NO_SHIFT if said == Effect.NO_SHIFT else Effect.UNKNOWN

    @property
    def clocks(self) -> frozenset[ClockKind]:
        """The clocks that stand still."""
        return _named(self.params.get("clocks"), CLOCKS)

    @property
    def units(self) -> frozenset[LimitUnit]:
        """The units of the limits that stand still."""
        return _named(self.params.get("units"), LIMIT_UNITS)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as the catalog tells it; `items` None means every item, no `places` every station of its regions."""

    notice_id: str
    title: str
    active: bool
    first: date | None
    last: date | None
    regions: tuple[str, ...]
    places: tuple[str, ...] = ()
    items: frozenset[str] | None = None
    measures: tuple[Measure, ...] = ()
    supersedes: frozenset[str] = frozenset()
    superseded_by: frozenset[str] = frozenset()
    issued_on: date | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Notice:
        """Read one entry of `notices.json`; an active one must say from which day on and where."""
        scope = plain.get("scope") or {}
        items = scope.get("items")
        active = plain.get("status") in ACTIVE
        first, last = _day(plain, "effective_from"), _day(plain, "effective_to")
        if active and (first is None or (last is not None and last < first)):
            raise MalformedCatalog("notices.effective_from")
        if active and not scope.get("regions"):
            raise MalformedCatalog("notices.scope.regions")
        return cls(
            notice_id=_text(plain, "notice_id"),
            title=_text(plain, "title"),
            active=active,
            first=first,
            last=last,
            regions=tuple(scope.get("regions") or ()),
            places=tuple(scope.get("places") or ()),
            items=None if items in (None, "all") else frozenset(items),
            measures=tuple(map(Measure.from_plain, plain.get("measures") or ())),
            supersedes=_ids(plain.get("supersedes")),
            superseded_by=_ids(plain.get("superseded_by")),
            issued_on=_day(plain, "issued_on"),
            raw=plain,
        )

    def concerns(self, item_id: str, region: str) -> bool:
        """Whether this item, filed in this region, lies in its scope."""
        return (self.items is None or item_id in self.items) and any(region_covers(one, region) for one in self.regions)

    def reaches(self, region: str) -> bool:
        """Whether it holds in this region or in a part of it."""
        return any(region_covers(one, region) or region_covers(region, one) for one in self.regions)

    def measure(self, code: str) -> tuple[Measure, ...]:
        """Its measures of that kind."""
        return tuple(one for one in self.measures if one.code == code)

    def covers(self, other: Notice) -> bool:
        """Whether the whole scope of the other lies in its own."""
        every_item = self.items is None or (other.items is not None and other.items <= self.items)
        return every_item and all(any(region_covers(one, it) for one in self.regions) for it in other.regions)

    def ends(self, other: Notice) -> date | None:
        """The day on which it takes the place of the other, if it does."""
        if self.notice_id in other.superseded_by or other.notice_id in self.supersedes:
            return self.first
        resumed = [one.first or self.first for one in self.measure(WINDOW_RESUMED)]
        everywhere = not self.places or (bool(other.places) and set(other.places) <= set(self.places))
        days = [day for day in resumed if day is not None and other.first is not None and other.first < day]
        return min(days) if days and everywhere and other.measure(WINDOW_SUSPENDED) else None


@dataclass(frozen=True, slots=True)
class InForce:
    """A notice with the days on which it really holds; `last` None means that its end is not known."""

    notice: Notice
    first: date
    last: date | None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def days_of(self, measure: Measure) -> tuple[date, date | None]:
        """From when to when a measure of it holds."""
        ends = [day for day in (measure.last, self.last) if day is not None]
        return max(measure.first or self.first, self.first), min(ends) if ends else None

    def shuts(self, day: date, place: str) -> bool:
        """Whether the window of this station is shut on that day."""
        return any(
            _within(day, *self.days_of(one)) and (not (shut := _places(one, self.notice)) or place in shut)
            for one in self.notice.measure(WINDOW_SUSPENDED)
        )

    def standstills(self, today: date) -> tuple[Standstill, ...]:
        """What it does to limits, as far as is known today."""
        said = self.notice.measure(DEADLINE_POLICY)
        silent = () if said else self.notice.measure(WINDOW_SUSPENDED)
        found = []
        for one in (*said, *silent):
            effect = one.effect if one.code == DEADLINE_POLICY else Effect.UNKNOWN
            first, last = self.days_of(one)
            if effect is Effect.NO_SHIFT or (last is not None and last < first):
                continue
            stands = effect is Effect.SHIFT
            found.append(
                Standstill(
                    self.notice.notice_id,
                    DaySpan(first, today if last is None else last),
                    one.clocks if stands else frozenset(CLOCKS),
                    one.units if stands else frozenset(LIMIT_UNITS),
                    stands=stands,
                    open_ended=last is None,
                )
            )
        return tuple(found)

    @property
    def effect(self) -> Effect | None:
        """What it does to limits in one word; None where it does not touch them."""
        said = {one.effect for one in self.notice.measure(DEADLINE_POLICY)}
        if not said and self.notice.measure(WINDOW_SUSPENDED):
            return Effect.UNKNOWN
        return next((one for one in (Effect.SHIFT, Effect.UNKNOWN, Effect.NO_SHIFT) if one in said), None)


@dataclass(frozen=True, slots=True)
class Notices:
    """All notices of a catalog, with the words for their measures."""

    listed: tuple[Notice, ...] = ()
    vocabulary: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Notices:
        """Read `notices.json`."""
        try:
            words = {str(one["code"]): str(one["name"]) for one in plain.get("measure_vocabulary") or ()}
            return cls(tuple(map(Notice.from_plain, plain.get("notices") or ())), words)
        except (AttributeError, KeyError, TypeError) as problem:
            raise MalformedCatalog("notices") from problem

    def for_item(self, item_id: str, region: str) -> tuple[InForce, ...]:
        """The notices for this item in this region, whenever they hold; the earliest first."""
        return _holding([one for one in self.listed if one.active and one.concerns(item_id, region)], whole=False)

    def in_force(self, item_id: str, region: str, day: date) -> tuple[InForce, ...]:
        """Those that hold on that day."""
        return tuple(one for one in self.for_item(item_id, region) if day in one)

    def reaching(self, region: str, day: date) -> tuple[InForce, ...]:
        """Those that hold on that day for some item in this region or a part of it."""
        here = [one for one in self.listed if one.active and one.reaches(region)]
        return tuple(one for one in _holding(here, whole=True) if day in one)

    def standstills(self, item_id: str, region: str, today: date) -> tuple[Standstill, ...]:
        """What they do to the limits of this item in this region."""
        return tuple(still for one in self.for_item(item_id, region) for still in one.standstills(today))

    def title(self, notice_id: str) -> str:
        """What a notice is called."""
        return next((one.title for one in self.listed if one.notice_id == notice_id), notice_id)


def _holding(concerned: list[Notice], *, whole: bool) -> tuple[InForce, ...]:
    """Each with the days that the others leave it; where they need not lie in one place (`whole`), only a notice whose
    scope covers the other's ends it."""
    found = []
    for one in concerned:
        others = [other for other in concerned if other is not one and (not whole or other.covers(one))]
        ended = [day - ONE_DAY for other in others if (day := other.ends(one)) is not None]
        ends = [day for day in (one.last, *ended) if day is not None]
        last = min(ends) if ends else None
        if one.first is not None and (last is None or last >= one.first):
            found.append(InForce(one, one.first, last))
    return tuple(sorted(found, key=lambda it: (it.first, it.notice.notice_id)))


def _places(measure: Measure, notice: Notice) -> tuple[str, ...]:
    named = measure.params.get("place")
    return (str(named),) if named else notice.places


def _within(day: date, first: date, last: date | None) -> bool:
    return first <= day and (last is None or day <= last)


def _text(plain: Mapping[str, Any], key: str) -> str:
    value = plain.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedCatalog(f"notices.{key}")
    return value


def _day(plain: Mapping[str, Any], key: str) -> date | None:
    value = plain.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedCatalog(f"notices.{key}") from None


def _ids(value: object) -> frozenset[str]:
    """One id or a list of them."""
    if value is None:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else value if isinstance(value, Iterable) else ())


def _named(value: object, known: tuple[_Choice, ...]) -> frozenset[_Choice]:
    return frozenset(one for one in known if isinstance(value, list) and one in value)
