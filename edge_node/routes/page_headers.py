"""The headers of every answer of the page.

Laws
- Nothing inline, nothing from elsewhere, nothing framed: a text that slipped through escaping still cannot run.
- Nothing of an application stays in the browser's cache; only the page's own assets may be, and are asked for again.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SCAN_POLICY: Final = "default-src 'none'; img-src 'self'; frame-ancestors 'none'; sandbox"
"""For the bytes of a picture: should a browser take them for a page, it is an empty one."""
PDF_POLICY: Final = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class PageHeaders:
    """Adds the page's headers to whatever the application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_asset = str(scope["path"]).startswith("/static/")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", POLICY)
                headers["Cache-Control"] = "no-cache" if is_asset else "no-store"
                if "server" in headers:
                    del headers["server"]
            await send(message)

        await self._app(scope, receive, dressed)
