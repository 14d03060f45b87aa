"""In which language this request is answered.

Laws
- Chinese unless English is asked for. The counter's screen asks by `Accept-Language`, which its own program sends.
- The page goes by what the clerk chose, kept in a cookie: the `Accept-Language` of a browser is its maker's choice.
- What lies in the catalog and what is printed for a citizen stays Chinese whatever is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from edge_node.wording import LANGUAGE, LANGUAGES, SPEAKING

COOKIE: Final = "language"
ENGLISH: Final = "en"


class ByHeader:
    """Answers in the language that `Accept-Language` prefers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application in that language."""
        with speaking(preferred(_header(scope, b"accept-language"))):
            await self._app(scope, receive, send)


class ByChoice:
    """Answers in the language that the clerk chose on the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application in that language."""
        with speaking(_chosen(_header(scope, b"cookie"))):
            await self._app(scope, receive, send)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Every sentence within is in this language."""
    token = SPEAKING.set(language if language in LANGUAGES else LANGUAGE)
    try:
        yield
    finally:
        SPEAKING.reset(token)


def preferred(accepted: str) -> str:
    """The language of the first name in the list that is spoken here.

    >>> preferred("en-GB,zh;q=0.5"), preferred("zh-CN"), preferred("fr, en;q=0.1"), preferred("")
    ('en', 'zh_CN', 'en', 'zh_CN')
    """
    for part in accepted.split(","):
        name = part.partition(";")[0].strip().lower()
        if name.startswith("zh"):
            return LANGUAGE
        if name.startswith(ENGLISH):
            return ENGLISH
    return LANGUAGE


def _chosen(cookies: str) -> str:
    try:
        kept = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return LANGUAGE
    return kept.value if kept is not None else LANGUAGE


def _header(scope: Scope, name: bytes) -> str:
    if scope["type"] != "http":
        return ""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
