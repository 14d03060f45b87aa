"""What a browser posts to the page: a plain form, read by us, bounded, and never written to disk.

Laws
- Only `application/x-www-form-urlencoded` in UTF-8; there is no upload on this page.
- A body that has not arrived whole after `BODY_DEADLINE_SECONDS` is refused and its connection closed, so that slow
  connections do not keep the page from everybody else.
- At most `BODY_MAX_BYTES` and `FIELDS_MAX` fields; what is larger is refused before it is parsed.
- Values keep their order and their spaces; control characters other than line breaks are dropped on reading a text.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

BODY_MAX_BYTES: Final = 256 * 1024
FIELDS_MAX: Final = 600
BODY_DEADLINE_SECONDS: Final = 20.0
FORM_TYPE: Final = "application/x-www-form-urlencoded"
OWN_FIELDS: Final = frozenset({"csrf", "step", "next"})
"""Fields of the page itself; they are never part of what a clerk typed."""


class FormRefused(Exception):
    """The posted body is not a form of this page."""

    def __init__(self, status: int, key: str) -> None:
        self.status = status
        self.key = key
        super().__init__(key)


@dataclass(frozen=True, slots=True)
class Posted:
    """The fields of one posted form, in their order."""

    fields: tuple[tuple[str, str], ...]

    def text(self, name: str) -> str:
        """One value, without surrounding space; empty when it was not sent."""
        for key, value in self.fields:
            if key == name:
                return clean(value)
        return ""

    def raw(self, name: str) -> str:
        """One value exactly as sent: passphrases are not trimmed."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a repeated field."""
        return tuple(value for key, value in self.fields if key == name)

    def typed(self) -> tuple[tuple[str, str], ...]:
        """What the clerk filled in, without the page's own fields."""
        return tuple(
            (key, value) for key, value in self.fields if key not in OWN_FIELDS and not key.startswith("kept.")
        )

    def kept(self) -> tuple[tuple[str, str], ...]:
        """What was filled in before the session ended, carried through the signing in."""
        return tuple((key.removeprefix("kept."), value) for key, value in self.fields if key.startswith("kept."))


def clean(text: str) -> str:
    """A text as it is taken: one kind of line break, no control characters, no space around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in lines if sign in "\n\t" or (sign.isprintable() or sign == "　")).strip()


async def _body(request: Request) -> bytearray:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise FormRefused(413, "page.refused.too_large")
    return body


async def posted_form(request: Request) -> Posted:
    """Read the form of a POST; the result also stays with the request, for the answer to a locked session."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(BODY_DEADLINE_SECONDS):
            body = await _body(request)
    except TimeoutError:
        raise FormRefused(408, "page.refused.slow") from None
    if body and kind != FORM_TYPE:
        raise FormRefused(415, "page.refused.unreadable")
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise FormRefused(400, "page.refused.unreadable") from None
    posted = Posted(tuple(fields))
    request.state.posted = posted
    return posted
