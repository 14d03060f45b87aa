"""A month of the city's calendar, as reports and figures are asked for."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_WRITTEN: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """One month.

    >>> Month(2026, 2).last
    datetime.date(2026, 2, 28)
    """

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


def month_of(text: str) -> Month | None:
    """Read `YYYY-MM`.

    >>> str(month_of("2026-11")), month_of("2026-13"), month_of("")
    ('2026-11', None, None)
    """
    written = _WRITTEN.fullmatch(text)
    return Month(int(written[1]), int(written[2])) if written else None
