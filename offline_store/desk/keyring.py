"""The key of the desk, wrapped once for each who may open it.

Three kinds of slot: *machine* (a key the service manager hands to edge_node alone), *clerk* (a passphrase, for sites
that choose to unlock at start), *city* (sealed to the city's recovery key, so that a dead machine's disk can be read
by those entitled).

Laws: the desk key is 32 random bytes and is never derived from anything a person can remember; it lies on the disk
only wrapped; slots come and go without touching the desk; the kind and owner of a slot are bound into its wrap, so
slots cannot be swapped. While the desk is re-keyed every slot stands there twice, the second time marked *next*, until
it is certain under which key the desk lies. While the machine key is renewed a slot for each machine key stands there,
until the new one was seen to open. Clerk and city slots are sealed to a public key, so that a new desk key goes into
them without passphrase or recovery key at hand.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offline_store.desk.passphrases import SIGN_IN, Cost, folded
from offline_store.errors import (
    KeyringDamaged,
    KeyringError,
    KeyringExists,
    KeyringMissing,
    LastSlot,
    MachineKeyMissing,
    SlotRefused,
)
from offline_store.placing import place
from wire.canonical import b64, canonical_json, read_json, unb64
from wire.errors import NotForThisKey, WireError
from wire.keys import SealingKey, key_id
from wire.recovery_key import KEYRING_VERSION, bound_to, open_slot, seal_slot

KEY_BYTES = 32
SALT_BYTES = 16
NONCE = bytes(12)  # each wrapping key is derived with a fresh salt and used once
NEXT = "next"
MODE = 0o600
CREDENTIAL = "desk-key"
MACHINE_KEY_FILE = "GUANGAN_MACHINE_KEY_FILE"

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class ByClerk:
    """A clerk who opens the desk at a site that unlocks at start."""

    clerk_id: str
    passphrase: str = field(repr=False)


Opener: TypeAlias = bytes | ByClerk
"""What opens a keyring on a node: the machine key, or a clerk with the passphrase."""


def machine_key(environment: Mapping[str, str] = os.environ) -> bytes:
    """The key handed to this process: a systemd credential, or a file that the environment names."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    named = environment.get(MACHINE_KEY_FILE)
    candidates = [Path(folder) / CREDENTIAL] if folder else []
    candidates += [Path(named)] if named else []
    for path in candidates:
        try:
            return read_machine_key(path.read_bytes())
        except (FileNotFoundError, PermissionError):
            continue
    raise MachineKeyMissing


def create(path: Path, machine: bytes, city_public: bytes | None, randomness: Randomness = os.urandom) -> bytes:
    """Make a keyring with a fresh desk key in it, and return that key; an existing keyring is never replaced."""
    if path.exists():
        raise KeyringExists
    desk_key = randomness(KEY_BYTES)
    slots = [_machine_slot(desk_key, machine, randomness)]
    if city_public is not None:
        slots.append(_city_slot(desk_key, city_public))
    _write(path, slots)
    return desk_key


def unlock(path: Path, opener: Opener) -> bytes:
    """The desk key, by the slot of whoever opens."""
    return candidates(path, opener)[0]


def candidates(path: Path, opener: Opener) -> list[bytes]:
    """The desk key by the slot of whoever opens; two while the desk is re-keyed, the one in use before first."""
    return _by_clerk(path, opener) if isinstance(opener, ByClerk) else _by_machine(path, opener)


def opens_alone(path: Path) -> bool:
    """Whether a machine key opens the desk; where none does, a clerk unlocks it after each start."""
    return any(slot["kind"] == "machine" for slot in _read(path))


def _by_machine(path: Path, machine: bytes) -> list[bytes]:
    slots = [slot for slot in _read(path) if slot["kind"] == "machine"]
    if not slots:
        raise SlotRefused("machine")
    sets = [[slot for slot in slots if bool(slot.get(NEXT)) is is_next] for is_next in (False, True)]
    return [_by_any(one, machine) for one in sets if one]


