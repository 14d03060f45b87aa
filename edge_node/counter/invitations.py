"""The one phone that may hand in pages at this counter, for one material of one draft, for a few minutes.

Laws
- An invitation lives in memory only, stands for the clerk who gave it and ends with that clerk's session, when another
  one is given, when it is taken back, or by itself.
- Its token is 128 random bits; what is kept is the hash.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge_node.counter.errors import NotInvited
from edge_node.counter.sessions import AtCounter, Sessions

INVITED_SECONDS = 600.0
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Invitation:
    """For whom and what a phone hands in pages."""

    who: AtCounter
    draft_id: str
    material_id: str
    until: float


class Invitations:
    """At most one at a time."""

    def __init__(self, sessions: Sessions, monotonic: Callable[[], float], randomness: Callable[[int], bytes]) -> None:
        self._sessions, self._monotonic, self._randomness = sessions, monotonic, randomness
        self._open: tuple[str, Invitation] | None = None
        self._lock = threading.Lock()

    def invite(self, who: AtCounter, draft_id: str, material_id: str) -> str:
        """The token of a fresh invitation; an earlier one ends."""
        token = base64.urlsafe_b64encode(self._randomness(TOKEN_BYTES)).decode().rstrip("=")
        invitation = Invitation(who, draft_id, material_id, self._monotonic() + INVITED_SECONDS)
        with self._lock:
            self._open = (_hash(token), invitation)
        return token

    def invited(self, token: str | None) -> Invitation:
        """What this token stands for; NotInvited when it stands for nothing any more."""
        with self._lock:
            known = self._open
        if known is None or token is None or known[0] != _hash(token) or not self._stands(known[1]):
            raise NotInvited
        return known[1]

    def withdraw(self, who: AtCounter) -> None:
        """Take back what this clerk gave."""
        with self._lock:
            if self._open is not None and self._open[1].who.session_key == who.session_key:
                self._open = None

    def anyone_invited(self) -> bool:
        """Whether a phone may still come."""
        with self._lock:
            return self._open is not None and self._stands(self._open[1])

    def _stands(self, invitation: Invitation) -> bool:
        return self._monotonic() < invitation.until and self._sessions.at_work(invitation.who)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
