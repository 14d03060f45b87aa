"""Who is at the counter: the only place where a request becomes a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter

BEARER = "Bearer "


def counter_of(request: Request) -> Counter:
    """The counter that this application was composed with."""
    counter: Counter = request.app.state.counter
    return counter


def token_of(authorization: Annotated[str | None, Header()] = None) -> str | None:
    """The session token of the request, unchecked."""
    return authorization.removeprefix(BEARER) if authorization and authorization.startswith(BEARER) else None


CounterHere = Annotated[Counter, Depends(counter_of)]
Token = Annotated[str | None, Depends(token_of)]


def clerk_at(counter: CounterHere, token: Token) -> AtCounter:
    """The clerk who acts; refuses when nobody is signed in or the counter is locked."""
    return counter.sessions.at_counter(token)


Clerk = Annotated[AtCounter, Depends(clerk_at)]
