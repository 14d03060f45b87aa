"""Who is at the counter right now.

Laws
- A session lives in memory only: a restart signs everybody out, and no token is ever written to disk.
- After ten idle minutes a session locks; it opens again with the passphrase of the same clerk, never by a call.
- Tokens are 256 random bits; the table keeps their hash.
- What a clerk typed into a form and has not sent off is kept with the session, in memory only, and goes with it.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from casework.application import Actor
from edge_node.counter.errors import CounterLocked, NobodySignedIn
from wire.counter import IDLE_LOCK_SECONDS

FORGET_SECONDS = 12 * 3600.0
TOKEN_BYTES = 32
REMEMBERED_LOOKS = 4096
FORMS_KEPT = 64

Typed = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AtCounter:
    """A clerk who is signed in: what every act asks for."""

    actor: Actor
    name: str
    session_key: str

    @property
    def clerk_id(self) -> str:
        """The clerk's own id."""
        return self.actor.clerk_id


@dataclass(frozen=True, slots=True)
class _Open:
    who: AtCounter
    seen: float
    locked: bool


class Sessions:
    """The open sessions of this process."""

    def __init__(self, monotonic: Callable[[], float], randomness: Callable[[int], bytes]) -> None:
        self._monotonic = monotonic
        self._randomness = randomness
        self._open: dict[str, _Open] = {}
        self._looks: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._typed: OrderedDict[tuple[str, str], Typed] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, actor: Actor, name: str) -> tuple[str, AtCounter]:
        """Open a session and return its token with the clerk it stands for."""
        token = self._randomness(TOKEN_BYTES).hex()
        who = AtCounter(actor=actor, name=name, session_key=_key(token))
        now = self._monotonic()
        with self._lock:
            self._keep_only({k: s for k, s in self._open.items() if now - s.seen < FORGET_SECONDS})
            self._open[who.session_key] = _Open(who, now, locked=False)
        return token, who

    def at_counter(self, token: str | None) -> AtCounter:
        """Who acts under this token; an idle session is locked instead of served."""
        with self._lock:
            session = self._find(token)
            if self._idle(session):
                self._open[session.who.session_key] = replace(session, locked=True)
                raise CounterLocked(clerk=session.who.clerk_id)
            self._open[session.who.session_key] = replace(session, seen=self._monotonic())
            return session.who

    def locked_clerk(self, token: str | None) -> AtCounter:
        """Whose session this is, locked or not; used only to unlock it and to sign out."""
        with self._lock:
            return self._find(token).who

    def unlock(self, token: str | None) -> AtCounter:
        """Open a locked session again, after the passphrase was verified."""
        with self._lock:
            session = self._find(token)
            self._open[session.who.session_key] = replace(session, seen=self._monotonic(), locked=False)
            return session.who

    def end(self, token: str | None) -> AtCounter | None:
        """Close a session; closing one that is not there is quiet."""
        with self._lock:
            closed = self._open.get(_key(token)) if token else None
            if closed is not None:
                self._keep_only({k: s for k, s in self._open.items() if s is not closed})
        return closed.who if closed else None

    def at_work(self, who: AtCounter) -> bool:
        """Whether this clerk's session is open and has not locked itself."""
        with self._lock:
            session = self._open.get(who.session_key)
            return session is not None and not self._idle(session)

    def end_all_of(self, clerk_id: str) -> int:
        """Close every session of a clerk, locked ones, too; says how many there were."""
        with self._lock:
            still = {key: one for key, one in self._open.items() if one.who.clerk_id != clerk_id}
            ended = len(self._open) - len(still)
            self._keep_only(still)
        return ended

    def anyone_at_work(self) -> bool:
        """Whether a session was used lately enough not to have locked itself."""
        with self._lock:
            return not all(self._idle(one) for one in self._open.values())

    def first_look(self, who: AtCounter, what: str) -> bool:
        """Whether this session looks at something for the first time; the next look is not the first."""
        look = (who.session_key, what)
        with self._lock:
            if look in self._looks:
                return False
            self._looks[look] = None
            while len(self._looks) > REMEMBERED_LOOKS:
                self._looks.popitem(last=False)
            return True

    def keep_typed(self, who: AtCounter, form: str, typed: Typed) -> None:
        """Keep what was typed into a form, so that whoever comes back to it finds it; the oldest forms give way."""
        with self._lock:
            if who.session_key not in self._open:
                return
            self._typed[who.session_key, form] = typed
            self._typed.move_to_end((who.session_key, form))
            while len(self._typed) > FORMS_KEPT:
                self._typed.popitem(last=False)

    def typed(self, who: AtCounter, form: str) -> Typed | None:
        """What this session typed into a form; None where nothing is kept."""
        with self._lock:
            return self._typed.get((who.session_key, form))

    def drop_typed(self, who: AtCounter, form: str) -> None:
        """Forget a form that was done, or that nobody can do any more."""
        with self._lock:
            self._typed.pop((who.session_key, form), None)

    def _idle(self, session: _Open) -> bool:
        return session.locked or self._monotonic() - session.seen > IDLE_LOCK_SECONDS

    def _keep_only(self, still: dict[str, _Open]) -> None:
        self._open = still
        for key in [key for key in self._typed if key[0] not in still]:
            del self._typed[key]

    def _find(self, token: str | None) -> _Open:
        session = self._open.get(_key(token)) if token else None
        if session is None:
            raise NobodySignedIn
        if self._monotonic() - session.seen > FORGET_SECONDS:
            self._keep_only({k: s for k, s in self._open.items() if s is not session})
            raise NobodySignedIn
        return session


def _key(token: str | None) -> str:
    return hashlib.sha256((token or "").encode()).hexdigest()
