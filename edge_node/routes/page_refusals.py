"""How the page refuses: always a sentence in Chinese, and never at the price of what was typed.

Laws
- Nobody signed in: the sign-in page, which carries the form along whole, since there is no session to keep it in.
- A locked page: the unlock page; the form stays with the locked session.
- A forged form is 403 and does nothing. Everything else is the sentence of the one table in `faults`.
- What a person typed is shown back only to the session whose form token came with it; after signing out in another
  window, only as texts to copy, and only to a form that by its Origin is a page of ours.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.errors import CaseworkError, IllegalEvent, NotYourDuty
from edge_node.counter.counter import Counter
from edge_node.counter.errors import ActRefused, CounterLocked, NobodySignedIn
from edge_node.faults import fault_of, take_note
from edge_node.routes.page_body import FormRefused, Posted
from edge_node.routes.page_session import (
    DOOR_COOKIE,
    SESSION_COOKIE,
    ForgedForm,
    NotForThisRole,
    drop_cookie,
    form_token,
    session_token,
    set_cookie,
)
from edge_node.routes.page_words import page
from edge_node.wording import sentence
from offline_store.errors import NO_ROOM, StoreError
from wire.counter import IDLE_LOCK_SECONDS
from wire.errors import WireError

log = logging.getLogger("edge_node")

HOME: Final = "/review"
STRIP: Final = "/strip"
SEE_OTHER: Final = 303
FROM_HTMX: Final = "hx-request"
OWN_PATH_MAX: Final = 300
CLERK_MAX: Final = 40
PASSPHRASE_MAX: Final = 200


def own_path(text: str) -> str:
    """A path of this page to go on to; anything else becomes the queue.

    >>> own_path("/review?show=all"), own_path("//elsewhere.example/"), own_path("https://elsewhere.example/")
    ('/review?show=all', '/review', '/review')
    """
    plain = len(text) <= OWN_PATH_MAX and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else HOME


def here(request: Request) -> str:
    """The page that was asked for."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def carried(request: Request) -> tuple[tuple[str, str], ...]:
    """What was typed into the form of this request; its token has been checked before anything could be carried."""
    posted: Posted | None = getattr(request.state, "posted", None)
    return posted.typed() if posted is not None else ()


def sign_in_page(
    request: Request,
    randomness: Callable[[int], bytes],
    *,
    following: str,
    kept: tuple[tuple[str, str], ...] = (),
    clerk: str = "",
    wrong: str = "",
    recovered: bool = False,
    locked: bool = False,
    status: int = 200,
) -> HTMLResponse:
    """The sign-in page, of a node that is locked, too, with the token of the door in a cookie of its own."""
    door = request.cookies.get(DOOR_COOKIE) or randomness(32).hex()
    problems = [{"field": "clerk", "message": wrong}] if wrong else []
    answer = page(
        "sign_in.html",
        status,
        door_token=form_token(door),
        next=own_path(following),
        kept=kept,
        clerk=clerk[:CLERK_MAX],
        recovered=recovered,
        locked=locked,
        wrong=problems,
    )
    set_cookie(request, answer, DOOR_COOKIE, door)
    return answer


