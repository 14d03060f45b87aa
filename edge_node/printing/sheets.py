"""What a workbook shall hold: sheets, their columns, and values that a spreadsheet does not take for something else.

Laws
- A text is a text: none begins with a sign that makes a spreadsheet compute, whatever was typed into a form.
- A day is a day of the spreadsheet, a number a number; what is unknown is an empty cell or a word, never 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEXT_MAX: Final = 32_767
COMPUTES: Final = ("=", "+", "-", "@")
_ERRORS_BEGIN_WITH: Final = "#"

Value = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Share:
    """A number that is shown in percent."""

    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and its width in characters of a Latin letter."""

    heading: str
    width: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; its rows are asked for when their turn has come, so later ones may say what was seen in earlier."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Value | Share]]
    filtered: int = 0
    """How many rows there will be, where readers shall be able to filter them."""


def guarded(text: str) -> str:
    """A text that no spreadsheet computes: not from this file, nor after it was saved as another kind.

    >>> guarded("=1+1"), guarded(" @SUM(1)"), guarded("＝1"), guarded("张测试")
    ("'=1+1", "' @SUM(1)", "'＝1", '张测试')
    """
    plain = "".join(sign if sign.isprintable() or sign == "　" else " " for sign in text)[: TEXT_MAX - 1]
    first = unicodedata.normalize("NFKC", plain.lstrip())[:1]
    return f"'{plain}" if first and first in (*COMPUTES, _ERRORS_BEGIN_WITH) else plain
