"""Signing in to the back office: Argon2id, a persisted lock-out, sessions of which only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import Connection

from casework.application import Role
from casework.identifiers import is_region_code
from city_gateway.acts import office_audit
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.errors import OfficeFormRefused, OfficeSignedOut, OfficeSignInRefused
from city_gateway.ledger import office
from city_gateway.ledger.database import Ledger
from city_gateway.ledger.office import OfficeClerk, OfficeSession

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
SALT_BYTES, TOKEN_BYTES = 16, 32
LOCKED_AFTER = 5
LOCKED_FOR = timedelta(minutes=15)
IDLE = timedelta(minutes=30)
NOTED_EVERY = timedelta(minutes=1)
PASSPHRASE_AT_LEAST = 10
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A clerk with a session; `form_secret` must come back with every form."""

    clerk: OfficeClerk
    form_secret: str

    @property
    def administers(self) -> bool:
        """Whether this is an administrator, who reads no papers."""
        return self.clerk.role == Role.ADMINISTRATOR


def add_clerk(
    ledger: Ledger,
    *,
    clerk_id: str,
    name: str,
    department: str,
    region: str,
    passphrase: str,
    randomness: Callable[[int], bytes],
    role: Role = Role.DEPARTMENT,
) -> None:
    """Add a department's clerk or an administrator, or give the one with this id a new passphrase."""
    if len(passphrase) < PASSPHRASE_AT_LEAST:
        raise OfficeFormRefused(field="passphrase", at_least=PASSPHRASE_AT_LEAST)
    if not is_region_code(region):
        raise OfficeFormRefused(field="region")
    kdf = Argon2id(salt=randomness(SALT_BYTES), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)
    kept = kdf.derive_phc_encoded(passphrase.encode())
    with ledger.transaction() as tx:
        office.add_clerk(tx, OfficeClerk(clerk_id, name, department, region, role.value, kept, 0, None))


def sign_in(gateway: Gateway, clerk_id: str, passphrase: str) -> str:
    """A session token for the cookie, or OfficeSignInRefused; which part was wrong is not told."""
    now = gateway.clock()
    token = gateway.randomness(TOKEN_BYTES).hex()

    def act(tx: Connection) -> bool:
        clerk = office.clerk(tx, clerk_id)
        matches = _matches(passphrase, clerk.passphrase if clerk else NOBODY)
        if clerk is None or (clerk.locked_until is not None and clerk.locked_until > now):
            return False
        if not matches:
            failures = clerk.failures + 1
            locked = now + LOCKED_FOR if failures >= LOCKED_AFTER else None
            office.note_attempt(tx, clerk_id, failures=0 if locked else failures, locked_until=locked)
            office_audit.note(gateway, tx, clerk, OfficeAct.SIGN_IN_REFUSED)
            return False
        office.note_attempt(tx, clerk_id, failures=0, locked_until=None)
        office.close_sessions(tx, idle_since=now - IDLE)
        secret = gateway.randomness(TOKEN_BYTES).hex()
        office.open_session(tx, OfficeSession(_hashed(token), clerk_id, secret, now))
        office_audit.note(gateway, tx, clerk, OfficeAct.SIGNED_IN)
        return True

    if not gateway.ledger.run(act):
        raise OfficeSignInRefused
    return token


def session(gateway: Gateway, token: str | None) -> SignedIn:
    """Whose cookie this is, or OfficeSignedOut."""
    if not token:
        raise OfficeSignedOut
    now = gateway.clock()

    with gateway.ledger.reading() as tx:
        found = office.session(tx, _hashed(token))
        clerk = office.clerk(tx, found.clerk_id) if found is not None else None
    if found is None or clerk is None or now - found.last_seen > IDLE:
        raise OfficeSignedOut
    if now - found.last_seen > NOTED_EVERY:  # a look at a page need not wait for those who write
        gateway.ledger.run(lambda tx: office.touch_session(tx, found.token_hash, now))
    return SignedIn(clerk, found.form_secret)


def sign_out(gateway: Gateway, signed_in: SignedIn, token: str) -> None:
    """Forget this session."""

    def act(tx: Connection) -> None:
        office.close_sessions(tx, token_hash=_hashed(token))
        office_audit.note(gateway, tx, signed_in.clerk, OfficeAct.SIGNED_OUT)

    gateway.ledger.run(act)


def check_form(signed_in: SignedIn, said: str) -> None:
    """The form was made for this session, or OfficeFormRefused."""
    if not hmac.compare_digest(signed_in.form_secret.encode(), said.encode()):
        raise OfficeFormRefused(field="form_secret")


def _matches(passphrase: str, kept: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(passphrase.encode(), kept)
    except InvalidKey:
        return False
    return True


def _hashed(token: str) -> str:
    return hashlib.sha256(b"office-session\0" + token.encode()).hexdigest()
