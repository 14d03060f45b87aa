"""A clerk who forgot the passphrase sets a new one, by a challenge that is read out and an answer that the city gives.

Laws
- The node decides alone, without a line: it holds one half of a secret that it shares with the city (`wire`).
- An attempt is counted before it is looked at, a typing mistake is none. What the answer opens is written off in the
  transaction in which the new passphrase takes effect, so that it opens nothing twice, whatever breaks in between.
- While a challenge is open, asking again shows the same one; after too many attempts there is a pause.
- Where clerks unlock at start, the slot of the keyring is changed first: a power cut after the new passphrase took
  effect must not leave a node that only the forgotten one opens.
- The new passphrase ends every session of the clerk and the lock-out. Asked, refused, done: each is an entry of the
  journal, with the challenge, by which the city finds its own entry about it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from edge_node.acts import audit
from edge_node.acts.sign_in import COUNTER_ROLES
from edge_node.counter.counter import Counter
from edge_node.counter.errors import (
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
from offline_store.desk import clerks, passphrases, recoveries
from offline_store.desk.clerks import SALT_BYTES, Clerk
from offline_store.desk.database import Transaction
from offline_store.desk.keyring import ByClerk
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.desk.recoveries import Ended, Recovery
from offline_store.errors import StoreError, Unknown
from wire.clerk_recovery import Shared, fits, make_challenge, shared_at_node
from wire.counter import RecoveryView
from wire.errors import DigitsMissing, DigitsMistyped, OtherDigits
from wire.spoken_digits import SpokenKind, read_digits

LIFETIME_SECONDS: Final = 2 * 3600.0
PAUSE_SECONDS: Final = 15 * 60.0
ATTEMPTS: Final = 5
PASSPHRASE_MIN_CHARACTERS: Final = 8


def ask(counter: Counter, clerk_id: str) -> RecoveryView:
    """The challenge to read out."""

    def act() -> RecoveryView:
        with counter.desk.transaction() as tx:
            clerk = _clerk(tx, clerk_id)
            standing = recoveries.load(tx, clerk.clerk_id)
            if standing is None or not _is_open(counter, standing):
                _after_a_pause(counter, standing)
                standing = _new_challenge(counter, tx, clerk)
            return _view(counter, clerk, standing)

    shown = counter.room.must(act)
    counter.nudge()
    return shown


def answer(counter: Counter, clerk_id: str, said: str, passphrase: str, *, cost: Cost = SIGN_IN) -> None:
    """Take the answer and the new passphrase, or say why not."""
    _must_be_an_answer(said)
    if len(passphrase) < PASSPHRASE_MIN_CHARACTERS:
        raise PassphraseTooShort(minimum=PASSPHRASE_MIN_CHARACTERS)
    attempted = counter.room.must(lambda: _attempt(counter, clerk_id))
    if not fits(said, attempted.challenge, clerk_id, _shared(counter, attempted.city_public)):
        counter.room.must(lambda: _note_refusal(counter, clerk_id, attempted))
        if attempted.ended is not None:
            raise RecoveryExhausted(wait_minutes=_minutes(PAUSE_SECONDS))
        raise AnswerRefused(left=ATTEMPTS - attempted.attempts)
    hashed = passphrases.hashed(passphrase, counter.randomness(SALT_BYTES), cost)
    if counter.keep_slot is not None:
        with suppress(StoreError):  # no room for the keyring: the next sign-in does it
            counter.keep_slot(ByClerk(clerk_id, passphrase))
    counter.room.must(lambda: _use_up(counter, clerk_id, attempted, hashed))
    counter.sessions.end_all_of(clerk_id)
    counter.nudge()


def _must_be_an_answer(said: str) -> None:
    try:
        read_digits(said, SpokenKind.ANSWER)
    except DigitsMistyped as mistyped:
        raise AnswerMistyped(groups=list(mistyped.groups)) from None
    except DigitsMissing as missing:
        raise AnswerIncomplete(needed=missing.needed, found=missing.found) from None
    except OtherDigits:
        raise ChallengeForAnswer from None


def _attempt(counter: Counter, clerk_id: str) -> Recovery:
    with counter.desk.transaction() as tx:
        clerk = _clerk(tx, clerk_id)
        standing = recoveries.load(tx, clerk.clerk_id)
        if standing is None or standing.ended is Ended.USED:
            raise RecoveryNotAsked
        _after_a_pause(counter, standing)
        if not _is_open(counter, standing):
            raise RecoveryOver
        counted = standing.attempted(ATTEMPTS, counter.clock.read().monotonic)
        recoveries.keep(tx, clerk.clerk_id, counted)
    return counted


def _use_up(counter: Counter, clerk_id: str, attempted: Recovery, hashed: str) -> None:
    with counter.desk.transaction() as tx:
        clerk = _clerk(tx, clerk_id)
        standing = recoveries.load(tx, clerk.clerk_id)
        if standing is None or standing.challenge != attempted.challenge or standing.ended is Ended.USED:
            raise RecoveryNotAsked
        recoveries.keep(tx, clerk.clerk_id, replace(standing, ended=Ended.USED))
        clerks.set_passphrase(tx, clerk.clerk_id, hashed)
        audit.note(counter, tx, audit.RECOVERED, clerk=clerk.clerk_id, challenge=attempted.challenge)


def _note_refusal(counter: Counter, clerk_id: str, attempted: Recovery) -> None:
    with counter.desk.transaction() as tx:
        audit.note(
            counter,
            tx,
            audit.RECOVERY_REFUSED,
            clerk=clerk_id,
            challenge=attempted.challenge,
            attempt=attempted.attempts,
        )
    counter.nudge()


def _new_challenge(counter: Counter, tx: Transaction, clerk: Clerk) -> Recovery:
    city = (counter.shelf.directory_recipients(tx) or counter.node.gateway.sealing_publics)[0]
    reading = counter.clock.read()
    made = Recovery(
        challenge=make_challenge(_shared(counter, city), clerk.clerk_id, counter.randomness),
        node_id=counter.node.node_id,
        city_public=city,
        boot_id=reading.boot_id,
        asked_at=reading.monotonic,
    )
    recoveries.keep(tx, clerk.clerk_id, made)
    audit.note(counter, tx, audit.RECOVERY_ASKED, clerk=clerk.clerk_id, reading=reading, challenge=made.challenge)
    return made


def _shared(counter: Counter, city_public: bytes) -> Shared:
    return shared_at_node(counter.node.node_id, counter.sealing[0], city_public)


def _is_open(counter: Counter, standing: Recovery) -> bool:
    age = _age(counter, standing)
    return standing.ended is None and age is not None and age < LIFETIME_SECONDS


def _age(counter: Counter, standing: Recovery) -> float | None:
    reading = counter.clock.read()
    return standing.age(reading.boot_id, counter.node.node_id, reading.monotonic)


def _after_a_pause(counter: Counter, standing: Recovery | None) -> None:
    """Refuse while the pause after too many attempts lasts; another boot ends it, for then the challenge is dead."""
    if standing is None or standing.ended is not Ended.EXHAUSTED:
        return
    age = _age(counter, standing)
    waited = PAUSE_SECONDS if age is None else age - (standing.ended_at - standing.asked_at)
    if waited < PAUSE_SECONDS:
        raise RecoveryExhausted(wait_minutes=_minutes(PAUSE_SECONDS - waited))


def _view(counter: Counter, clerk: Clerk, standing: Recovery) -> RecoveryView:
    left = LIFETIME_SECONDS - (_age(counter, standing) or 0.0)
    return RecoveryView(
        clerk=clerk.clerk_id,
        challenge=standing.challenge,
        minutes_left=_minutes(left),
        attempts_left=ATTEMPTS - standing.attempts,
    )


def _clerk(tx: Transaction, clerk_id: str) -> Clerk:
    try:
        clerk = clerks.load(tx, clerk_id)
    except Unknown:
        raise NoSuchClerk from None
    if not clerk.active or clerk.role not in COUNTER_ROLES:
        raise NoSuchClerk
    return clerk


def _minutes(seconds: float) -> int:
    return max(1, -(-int(seconds) // 60))