def add_next(
    path: Path, opener: Opener, new_key: bytes, cities: Sequence[bytes], randomness: Randomness = os.urandom
) -> None:
    """Put a wrap of the key that will be beside each wrap of the key that is, in one step.

    `cities` are the public recovery keys that may be known where a slot of an earlier release does not carry its own.
    """
    now = [slot for slot in _read(path) if not slot.get(NEXT)]
    known = {key_id(public).hex(): public for public in cities}
    after = [] if isinstance(opener, ByClerk) else [_machine_slot(new_key, opener, randomness)]
    for slot in now:
        public = _bytes(slot, "public") if "public" in slot else known.get(slot["owner"])
        if slot["kind"] == "machine":
            continue
        if public is None:
            raise SlotRefused(slot["kind"])
        after.append(slot | {"wrapped": _sealed(slot["kind"], slot["owner"], new_key, public)})
    _write(path, [*now, *({**slot, NEXT: True} for slot in after)])


def settle(path: Path, *, on_next: bool) -> None:
    """Keep one set of slots: those that were next when the desk lies under the new key, else those of before."""
    kept = [slot for slot in _read(path) if bool(slot.get(NEXT)) is on_next]
    _write(path, [{name: value for name, value in slot.items() if name != NEXT} for slot in kept])


def _by_clerk(path: Path, who: ByClerk) -> list[bytes]:
    slots = [slot for slot in _read(path) if (slot["kind"], slot["owner"]) == ("clerk", who.clerk_id)]
    if not slots:
        _from_passphrase(who.passphrase, bytes(SALT_BYTES), SIGN_IN)  # a name without a slot costs a guess as much
        raise SlotRefused("clerk")
    cost = Cost(slots[0]["memory_kib"], slots[0]["iterations"], slots[0]["lanes"])
    wrapping = _from_passphrase(who.passphrase, _bytes(slots[0], "salt"), cost)
    own = SealingKey.from_bytes(_unwrap(slots[0], wrapping, owner=who.clerk_id, part="private"))
    return [_opened(slot, own) for slot in slots]


def is_between_keys(path: Path) -> bool:
    """Whether a re-keying was cut and is not settled yet."""
    return any(slot.get(NEXT) for slot in _read(path))


def add_machine_slot(path: Path, desk_key: bytes, machine: bytes, randomness: Randomness = os.urandom) -> None:
    """Let another machine key open the desk, beside those that do."""
    _write(path, [*_read(path), _machine_slot(desk_key, machine, randomness)])


def keep_machine_slot(path: Path, machine: bytes) -> None:
    """Only this machine key opens the desk from now on; refused when it does not."""
    kept = _read(path)
    own = [slot for slot in kept if slot["kind"] == "machine" and _opens(slot, machine)]
    if not own:
        raise SlotRefused("machine")
    _write(path, [*own, *(slot for slot in kept if slot["kind"] != "machine")])


def put_clerk_slot(
    path: Path,
    desk_key: bytes,
    clerk_id: str,
    passphrase: str,
    *,
    cost: Cost = SIGN_IN,
    randomness: Randomness = os.urandom,
) -> None:
    """Let a clerk's passphrase open the desk; a slot the clerk had before is replaced."""
    others = [slot for slot in _read(path) if (slot["kind"], slot["owner"]) != ("clerk", clerk_id)]
    salt, own = randomness(SALT_BYTES), SealingKey.generate(randomness)
    wrapping = _from_passphrase(passphrase, salt, cost)
    slot = _wrap("clerk", clerk_id, own.to_bytes(), wrapping, salt, part="private")
    slot |= {"public": b64(own.public), "wrapped": _sealed("clerk", clerk_id, desk_key, own.public)}
    slot |= {"memory_kib": cost.memory_kib, "iterations": cost.iterations, "lanes": cost.lanes}
    _write(path, [*others, slot])


def drop_clerk_slot(path: Path, clerk_id: str) -> None:
    """This clerk's passphrase opens the desk no longer; refused where nobody on the node could open it then."""
    kept = [slot for slot in _read(path) if (slot["kind"], slot["owner"]) != ("clerk", clerk_id)]
    _must_open_here(kept)
    _write(path, kept)


def drop_machine_slots(path: Path) -> None:
    """From now on a clerk unlocks after each start; refused where no clerk could."""
    kept = [slot for slot in _read(path) if slot["kind"] != "machine"]
    _must_open_here(kept)
    _write(path, kept)


def drop_clerk_slots(path: Path) -> None:
    """The machine opens alone again, and no passphrase does."""
    kept = [slot for slot in _read(path) if slot["kind"] != "clerk"]
    _must_open_here(kept)
    _write(path, kept)


def _must_open_here(kept: Sequence[Mapping[str, Any]]) -> None:
    if not any(slot["kind"] in {"machine", "clerk"} for slot in kept):
        raise LastSlot


