"""Who is at the counter, and how the node stands."""

from __future__ import annotations

from fastapi import APIRouter, Response

from edge_node.access import CounterHere, Token
from edge_node.acts import recovery, sign_in
from edge_node.acts import status as standing
from wire.counter import AnswerRecovery, AskRecovery, RecoveryView, SignedIn, SignIn, StatusBar, Unlock

router = APIRouter()


@router.get("/status")
def status(counter: CounterHere) -> StatusBar:
    """The status bar; asked for before anybody signs in, and shows nothing personal."""
    return standing.status(counter)


@router.post("/sign-in")
def enter(counter: CounterHere, asked: SignIn) -> SignedIn:
    """Open a session."""
    return sign_in.sign_in(counter, asked.clerk, asked.passphrase)[0]


@router.post("/unlock")
def unlock(counter: CounterHere, token: Token, asked: Unlock) -> SignedIn:
    """Open a locked session again."""
    return sign_in.unlock(counter, token, asked.passphrase)


@router.post("/sign-out", status_code=204)
def leave(counter: CounterHere, token: Token) -> Response:
    """Close the session."""
    sign_in.sign_out(counter, token)
    return Response(status_code=204)


@router.post("/recovery")
def ask_recovery(counter: CounterHere, asked: AskRecovery) -> RecoveryView:
    """A challenge for a clerk who forgot the passphrase; nobody needs to be signed in."""
    return recovery.ask(counter, asked.clerk)


@router.post("/recovery/answer", status_code=204)
def answer_recovery(counter: CounterHere, asked: AnswerRecovery) -> Response:
    """The new passphrase, when the answer fits."""
    recovery.answer(counter, asked.clerk, asked.answer, asked.passphrase)
    return Response(status_code=204)
