"""Who may work at this counter: sign in, lock, unlock, sign out.

Laws
- Passphrases are compared by the desk (Argon2id, counted before they are looked at); here nobody learns which part
  was wrong.
- Every sign-in, refused or not, is an entry of the journal. Lock-outs end by trusted time, which no wall clock moves.
- Nothing here depends on the line, on validity or on a clock being right.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from casework.application import Role
from edge_node.acts import audit
from edge_node.counter.counter import Counter
from edge_node.counter.errors import LockedOut, WrongPassphrase
from edge_node.counter.sessions import AtCounter
from offline_store.desk import clerks
from offline_store.desk.clerks import Clerk
from offline_store.desk.keyring import ByClerk
from offline_store.errors import LockedOut as DeskLockedOut
from offline_store.errors import StoreError
from offline_store.errors import WrongPassphrase as DeskWrongPassphrase
from wire.counter import ClerkView, SignedIn

COUNTER_ROLES: Final = frozenset({Role.AGENT, Role.CLERK})


def sign_in(counter: Counter, clerk_id: str, passphrase: str) -> tuple[SignedIn, AtCounter]:
    """Open a session."""
    clerk = _verified(counter, clerk_id, passphrase)
    token, who = counter.sessions.begin(counter.actor(clerk.role, clerk.clerk_id, clerk.region), clerk.name)
    return SignedIn(session=token, clerk=view(who)), who


def unlock(counter: Counter, token: str | None, passphrase: str) -> SignedIn:
    """Open a locked session again; only its own clerk can."""
    who = counter.sessions.locked_clerk(token)
    _verified(counter, who.clerk_id, passphrase)
    counter.sessions.unlock(token)
    return SignedIn(session=token or "", clerk=view(who))


def sign_out(counter: Counter, token: str | None) -> None:
    """Close the session; without one nothing happens."""
    who = counter.sessions.end(token)
    if who is None:
        return
    counter.room.must(lambda: audit.once(counter, audit.SIGNED_OUT, clerk=who.clerk_id))


def view(who: AtCounter) -> ClerkView:
    """Who is at the counter, for a surface."""
    return ClerkView(id=who.clerk_id, name=who.name, role=who.actor.role.value)


def _verified(counter: Counter, clerk_id: str, passphrase: str) -> Clerk:
    now = counter.clock.for_waiting()
    try:
        clerk = counter.room.must(lambda: clerks.sign_in(counter.desk, clerk_id, passphrase, now))
        if clerk.role not in COUNTER_ROLES:
            raise DeskWrongPassphrase
    except DeskLockedOut as locked:
        _note_refusal(counter, clerk_id)
        raise LockedOut(wait_minutes=_minutes(now, locked.until), until=locked.until.isoformat()) from None
    except DeskWrongPassphrase:
        _note_refusal(counter, clerk_id)
        raise WrongPassphrase from None
    if counter.keep_slot is not None:
        with suppress(StoreError):  # no room for the keyring: the next sign-in does it
            counter.keep_slot(ByClerk(clerk_id, passphrase))
    counter.room.must(lambda: audit.once(counter, audit.SIGNED_IN, clerk=clerk.clerk_id, role=clerk.role.value))
    return clerk


def _note_refusal(counter: Counter, typed: str) -> None:
    """A name that is no clerk's is not recorded: it may be a passphrase typed into the wrong field."""
    with counter.desk.reading() as tx:
        known = typed in {clerk.clerk_id for clerk in clerks.everyone(tx)}
    counter.room.must(lambda: audit.once(counter, audit.SIGN_IN_REFUSED, clerk=typed if known else ""))


def _minutes(now: datetime, until: datetime) -> int:
    return max(1, -(-int((until - now).total_seconds()) // 60))
