"""Status bar, sign-in, lock: the calls that need nobody, or make somebody, at the counter."""

from __future__ import annotations

from fastapi import APIRouter, Response

from edge_node.access import CounterHere, Token
from edge_node.acts import sign_in as acts
from edge_node.acts import status as standing
from wire.counter import SignedIn, SignIn, StatusBar, Unlock

router = APIRouter(prefix="/counter")


@router.get("/status")
def status(counter: CounterHere) -> StatusBar:
    """How the node stands."""
    return standing.status(counter)


@router.post("/sign-in")
def sign_in(counter: CounterHere, asked: SignIn) -> SignedIn:
    """Open a session."""
    signed_in, _ = acts.sign_in(counter, asked.clerk, asked.passphrase)
    return signed_in


@router.post("/unlock")
def unlock(counter: CounterHere, token: Token, asked: Unlock) -> SignedIn:
    """Open the locked session again."""
    return acts.unlock(counter, token, asked.passphrase)


@router.post("/sign-out", status_code=204)
def sign_out(counter: CounterHere, token: Token) -> Response:
    """Close the session."""
    acts.sign_out(counter, token)
    return Response(status_code=204)
