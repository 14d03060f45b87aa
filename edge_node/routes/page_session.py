"""Who is at the page: a cookie, a clerk of the township, and a token that every form must carry.

Laws
- The cookie holds the session's token and nothing else: HttpOnly, SameSite=Strict, Path=/, Secure over TLS; a new token
  at every sign-in, none survives signing out.
- The form token is derived from the session's token, so it lives and dies with it; a POST without it does nothing.
- A locked or ended session never loses what was typed: the refusal carries the form, the next page hands it back.
- Only a township clerk gets in; the acts ask again for each act.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from casework.application import Role
from edge_node.access import CounterHere
from edge_node.counter.errors import NobodySignedIn
from edge_node.counter.sessions import AtCounter
from edge_node.routes.page_body import Posted, posted_form

SESSION_COOKIE: Final = "counter"
DOOR_COOKIE: Final = "door"
_FORM_TOKEN: Final = b"form token of the township page"
PAGE_ROLE: Final = Role.CLERK


class ForgedForm(Exception):
    """The form token is missing or wrong; nothing was done."""


class NotForThisRole(Exception):
    """The clerk who is signed in does not work at a township."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The clerk in front of the page."""

    who: AtCounter
    token: str
    csrf: str

    @property
    def name(self) -> str:
        """How the page addresses the clerk."""
        return self.who.name


def form_token(secret: str) -> str:
    """The token that forms of this session must carry."""
    return hmac.new(secret.encode(), _FORM_TOKEN, hashlib.sha256).hexdigest()


def check_form_token(secret: str | None, given: str) -> None:
    """Refuse a form that was not made for this session."""
    if not secret or not hmac.compare_digest(form_token(secret).encode(), given.encode()):
        raise ForgedForm


def refuse_other_sites(request: Request) -> None:
    """Refuse a POST that the browser itself says comes from another site."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForgedForm


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set one of the page's cookies."""
    response.set_cookie(name, value, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Forget one of the page's cookies."""
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")


def session_token(request: Request) -> str | None:
    """The session token of the request, unchecked."""
    return request.cookies.get(SESSION_COOKIE)


def visitor_of(request: Request, counter: CounterHere) -> Visitor:
    """The clerk who looks at a page; refuses when nobody is signed in or the page is locked."""
    token = session_token(request)
    if token is None:
        raise NobodySignedIn
    who = counter.sessions.at_counter(token)
    if who.actor.role is not PAGE_ROLE:
        raise NotForThisRole
    return Visitor(who, token, form_token(token))


Form = Annotated[Posted, Depends(posted_form)]


def acting_visitor(request: Request, counter: CounterHere, form: Form) -> Visitor:
    """The clerk who sends a form: the token is checked before anything else is looked at."""
    refuse_other_sites(request)
    check_form_token(session_token(request), form.text("csrf"))
    return visitor_of(request, counter)


Looking = Annotated[Visitor, Depends(visitor_of)]
Acting = Annotated[Visitor, Depends(acting_visitor)]
