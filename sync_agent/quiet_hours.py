"""Hours of the day in which scans rest, by the city's time.

Laws: a span may pass midnight; spans that touch are one; spans that leave no minute of the day free are refused, for
they would hold scans for ever.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TypeAlias

from casework.working_days import CITY_TIME

DAY_MINUTES = 24 * 60
QuietHours: TypeAlias = tuple[tuple[int, int], ...]
"""Spans as minutes of the day, from the first up to and without the last; the first may be larger: past midnight."""

_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–—至到]\s*([01]?\d|2[0-4]):([0-5]\d)")


def read_quiet_hours(said: object) -> QuietHours:
    """Spans as they are written: a list, or one line with commas.

    >>> read_quiet_hours(["08:00-12:00", "14:00-18:30"])
    ((480, 720), (840, 1110))
    >>> read_quiet_hours("22:00-06:00")
    ((1320, 360),)
    """
    written = re.split(r"[,，、;；]", said) if isinstance(said, str) else said
    if not isinstance(written, list):
        raise TypeError(said)
    spans = tuple(_span(one) for one in written if not (isinstance(one, str) and not one.strip()))
    if spans and all(_quiet(minute, spans) for minute in range(DAY_MINUTES)):
        raise ValueError(said)
    return spans


def quiet_until(now: datetime, spans: QuietHours) -> datetime | None:
    """When the quiet that holds at `now` ends; None when it does not hold.

    >>> from datetime import UTC
    >>> quiet_until(datetime(2026, 11, 25, 1, 0, tzinfo=UTC), ((480, 1320),)).isoformat()
    '2026-11-25T22:00:00+08:00'
    """
    here = now.astimezone(CITY_TIME).replace(second=0, microsecond=0)
    minute = here.hour * 60 + here.minute
    if not _quiet(minute, spans):
        return None
    ahead = next(n for n in range(1, DAY_MINUTES + 1) if not _quiet((minute + n) % DAY_MINUTES, spans))
    return here + timedelta(minutes=ahead)


def _quiet(minute: int, spans: QuietHours) -> bool:
    return any(first <= minute < last if first < last else (minute >= first or minute < last) for first, last in spans)


def _span(text: object) -> tuple[int, int]:
    found = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(text)
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if first >= DAY_MINUTES or last > DAY_MINUTES or first == last:
        raise ValueError(text)
    return first, last
