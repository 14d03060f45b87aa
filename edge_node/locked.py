"""The node between its start and the first sign-in, where a site chose that a clerk unlocks it: two doors that know
nothing but how to be unlocked.

Laws
- Nothing of the desk can be read before a clerk's passphrase opened it; the courier carries sealed mail meanwhile.
- Signing in unlocks: the same request then goes on to the counter that was opened, which checks the passphrase again,
  counts, and writes its journal. From then on everything goes straight through.
- Guesses are counted here, too, and wait as they do at the counter; this count lasts as long as the process.
- What does not open is answered like a wrong passphrase: whose slot is there is nobody's business.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_node.counter.counter import Counter
from edge_node.counter.errors import ActRefused, LockedOut, NodeLocked, WrongPassphrase
from edge_node.faults import NO_STORE, error_of, fault_of
from edge_node.routes.page_body import BODY_MAX_BYTES as FORM_MAX_BYTES
from edge_node.routes.page_body import FormRefused, Posted, posted_form
from edge_node.routes.page_refusals import FROM_HTMX, HOME, SEE_OTHER, here, sign_in_page
from edge_node.routes.page_session import (
    DOOR_COOKIE,
    SESSION_COOKIE,
    ForgedForm,
    check_form_token,
    refuse_other_sites,
)
from edge_node.wording import sentence
from offline_store.desk.clerks import wait_after
from offline_store.desk.keyring import ByClerk
from offline_store.errors import SlotRefused, StoreError
from wire.counter import SignIn

STATIC: Final = Path(__file__).parent / "static"
BODY_MAX_BYTES: Final = 64 * 1024
SIGN_IN: Final = "/sign-in"
ASSETS: Final = "/static/"


class Lock:
    """What is shut until a clerk opens it; then the counter."""

    def __init__(
        self,
        open_: Callable[[ByClerk], Counter],
        *,
        monotonic: Callable[[], float],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._open = open_
        self._monotonic = monotonic
        self.randomness = randomness
        self._one = asyncio.Lock()
        self._failures = 0
        self._wait_until = 0.0
        self.counter: Counter | None = None
        self.opened = asyncio.Event()

    async def unlock(self, who: ByClerk) -> None:
        """Open the counter with a clerk's slot; WrongPassphrase or LockedOut when it does not open."""
        async with self._one:
            if self.counter is not None:
                return
            left = self._wait_until - self._monotonic()
            if left > 0:
                raise LockedOut(wait_minutes=max(1, -(-int(left) // 60)), until="")
            before = self._failures, self._wait_until
            self._failures += 1
            self._wait_until = self._monotonic() + wait_after(self._failures).total_seconds()
            try:
                self.counter = await asyncio.to_thread(self._open, who)
            except SlotRefused:
                raise WrongPassphrase from None
            except StoreError:  # the disk, not the guess
                self._failures, self._wait_until = before
                raise
            self._failures, self._wait_until = 0, 0.0
            self.opened.set()


class _Door(ABC):
    """One application that is locked, and the one behind it."""

    def __init__(self, lock: Lock, behind: Callable[[Counter], ASGIApp]) -> None:
        self._lock = lock
        self._behind = behind
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the locked node, or let through."""
        if scope["type"] != "http":
            return
        said = b""
        if self._lock.counter is None:
            request = Request(scope, receive)
            try:
                said = await self._knocked(request)
            except _Answered as answered:
                await answered.response(scope, receive, send)
                return
        await self._through()(scope, _again(said, receive) if said else receive, send)

    @abstractmethod
    async def _knocked(self, request: Request) -> bytes:
        """The body of a sign-in that unlocked; everything else is answered."""

    def _through(self) -> ASGIApp:
        counter = self._lock.counter
        if self._app is None and counter is not None:
            self._app = self._behind(counter)
        if self._app is None:
            raise RuntimeError("let through before it was unlocked")
        return self._app


class _Answered(Exception):
    """The request has its answer here."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class LockedCounter(_Door):
    """The counter socket of a locked node."""

    async def _knocked(self, request: Request) -> bytes:
        if (request.method, request.url.path) != ("POST", f"/counter{SIGN_IN}"):
            raise _Answered(_refusal(NodeLocked()))
        body = await _bounded(request, BODY_MAX_BYTES)
        try:
            asked = SignIn.model_validate_json(body)
        except ValidationError:
            raise _Answered(JSONResponse({"error": error_of("request.invalid")}, 422, NO_STORE)) from None
        try:
            await self._lock.unlock(ByClerk(asked.clerk, asked.passphrase))
        except (ActRefused, StoreError) as refused:
            raise _Answered(_refusal(refused)) from None
        return body


class LockedPage(_Door):
    """The township page of a locked node."""

    def __init__(self, lock: Lock, behind: Callable[[Counter], ASGIApp]) -> None:
        super().__init__(lock, behind)
        self._static = StaticFiles(directory=STATIC)

    async def _knocked(self, request: Request) -> bytes:
        path = request.url.path
        if path.startswith(ASSETS):
            raise _Answered(await self._asset(request, path.removeprefix(ASSETS)))
        if path.startswith("/relay"):
            raise _Answered(_refusal(NodeLocked()))
        if path == SIGN_IN and request.method != "POST":
            raise _Answered(self._sign_in(request, following=request.query_params.get("next", HOME)))
        if FROM_HTMX in request.headers:
            raise _Answered(Response(status_code=204))  # a form that is being filled in stays where it is
        if request.method != "POST":
            raise _Answered(RedirectResponse(f"{SIGN_IN}?next={quote(here(request), safe='')}", SEE_OTHER))
        body = await _bounded(request, FORM_MAX_BYTES)
        form = await self._form(Request(request.scope, _again(body, request.receive)))
        if path != SIGN_IN:  # typed before the machine was started anew: it is carried through the signing in
            raise _Answered(self._sign_in(request, following=path, kept=form.typed(), status=401))
        try:
            await self._lock.unlock(ByClerk(form.text("clerk"), form.raw("passphrase")))
        except (ActRefused, StoreError) as refused:
            status, error = fault_of(refused)
            told = {"clerk": form.text("clerk"), "wrong": str(error["message"])}
            again = self._sign_in(request, following=form.text("next"), kept=form.kept(), status=status, **told)
            raise _Answered(again) from None
        return body

    async def _asset(self, request: Request, name: str) -> Response:
        try:
            return await self._static.get_response(name, request.scope)
        except HTTPException as absent:
            return Response(status_code=absent.status_code)

    async def _form(self, request: Request) -> Posted:
        """What was posted, by the browser's own page: that of the door, or of a session before the start."""
        cookie = DOOR_COOKIE if request.url.path == SIGN_IN else SESSION_COOKIE
        try:
            refuse_other_sites(request)
            form = await posted_form(request)
            check_form_token(request.cookies.get(cookie), form.text("csrf"))
        except (FormRefused, ForgedForm):
            again = self._sign_in(request, wrong=sentence("page.sign_in.again"), status=403)
            raise _Answered(again) from None
        return form

    def _sign_in(self, request: Request, *, following: str = HOME, **shown: Any) -> Response:  # noqa: ANN401
        return sign_in_page(request, self._lock.randomness, following=following, locked=True, **shown)


def _refusal(refused: Exception) -> Response:
    status, error = fault_of(refused)
    return JSONResponse({"error": error}, status, NO_STORE)


async def _bounded(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _Answered(JSONResponse({"error": error_of("request.too_large")}, 413, NO_STORE))
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body that was read already, once more; after it whatever comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
