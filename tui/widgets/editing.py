"""What an editor of a field says to the screen around it, and how a typed value becomes the form's value.

Laws: an editor says `Edited` on every change, `Left` when the focus goes, `Done` when the person is finished with
it, `Cleared` when one key emptied it, and `Wanted` when another screen must be opened to fill it. What cannot be
understood is passed on as typed.
"""

import re
import unicodedata

from textual.message import Message

COMPACT_DATE = re.compile(r"(\d{4})[./年-]?(\d{1,2})[./月-]?(\d{1,2})日?")


class Edited(Message):
    """A field has another value now."""

    def __init__(self, field_id: str, value: object) -> None:
        super().__init__()
        self.field_id = field_id
        self.value = value


class Left(Message):
    """The focus left a field: now it is checked."""

    def __init__(self, field_id: str) -> None:
        super().__init__()
        self.field_id = field_id


class Cleared(Message):
    """A choice was emptied by one key, or `back` by the same key again."""

    def __init__(self, *, back: bool) -> None:
        super().__init__()
        self.back = back


LEAVING_KEYS = {"enter": 1, "tab": 1, "down": 1, "shift+tab": -1, "up": -1}


class Done(Message):
    """The person is finished with a field and wants the next one, or the one before."""

    def __init__(self, field_id: str, key: str = "enter") -> None:
        super().__init__()
        self.field_id = field_id
        self.by = LEAVING_KEYS[key]
        self.entered = key == "enter"


class Wanted(Message):
    """A field needs another screen: a region list, a folder of scans, a row of a table."""

    def __init__(self, field_id: str, kind: str, *, row: int | None = None) -> None:
        super().__init__()
        self.field_id = field_id
        self.kind = kind
        self.row = row


def value_of(kind: str, typed: str) -> str | None:
    """The form's value for what was typed: plain digits, dates as ISO dates, an empty text as nothing.

    A number stays the digits that were typed (the form's rules read them), so that 12.50 is not turned into 12.5.

    >>> value_of("number", "３00.50"), value_of("date", "2026.2.3"), value_of("text", " "), value_of("date", "春节")
    ('300.50', '2026-02-03', None, '春节')
    """
    text = typed.strip()
    if not text:
        return None
    if kind not in {"number", "date"}:
        return text
    text = unicodedata.normalize("NFKC", text)
    if kind == "number":
        return text
    match = COMPACT_DATE.fullmatch(text)
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}" if match else text


def typed_of(value: object) -> str:
    """What an editor shows for a value."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