def slots(path: Path) -> list[tuple[str, str]]:
    """Kind and owner of every slot, for `doctor`."""
    return [(slot["kind"], slot["owner"]) for slot in _read(path)]


def _machine_slot(desk_key: bytes, machine: bytes, randomness: Randomness) -> dict[str, Any]:
    salt = randomness(SALT_BYTES)
    return _wrap("machine", "", desk_key, _from_machine(machine, salt), salt)


def _by_any(slots: Sequence[Mapping[str, Any]], machine: bytes) -> bytes:
    """The key by whichever of the slots this machine key fits."""
    refused: KeyringError = SlotRefused("machine")
    for slot in slots:
        try:
            return _unwrap(slot, _from_machine(machine, _bytes(slot, "salt")), owner="")
        except (SlotRefused, KeyringDamaged) as reason:
            refused = reason
    raise refused


def _opens(slot: Mapping[str, Any], machine: bytes) -> bool:
    try:
        _by_any([slot], machine)
    except KeyringError:
        return False
    return True


def _city_slot(desk_key: bytes, city_public: bytes) -> dict[str, Any]:
    owner = key_id(city_public).hex()
    sealed = _sealed("city", owner, desk_key, city_public)
    return {"kind": "city", "owner": owner, "public": b64(city_public), "wrapped": sealed}


def _sealed(kind: str, owner: str, desk_key: bytes, public: bytes) -> str:
    return b64(seal_slot(kind, owner, desk_key, public))


def _opened(slot: Mapping[str, Any], own: SealingKey) -> bytes:
    try:
        return open_slot(slot["kind"], slot["owner"], unb64(slot["wrapped"]), own)
    except (NotForThisKey, ValueError):
        raise SlotRefused(slot["kind"]) from None


def _wrap(
    kind: str, owner: str, secret: bytes, wrapping_key: bytes, salt: bytes, part: str = "wrapped"
) -> dict[str, Any]:
    wrapped = ChaCha20Poly1305(wrapping_key).encrypt(NONCE, secret, bound_to(kind, owner))
    return {"kind": kind, "owner": owner, "salt": b64(salt), part: b64(wrapped)}


def _unwrap(slot: Mapping[str, Any], wrapping_key: bytes, owner: str, part: str = "wrapped") -> bytes:
    try:
        return ChaCha20Poly1305(wrapping_key).decrypt(NONCE, unb64(slot[part]), bound_to(slot["kind"], owner))
    except (InvalidTag, ValueError, KeyError):
        raise SlotRefused(slot["kind"]) from None


def _from_machine(machine: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, b"guangan-desk machine slot").derive(machine)


def _from_passphrase(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    kdf = Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive(folded(passphrase))


def read_machine_key(data: bytes) -> bytes:
    """32 raw bytes or 64 hexadecimal digits."""
    if len(data) == KEY_BYTES:
        return data
    try:
        key = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        raise MachineKeyMissing from None
    if len(key) != KEY_BYTES:
        raise MachineKeyMissing
    return key


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        document = read_json(path.read_bytes(), "keyring")
        if document["version"] != KEYRING_VERSION:
            raise KeyringDamaged
        kept: list[dict[str, Any]] = document["slots"]
        for slot in kept:
            if not {"kind", "owner", "wrapped"} <= slot.keys():
                raise KeyringDamaged
    except FileNotFoundError:
        raise KeyringMissing from None
    except (WireError, KeyError, TypeError, AttributeError):
        raise KeyringDamaged from None
    return kept


def _bytes(slot: Mapping[str, Any], name: str) -> bytes:
    """A binary value of a slot; one that rotted is no base64 any more, or not there."""
    try:
        return unb64(slot[name])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise KeyringDamaged from None


def is_sound(path: Path) -> bool:
    """Whether every slot is as it was written: a slot that rotted is noticed before it is needed."""
    document = read_json(path.read_bytes(), "keyring")
    return document.get("sum") in (None, _sum(document["slots"]))


def _sum(kept: list[dict[str, Any]]) -> str:
    return hashlib.sha256(canonical_json(kept)).hexdigest()


def _write(path: Path, kept: list[dict[str, Any]]) -> None:
    place(path, canonical_json({"version": KEYRING_VERSION, "slots": kept, "sum": _sum(kept)}), mode=MODE)
