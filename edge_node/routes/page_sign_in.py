"""The page's door: sign in, unlock after idling, sign out.

Laws
- The door has a token of its own before anybody is signed in, so that nobody can be signed in by another site.
- Signing in always begins a new session; the old one of this browser is ended.
- What was typed before a lock stays with the session and is on its form again after it; it is never sent by itself.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from edge_node.access import CounterHere
from edge_node.acts import sign_in as door
from edge_node.counter.counter import Counter
from edge_node.counter.errors import LockedOut, NobodySignedIn, WrongPassphrase
from edge_node.counter.sessions import AtCounter
from edge_node.faults import fault_of
from edge_node.language import COOKIE
from edge_node.routes.page_refusals import (
    CLERK_MAX,
    HOME,
    PASSPHRASE_MAX,
    SEE_OTHER,
    own_path,
    sign_in_page,
    unlock_page,
)
from edge_node.routes.page_session import (
    DOOR_COOKIE,
    PAGE_ROLE,
    SESSION_COOKIE,
    ForgedForm,
    Form,
    check_form_token,
    drop_cookie,
    refuse_other_sites,
    session_token,
    set_cookie,
)
from edge_node.wording import LANGUAGE, LANGUAGES, sentence

router = APIRouter()

Following = Annotated[str, Query(alias="next", max_length=300)]
Recovered = Annotated[str, Query(max_length=3)]


@router.get("/sign-in")
def show_sign_in(
    request: Request, counter: CounterHere, following: Following = HOME, recovered: Recovered = ""
) -> Response:
    """The sign-in page."""
    return sign_in_page(request, counter.randomness, following=following, recovered=bool(recovered))


@router.post("/sign-in")
def sign_in(request: Request, counter: CounterHere, form: Form) -> Response:
    """Sign a township clerk in."""
    clerk, passphrase, following = form.text("clerk"), form.raw("passphrase"), form.text("next")

    def again(wrong: str, status: int) -> HTMLResponse:
        return sign_in_page(
            request,
            counter.randomness,
            following=following,
            kept=form.kept(),
            clerk=clerk,
            wrong=wrong,
            status=status,
        )

    refuse_other_sites(request)
    try:
        check_form_token(request.cookies.get(DOOR_COOKIE), form.text("csrf"))
    except ForgedForm:
        return again(sentence("page.sign_in.again"), 403)
    if not clerk or not passphrase or len(clerk) > CLERK_MAX or len(passphrase) > PASSPHRASE_MAX:
        return again(sentence("page.sign_in.fill"), 400)
    try:
        signed, _who = door.sign_in(counter, clerk, passphrase)
    except (WrongPassphrase, LockedOut) as failure:
        status, error = fault_of(failure)
        return again(error["message"], status)
    if signed.clerk.role != PAGE_ROLE.value:
        door.sign_out(counter, signed.session)
        return again(sentence("page.sign_in.not_township"), 403)
    counter.sessions.end(session_token(request))
    if form.kept():
        counter.sessions.keep_typed(counter.sessions.at_counter(signed.session), own_path(following), form.kept())
    answer = RedirectResponse(own_path(following), SEE_OTHER)
    set_cookie(request, answer, SESSION_COOKIE, signed.session)
    drop_cookie(request, answer, DOOR_COOKIE)
    return answer


@router.post("/language")
def choose_language(request: Request, form: Form) -> Response:
    """The clerk's choice, at the door alone, where nothing typed can be lost by it; it says nothing else of anybody."""
    refuse_other_sites(request)
    check_form_token(request.cookies.get(DOOR_COOKIE), form.text("csrf"))
    answer = RedirectResponse(f"/sign-in?next={quote(own_path(form.text('next')), safe='')}", SEE_OTHER)
    wanted = form.text("to")
    set_cookie(request, answer, COOKIE, wanted if wanted in LANGUAGES else LANGUAGE)
    return answer


@router.get("/unlock")
def show_unlock(request: Request, counter: CounterHere, following: Following = HOME) -> Response:
    """The unlock page of this browser's session."""
    token = session_token(request)
    who = counter.sessions.locked_clerk(token)
    return unlock_page(token or "", who.name, following=following, kept=_has_typed(counter, who, following))


@router.post("/unlock")
def unlock(request: Request, counter: CounterHere, form: Form) -> Response:
    """Open a locked session again with the clerk's own passphrase."""
    token, passphrase, following = session_token(request), form.raw("passphrase"), form.text("next")
    refuse_other_sites(request)
    check_form_token(token, form.text("csrf"))
    if token is None:
        raise NobodySignedIn
    who = counter.sessions.locked_clerk(token)

    def again(wrong: str, status: int) -> HTMLResponse:
        kept = _has_typed(counter, who, following)
        return unlock_page(token, who.name, following=following, kept=kept, wrong=wrong, status=status)

    if not passphrase or len(passphrase) > PASSPHRASE_MAX:
        return again(sentence("page.unlock.fill"), 400)
    try:
        door.unlock(counter, token, passphrase)
    except (WrongPassphrase, LockedOut) as failure:
        status, error = fault_of(failure)
        return again(error["message"], status)
    return RedirectResponse(own_path(following), SEE_OTHER)


@router.post("/sign-out")
def sign_out(request: Request, counter: CounterHere, form: Form) -> Response:
    """End the session; the token is worth nothing afterwards."""
    token = session_token(request)
    refuse_other_sites(request)
    check_form_token(token, form.text("csrf"))
    if token is not None:
        door.sign_out(counter, token)
    answer = RedirectResponse("/sign-in", SEE_OTHER)
    drop_cookie(request, answer, SESSION_COOKIE)
    return answer


def _has_typed(counter: Counter, who: AtCounter, following: str) -> bool:
    """Whether the form that the clerk goes back to holds something that was not sent off."""
    return counter.sessions.typed(who, own_path(following)) is not None
