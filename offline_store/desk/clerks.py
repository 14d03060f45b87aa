"""Who may sign in, and the lock-out that slows guessing.

Laws: an attempt is counted *before* its passphrase is looked at, so killing the program in between wins no guess;
only success resets the count, so it survives restarts and clock changes; the wait doubles and ends by *trusted* time,
which no wall clock moves; one clerk's wait is no other clerk's. Without the city trusted time begins again where it was
last certain when the machine starts: then the wait that is due begins again, and never lasts longer. An unknown clerk
costs the same time and gives the same error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from sqlmodel import Session, col, select

from casework.application import Role
from offline_store.desk import passphrases
from offline_store.desk.database import Desk
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.desk.tables import ClerkRow
from offline_store.errors import LockedOut, Unknown, WrongPassphrase

SALT_BYTES: Final = 16
FREE_FAILURES: Final = 5
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)  # at most 24 guesses a day, and an agent is not shut out for longer
_MAX_DOUBLINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Clerk:
    """A person at this counter; `region` is what a clerk answers for, "" means the node's own."""

    clerk_id: str
    name: str
    role: Role
    region: str
    active: bool


def save(
    tx: Session, clerk: Clerk, passphrase: str, *, randomness: Callable[[int], bytes], cost: Cost = SIGN_IN
) -> None:
    """Add a clerk, or change one; a new passphrase also ends a lock-out."""
    tx.merge(
        ClerkRow(
            clerk_id=clerk.clerk_id,
            name=clerk.name,
            role=clerk.role.value,
            region=clerk.region,
            active=clerk.active,
            passphrase=passphrases.hashed(passphrase, randomness(SALT_BYTES), cost),
            failures=0,
            locked_until=None,
        )
    )
    tx.flush()


def set_passphrase(tx: Session, clerk_id: str, hashed: str) -> None:
    """Another passphrase, hashed outside the transaction because that is slow; it ends a lock-out."""
    row = _row(tx, clerk_id)
    row.passphrase, row.failures, row.locked_until = hashed, 0, None
    tx.add(row)


def set_active(tx: Session, clerk_id: str, *, active: bool) -> None:
    """Let a clerk in no longer, or again."""
    row = _row(tx, clerk_id)
    row.active = active
    tx.add(row)


def load(tx: Session, clerk_id: str) -> Clerk:
    """The clerk, or Unknown."""
    return _clerk(_row(tx, clerk_id))


def everyone(tx: Session) -> list[Clerk]:
    return [_clerk(row) for row in tx.exec(select(ClerkRow).order_by(col(ClerkRow.clerk_id))).all()]


def sign_in(desk: Desk, clerk_id: str, passphrase: str, now: datetime) -> Clerk:
    """The clerk, when the passphrase fits; WrongPassphrase or LockedOut otherwise. `now` is trusted time.

    Two short transactions with the slow comparison between them, so that a guess holds up nobody's save.
    """
    with desk.transaction() as tx:
        until = still_locked(tx, clerk_id, now)
        kept = begin_attempt(tx, clerk_id, now) if until is None else None
    if until is not None:
        raise LockedOut(until)
    fits = passphrases.matches(passphrase, kept or _nobody())
    if kept is None or not fits:
        raise WrongPassphrase
    with desk.transaction() as tx:
        return passed(tx, clerk_id, now)


def still_locked(tx: Session, clerk_id: str, now: datetime) -> datetime | None:
    """Until when this clerk has to wait, None when there is nothing to wait for; what it says has to be committed."""
    row = tx.get(ClerkRow, clerk_id)
    if row is None or not row.active or row.locked_until is None or row.locked_until <= now:
        return None
    longest = now + wait_after(row.failures)
    if row.locked_until > longest:  # noted by a time that the machine has forgotten since
        row.locked_until = longest
        tx.add(row)
    return row.locked_until


def begin_attempt(tx: Session, clerk_id: str, now: datetime) -> str | None:
    """Count an attempt and give the hash to compare with, None when nobody by this name may sign in."""
    row = tx.get(ClerkRow, clerk_id)
    if row is None or not row.active:
        return None
    row.failures += 1
    wait = wait_after(row.failures)
    row.locked_until = now + wait if wait else None
    tx.add(row)
    return row.passphrase


def passed(tx: Session, clerk_id: str, now: datetime) -> Clerk:
    """The passphrase fitted: what was counted is forgotten."""
    row = _row(tx, clerk_id)
    row.failures = 0
    row.locked_until = None
    row.last_in = now
    tx.add(row)
    return _clerk(row)


def wait_after(failures: int) -> timedelta:
    """How long the next attempt has to wait.

    >>> [wait_after(n).seconds // 60 for n in (4, 5, 6, 7, 11, 99)]
    [0, 1, 2, 4, 60, 60]
    """
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES, _MAX_DOUBLINGS)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))


@cache
def _nobody() -> str:
    """A hash that nothing fits, as dear as a real one."""
    return passphrases.hashed("", bytes(SALT_BYTES), SIGN_IN)


def _row(tx: Session, clerk_id: str) -> ClerkRow:
    row = tx.get(ClerkRow, clerk_id)
    if row is None:
        raise Unknown("clerk", clerk_id)
    return row


def _clerk(row: ClerkRow) -> Clerk:
    return Clerk(row.clerk_id, row.name, Role(row.role), row.region, row.active)
