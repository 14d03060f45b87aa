"""How moments, days, limits and sizes are written for a person: in the city's time, the unknown as unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from casework.catalog import LIMIT_UNITS, Limit
from casework.working_days import CITY_TIME
from edge_node.wording import sentence
from wire.counter import LimitView

_KIB: Final = 1024


def in_city(moment: datetime) -> datetime:
    """A moment in the city's time; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(CITY_TIME)


def when(moment: datetime | None) -> str:
    """A moment to the minute, or that it is unknown.

    >>> when(datetime(2026, 11, 23, 1, 5, tzinfo=UTC))
    '2026-11-23 09:05'
    """
    return in_city(moment).strftime("%Y-%m-%d %H:%M") if moment else sentence("page.unknown")


def clock_time(moment: datetime) -> str:
    """The time of day.

    >>> clock_time(datetime(2026, 11, 23, 1, 5, tzinfo=UTC))
    '09:05'
    """
    return in_city(moment).strftime("%H:%M")


def days_words(days: int, unit: str | None) -> str:
    """A count of days in the unit of its limit."""
    named = unit if unit in {"working_day", "calendar_day"} else "day"
    return sentence("page.notice.days", {"days": days, "unit": sentence(f"page.light.unit.{named}")})


def legal_day(day: date | datetime | None) -> str:
    """A day as a legal paper writes it, or that it is unknown.

    >>> legal_day(date(2026, 11, 3))
    '2026年11月3日'
    """
    if day is None:
        return sentence("page.unknown")
    plain = in_city(day) if isinstance(day, datetime) else day
    return f"{plain.year}年{plain.month}月{plain.day}日"


def limit_words(limit: Limit | None) -> str:
    """A time limit of the guide; none named means unknown, never none."""
    if limit is None:
        return sentence("page.limit.unknown")
    return sentence(f"page.limit.{limit.unit}", {"value": limit.value})


def limit_view_words(limit: LimitView | None) -> str:
    """The same for a limit as lists carry it."""
    if limit is None or (limit.value is None and limit.unit != "immediate") or limit.unit not in LIMIT_UNITS:
        return sentence("page.limit.unknown")
    return sentence(f"page.limit.{limit.unit}", {"value": limit.value})


def size(count: int) -> str:
    """A number of bytes in a unit a person reads.

    >>> size(512), size(20480), size(5 * 1024 * 1024)
    ('512 B', '20 KiB', '5.0 MiB')
    """
    if count < _KIB:
        return f"{count} B"
    return f"{count // _KIB} KiB" if count < _KIB * _KIB else f"{count / _KIB / _KIB:.1f} MiB"
