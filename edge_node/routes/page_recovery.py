"""The page's way for a clerk who forgot the passphrase: a challenge to read out, an answer that was read back.

Laws: it has the door's own form token, for nobody is signed in; clerk and codes travel in bodies, never in an address;
a typing mistake leaves challenge and answer where they are, passphrases are never shown again.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from edge_node.access import CounterHere
from edge_node.acts import recovery
from edge_node.counter.counter import Counter
from edge_node.counter.errors import (
    ActRefused,
    AnswerIncomplete,
    AnswerMistyped,
    AnswerRefused,
    ChallengeForAnswer,
    NoSuchClerk,
    PassphraseTooShort,
    RecoveryExhausted,
    RecoveryNotAsked,
    RecoveryOver,
)
from edge_node.faults import fault_of
from edge_node.routes.page_refusals import CLERK_MAX, PASSPHRASE_MAX, SEE_OTHER
from edge_node.routes.page_session import (
    DOOR_COOKIE,
    ForgedForm,
    Form,
    check_form_token,
    form_token,
    refuse_other_sites,
    set_cookie,
)
from edge_node.routes.page_words import page
from edge_node.wording import sentence
from wire.counter import RecoveryView

router = APIRouter()

ANSWER_MAX: Final = 100
STAYS: Final = (AnswerIncomplete, AnswerMistyped, AnswerRefused, ChallengeForAnswer, PassphraseTooShort)
"""After these the same challenge still takes an answer."""
STARTS_AGAIN: Final = (NoSuchClerk, RecoveryExhausted, RecoveryNotAsked, RecoveryOver)


@router.get("/forgotten")
def show_forgotten(request: Request, counter: CounterHere) -> Response:
    """Who forgot the passphrase?"""
    return _page(request, counter)


@router.post("/forgotten")
def ask(request: Request, counter: CounterHere, form: Form) -> Response:
    """Show the challenge of this clerk."""
    clerk = form.text("clerk")
    refuse_other_sites(request)
    try:
        check_form_token(request.cookies.get(DOOR_COOKIE), form.text("csrf"))
    except ForgedForm:
        return _page(request, counter, clerk=clerk, wrong=("clerk", sentence("page.sign_in.again")), status=403)
    if not clerk or len(clerk) > CLERK_MAX:
        wrong = ("clerk", sentence("page.forgotten.fill_clerk"))
        return _page(request, counter, clerk=clerk, wrong=wrong, status=400)
    try:
        return _page(request, counter, clerk=clerk, shown=recovery.ask(counter, clerk))
    except STARTS_AGAIN as failure:
        return _refused(request, counter, clerk, failure)


@router.post("/forgotten/answer")
def answer(request: Request, counter: CounterHere, form: Form) -> Response:
    """Take the answer and the new passphrase."""
    clerk, said = form.text("clerk"), form.text("answer")
    passphrase, again = form.raw("passphrase"), form.raw("again")
    refuse_other_sites(request)
    try:
        check_form_token(request.cookies.get(DOOR_COOKIE), form.text("csrf"))
    except ForgedForm:
        return _page(request, counter, clerk=clerk, wrong=("clerk", sentence("page.sign_in.again")), status=403)
    try:
        if not said or len(said) > ANSWER_MAX:
            return _stays(request, counter, clerk, said, "answer", sentence("page.forgotten.fill_answer"), 400)
        if passphrase != again or len(passphrase) > PASSPHRASE_MAX:
            return _stays(request, counter, clerk, said, "passphrase", sentence("page.forgotten.differ"), 400)
        recovery.answer(counter, clerk, said, passphrase)
    except STAYS as failure:
        status, error = fault_of(failure)
        field = "passphrase" if isinstance(failure, PassphraseTooShort) else "answer"
        return _stays(request, counter, clerk, said, field, error["message"], status)
    except STARTS_AGAIN as failure:
        return _refused(request, counter, clerk, failure)
    return RedirectResponse("/sign-in?recovered=yes", SEE_OTHER)


def _stays(
    request: Request, counter: Counter, clerk: str, said: str, field: str, message: str, status: int
) -> Response:
    shown = recovery.ask(counter, clerk)
    return _page(request, counter, clerk=clerk, shown=shown, said=said, wrong=(field, message), status=status)


def _refused(request: Request, counter: Counter, clerk: str, failure: ActRefused) -> Response:
    status, error = fault_of(failure)
    return _page(request, counter, clerk=clerk, wrong=("clerk", error["message"]), status=status)


def _page(
    request: Request,
    counter: Counter,
    *,
    clerk: str = "",
    shown: RecoveryView | None = None,
    said: str = "",
    wrong: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    door = request.cookies.get(DOOR_COOKIE) or counter.randomness(32).hex()
    made = page(
        "forgotten.html",
        status,
        door_token=form_token(door),
        clerk=clerk[:CLERK_MAX],
        shown=shown,
        said=said[:ANSWER_MAX],
        site=counter.node.site_name,
        minimum=recovery.PASSPHRASE_MIN_CHARACTERS,
        wrong=[{"field": wrong[0], "message": wrong[1]}] if wrong else [],
    )
    set_cookie(request, made, DOOR_COOKIE, door)
    return made
