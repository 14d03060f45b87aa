"""The keys of a new node: made once, kept where their program alone finds them, found again after a crash.

Laws:
- The machine key comes from the service manager, is never written and never leaves this process.
- Identity and sealing key lie in the encrypted desk; the transport key in its own file for sync_agent, 0600.
- Every step looks first at what an interrupted run already made, so running again gives the *same* keys: that is what
  lets the gateway answer a used code again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from offline_store.desk import keyring, keys, rekeying
from offline_store.desk.database import Desk, open_desk
from offline_store.errors import Unknown
from offline_store.paths import NodePaths
from offline_store.placing import place
from wire.keys import SealingKey, SigningKey

TRANSPORT_KEY_MODE = 0o600

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class MachineKeys:
    """Everything the enrolment request speaks of."""

    identity: SigningKey
    sealing: SealingKey
    transport: SigningKey


def open_or_make_desk(paths: NodePaths, machine: bytes, city_public: bytes, randomness: Randomness) -> Desk:
    """The desk of this node, made now if it is not there; a half-made one is finished."""
    if paths.keyring.exists():
        desk_key = keyring.unlock(paths.keyring, machine)
        if paths.desk_db.exists():
            desk_key = rekeying.open_key(paths.desk_db, paths.keyring, machine)
    else:
        desk_key = keyring.create(paths.keyring, machine, city_public, randomness)
    fresh = not paths.desk_db.exists() or paths.desk_db.stat().st_size == 0
    return open_desk(paths.desk_db, desk_key, create=fresh)


def open_node_desk(paths: NodePaths, opener: keyring.Opener) -> Desk:
    """The desk of an enrolled node."""
    return open_desk(paths.desk_db, rekeying.open_key(paths.desk_db, paths.keyring, opener))


def load_or_make_keys(paths: NodePaths, desk: Desk, randomness: Randomness, now: datetime) -> MachineKeys:
    """This machine's keys: those kept by an earlier run, else new ones."""
    with desk.transaction() as tx:
        try:
            kept = keys.load(tx)
        except Unknown:
            keys.keep(tx, SigningKey.generate(randomness), SealingKey.generate(randomness), now)
            kept = keys.load(tx)
    return MachineKeys(kept.identity, kept.sealing, _transport_key(paths, randomness))


def _transport_key(paths: NodePaths, randomness: Randomness) -> SigningKey:
    if not paths.transport_key.exists():
        place(paths.transport_key, SigningKey.generate(randomness).to_bytes(), mode=TRANSPORT_KEY_MODE)
    return SigningKey.from_bytes(paths.transport_key.read_bytes())