def unlock_page(
    token: str, name: str, *, following: str, kept: bool = False, wrong: str = "", status: int = 200
) -> HTMLResponse:
    """The unlock page of a session that was idle."""
    return page(
        "unlock.html",
        status,
        csrf=form_token(token),
        next=own_path(following),
        kept=kept,
        locked_name=name,
        idle_minutes=int(IDLE_LOCK_SECONDS // 60),
        wrong=[{"field": "passphrase", "message": wrong}] if wrong else [],
    )


def refusal_page(message: str, status: int, back: str = HOME, texts: tuple[str, ...] = ()) -> HTMLResponse:
    """One sentence and the way back; with the texts that would otherwise be lost."""
    return page("refused.html", status, message=message, back=back, texts=texts)


def _to_copy(request: Request) -> tuple[str, ...]:
    """What was written into an act's form of ours; never what a door was told."""
    own = request.headers.get("origin", "").partition("://")[2] == request.headers.get("host")
    if not own or not request.url.path.startswith(f"{HOME}/"):
        return ()
    return tuple(text for name, text in carried(request) if name != "tick" and text.strip())


def _counter(request: Request) -> Counter:
    counter: Counter = request.app.state.counter
    return counter


async def nobody(request: Request, _failure: Exception) -> Response:
    """Nobody is signed in, or the machine was started anew meanwhile."""
    if FROM_HTMX in request.headers and request.url.path == STRIP:
        return Response(status_code=204)  # a form that is being filled in stays where it is
    if FROM_HTMX in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    if request.method == "POST" and carried(request):
        following = request.url.path
        return sign_in_page(
            request, _counter(request).randomness, following=following, kept=carried(request), status=401
        )
    answer = RedirectResponse(f"/sign-in?next={quote(here(request), safe='')}", SEE_OTHER)
    drop_cookie(request, answer, SESSION_COOKIE)
    return answer


async def locked(request: Request, _failure: Exception) -> Response:
    """The page was idle."""
    if FROM_HTMX in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/unlock"})
    if request.method == "POST":
        sessions = _counter(request).sessions
        if carried(request):
            sessions.keep_typed(sessions.locked_clerk(session_token(request)), request.url.path, carried(request))
        return RedirectResponse(f"/unlock?next={quote(request.url.path, safe='')}", SEE_OTHER)
    return RedirectResponse(f"/unlock?next={quote(here(request), safe='')}", SEE_OTHER)


async def forged(request: Request, _failure: Exception) -> Response:
    """The form token is missing or wrong."""
    return refusal_page(sentence("page.refused.csrf"), 403, texts=_to_copy(request))


async def wrong_role(request: Request, _failure: Exception) -> Response:
    """Somebody who does not work at a township."""
    answer = refusal_page(sentence("page.refused.role"), 403, "/sign-in")
    drop_cookie(request, answer, SESSION_COOKIE)
    return answer


async def bad_form(_request: Request, failure: Exception) -> Response:
    """A body that is no form of this page."""
    status, key = (
        (failure.status, failure.key) if isinstance(failure, FormRefused) else (400, "page.refused.unreadable")
    )
    answer = refusal_page(sentence(key), status)
    answer.headers["Connection"] = "close"  # what is left of the body is not waited for
    return answer


async def refused(request: Request, failure: Exception) -> Response:
    """A refusal of an act or of a room below: the sentence of the one table."""
    status, error = fault_of(failure)
    counter = _counter(request)
    take_note(counter, failure)
    if isinstance(failure, NO_ROOM) and carried(request):  # the form finds its text again when there is room
        sessions = counter.sessions
        sessions.keep_typed(sessions.at_counter(session_token(request)), request.url.path, carried(request))
    if status >= 500 and not isinstance(failure, ActRefused):
        log.error("page failed code=%s", error["code"])
    parts = request.url.path.strip("/").split("/")
    back = f"/review/{parts[1]}" if parts[0] == "review" and len(parts) > 2 else HOME
    message = sentence("page.refused.state") if isinstance(failure, IllegalEvent) else error["message"]
    return refusal_page(message, 403 if isinstance(failure, NotYourDuty) else status, back)


async def not_found(_request: Request, failure: Exception) -> Response:
    """A page that does not exist, or a way of asking that it does not know."""
    status = failure.status_code if isinstance(failure, HTTPException) else 404
    key = "page.refused.not_found" if status in {404, 405, 422} else "page.refused.unreadable"
    return refusal_page(sentence(key), status)


async def malformed(_request: Request, _failure: Exception) -> Response:
    """An address whose parts are not what they must be."""
    return refusal_page(sentence("page.refused.not_found"), 404)


class CalmDefects:
    """A failure of ours becomes calm words for the clerk; class and place reach the log, its message does not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and answer for it if it fails."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:  # noqa: BLE001 - the last resort must catch all
            frames = traceback.extract_tb(failure.__traceback__)
            place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
            log.error("page defect class=%s at=%s", type(failure).__name__, place)  # noqa: TRY400 - no message
            if not started and scope["type"] == "http":
                await refusal_page(sentence("page.refused.broken"), 500)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Let the page answer every refusal with a page."""
    for family in (ActRefused, CaseworkError, StoreError, WireError):
        app.add_exception_handler(family, refused)
    app.add_exception_handler(NobodySignedIn, nobody)
    app.add_exception_handler(CounterLocked, locked)
    app.add_exception_handler(ForgedForm, forged)
    app.add_exception_handler(NotForThisRole, wrong_role)
    app.add_exception_handler(FormRefused, bad_form)
    app.add_exception_handler(HTTPException, not_found)
    app.add_exception_handler(RequestValidationError, malformed)
