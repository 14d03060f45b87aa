"""The one table from error to HTTP answer: for a node a document signed by the gateway, for a clerk a page.

Laws: only a signed refusal means anything to a node, so every refusal is signed and carries the nonce of the
question and the server's time; nothing that went wrong inside is described to the outside; no personal data in any
of it.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from city_gateway.acts.gateway import Gateway
from city_gateway.errors import Busy, GatewayError
from city_gateway.wording import say
from wire.errors import ChainBroken, Malformed, RequestRefused, Untrusted, WireError
from wire.messages import Refusal, sign_refusal

LOG = logging.getLogger("city_gateway")
STATUS_OF_WIRE: tuple[tuple[type[WireError], int], ...] = (
    (RequestRefused, HTTPStatus.UNAUTHORIZED),
    (Malformed, HTTPStatus.BAD_REQUEST),
    (Untrusted, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ChainBroken, HTTPStatus.CONFLICT),
)
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
OFFICE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
INTERNAL = "gateway.internal"
_KEY_ID, _NONCE = re.compile(r';keyid="([0-9a-f]{32})"'), re.compile(r';nonce="([0-9a-f]{32})"')


def install(app: FastAPI) -> None:
    """Answer every error by this table."""

    async def gateway_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, GatewayError):
            raise TypeError("registered for GatewayError")
        retry_after = error.retry_after if isinstance(error, Busy) else None
        return answer(request, error.status, error.code, retry_after)

    async def wire_error(request: Request, error: Exception) -> Response:
        status = next((status for kind, status in STATUS_OF_WIRE if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
        return answer(request, status, getattr(error, "code", INTERNAL))

    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        return answer(request, status, f"http.{status}")

    async def malformed(request: Request, _error: Exception) -> Response:
        return answer(request, HTTPStatus.BAD_REQUEST, "http.400")

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)  # heard by nobody: the line broke in the question

    async def unforeseen(request: Request, error: Exception) -> Response:
        LOG.error("unforeseen", extra={"error": type(error).__name__, "path": request.url.path})
        return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL)

    app.add_exception_handler(GatewayError, gateway_error)
    app.add_exception_handler(WireError, wire_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unforeseen)


def answer(request: Request, status: int, code: str, retry_after: int | None = None) -> Response:
    """The refusal as this door speaks it."""
    headers = {"cache-control": "no-store"} | ({"retry-after": str(retry_after)} if retry_after else {})
    if request.url.path.startswith("/office"):
        return office_page(request, status, code, headers)
    gateway: Gateway = request.app.state.gateway
    node, nonce = _asked_by(request)
    refusal = Refusal(
        code=code,
        message=say(f"error.{code}"),
        node=node,
        nonce=nonce,
        server_time=gateway.clock(),
        retry_after=retry_after,
    )
    return JSONResponse(sign_refusal(refusal, gateway.keys.signing), status, headers)


def office_page(request: Request, status: int, code: str, headers: dict[str, str]) -> Response:
    """The refusal as a page; without a session it leads to the sign-in."""
    headers = OFFICE_HEADERS | headers
    if code == "office.signed_out":
        return HTMLResponse("", HTTPStatus.SEE_OTHER, headers | {"location": "/office/sign-in"})
    template = request.app.state.templates.get_template("error.html")
    words = {"sentence": say(f"error.{code}"), "title": say("error.title")}
    page = template.render(**words, clerk=None, administers=False, shown="error", form_secret="")
    return HTMLResponse(page, status, headers)


def _asked_by(request: Request) -> tuple[str | None, str | None]:
    """Whom the refusal is for: what the question said of itself; proves nothing and needs to prove nothing."""
    asked: tuple[str, str] | None = getattr(request.state, "asked", None)
    if asked is not None:
        return asked
    said = request.headers.get("signature-input", "")
    node, nonce = _KEY_ID.search(said), _NONCE.search(said)
    return (node[1] if node else None), (nonce[1] if nonce else None)
