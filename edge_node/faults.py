"""The one table from refusal to HTTP answer.

Laws
- Every refusal has one shape: `{"error": {"code", "message", "params", "fields"}}`, the sentence from `wording`.
- What a person typed is never echoed into an answer's parameters nor into a log: logs carry the class and the place.
- A failure of ours is a 500 with a calm sentence; the traceback's last place is logged, its message is not.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.errors import CaseworkError, NotYourDuty
from edge_node.counter import errors as refusals
from edge_node.counter.counter import MIB, Counter
from edge_node.counter.picture import SCAN_MAX_BYTES
from edge_node.wording import known, sentence
from offline_store import errors as store
from wire.errors import WireError
from wire.waiting import Alarm

log = logging.getLogger("edge_node")

T = TypeVar("T")

NO_STORE = {"Cache-Control": "no-store"}

STATUS: Mapping[type[Exception], int] = {
    refusals.NobodySignedIn: 401,
    refusals.CounterLocked: 401,
    refusals.NodeLocked: 503,
    refusals.WrongPassphrase: 401,
    refusals.LockedOut: 429,
    refusals.NotInvited: 401,
    refusals.NoSuchClerk: 404,
    refusals.PassphraseTooShort: 422,
    refusals.AnswerMistyped: 422,
    refusals.AnswerIncomplete: 422,
    refusals.ChallengeForAnswer: 422,
    refusals.AnswerRefused: 403,
    refusals.RecoveryExhausted: 429,
    NotYourDuty: 403,
    refusals.UnknownItem: 404,
    refusals.UnknownForm: 404,
    refusals.UnknownDraft: 404,
    refusals.UnknownApplication: 404,
    refusals.UnknownScan: 404,
    refusals.ScanNotHere: 404,
    refusals.ScanTooLarge: 413,
    refusals.ScanHasTooManyPixels: 413,
    refusals.ScanOfUnknownType: 415,
    refusals.DiskReserveReached: 507,
    refusals.NoCatalog: 503,
    refusals.Stopped: 503,
    refusals.ActRefused: 409,
    CaseworkError: 409,
    store.DeskBusy: 503,
    store.DeskFull: 507,
    store.DiskFull: 507,
    store.CatalogMissing: 503,
    store.Unknown: 404,
    store.NotAHash: 404,
    store.StoreError: 500,
    WireError: 500,
}
"""The nearest class in a refusal's ancestry decides."""

CODES: Mapping[type[Exception], str] = {
    store.DeskBusy: "busy",
    store.DeskFull: "disk.full",
    store.DiskFull: "disk.full",
    store.CatalogMissing: "catalog.none",
    store.Unknown: "not_found",
    store.NotAHash: "scan.unknown",
    store.StoreError: "internal",
    WireError: "internal",
}
"""Codes of rooms below, where the person at the counter needs another word than the store."""

HTTP_413 = 413
HTTP_CODES = {404: "not_found", 405: "method_not_allowed", HTTP_413: "request.too_large"}


def fault_of(failure: Exception) -> tuple[int, dict[str, Any]]:
    """Status and error of a refusal, for the API and for the page alike."""
    status = _nearest(STATUS, failure, 500)
    code = str(_nearest(CODES, failure, getattr(failure, "code", "internal")))
    return status, error_of(code, params_of(failure))


def error_of(code: str, params: Mapping[str, Any] | None = None, fields: Iterable[Any] = ()) -> dict[str, Any]:
    """The one shape of an error."""
    key = f"error.{code}"
    message = sentence(key if known(key) else "error.refused", params)
    return {"code": code, "message": message, "params": dict(params or {}), "fields": list(fields)}


def params_of(failure: Exception) -> dict[str, Any]:
    """The typed fields of a refusal as plain data."""
    params = getattr(failure, "params", None)
    if callable(params):
        params = params()
    if not isinstance(params, Mapping):
        params = {name: value for name, value in vars(failure).items() if not name.startswith("_")}
    return {str(name): _plain(value) for name, value in params.items() if name != "fields"}


def _plain(value: object) -> Any:  # noqa: ANN401 - it is JSON
    if isinstance(value, (str, int, float, bool)) or value is None:
        return str(value) if isinstance(value, str) else value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    return str(value)


def _nearest(table: Mapping[type[Exception], T], failure: Exception, default: T) -> T:
    for ancestor in type(failure).__mro__:
        if ancestor in table:
            return table[ancestor]
    return default


def take_note(counter: Counter, failure: Exception) -> None:
    """What a failure means for the program: a disk that refuses ends it, a full one is told until there is room."""
    if isinstance(failure, store.DISK_REFUSES):
        counter.stop()
    elif isinstance(failure, store.NO_ROOM):
        counter.alarms.put(Alarm.DISK_FULL)


async def refused(request: Request, failure: Exception) -> Response:
    """Answer a refusal."""
    status, error = fault_of(failure)
    take_note(request.app.state.counter, failure)
    if status >= 500 and not isinstance(failure, refusals.ActRefused):
        log.error("failed code=%s at=%s", getattr(failure, "code", type(failure).__name__), _place(failure))
    headers = dict(NO_STORE)
    if isinstance(failure, refusals.ActRefused) and status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "2"
    fields = getattr(failure, "params", {}).get("fields", ()) if isinstance(failure, refusals.ActRefused) else ()
    return JSONResponse({"error": {**error, "fields": list(fields)}}, status, headers)


async def invalid(_request: Request, failure: Exception) -> Response:
    """Answer a request whose shape is wrong: places and kinds, never the values."""
    problems = failure.errors() if isinstance(failure, RequestValidationError) else []
    where = [".".join(str(part) for part in problem.get("loc", ())) for problem in problems]
    return JSONResponse({"error": error_of("request.invalid", {"where": where})}, 422, NO_STORE)


async def http_fault(_request: Request, failure: Exception) -> Response:
    """Answer what the framework itself refuses."""
    status = failure.status_code if isinstance(failure, HTTPException) else 500
    code = HTTP_CODES.get(status, "request.invalid" if status < 500 else "internal")
    return JSONResponse({"error": error_of(code)}, status, NO_STORE)


def install(app: FastAPI) -> None:
    """Let `app` answer every refusal by this table."""
    for family in (refusals.ActRefused, CaseworkError, store.StoreError, WireError):
        app.add_exception_handler(family, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_fault)


class LastResort:
    """The outermost layer: a defect becomes a calm 500, a body that is too large the same shape as every refusal.

    Of a defect only its class and place reach the log. The limiter of the framework answers in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and answer for it where it cannot."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = replaced = False

        async def watched(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start" and _is_plain_413(message):
                replaced = True
                await _too_large(scope["path"])(scope, receive, send)
            started = True
            if not replaced:
                await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:  # noqa: BLE001 - the last resort must catch all
            log.error("defect class=%s at=%s", type(failure).__name__, _place(failure))  # noqa: TRY400 - no message
            if not started:
                await _answer(500, "internal")(scope, receive, send)


def _answer(status: int, code: str, params: Mapping[str, Any] | None = None) -> JSONResponse:
    return JSONResponse({"error": error_of(code, params)}, status, NO_STORE)


def _too_large(path: str) -> JSONResponse:
    if path.endswith("/scans"):
        return _answer(HTTP_413, refusals.ScanTooLarge.code, {"max_mib": SCAN_MAX_BYTES // MIB})
    return _answer(HTTP_413, "request.too_large")


def _is_plain_413(message: Message) -> bool:
    kinds = [value for name, value in message.get("headers", ()) if name == b"content-type"]
    return message["status"] == HTTP_413 and any(kind.startswith(b"text/plain") for kind in kinds)


def _place(failure: BaseException) -> str:
    frames = traceback.extract_tb(failure.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
