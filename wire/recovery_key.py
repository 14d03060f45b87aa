"""How the city opens the desk of a dead machine: its slot of the keyring, and the recovery key it gives for one disk.

Laws:
- A slot that is sealed to a public key binds its kind and owner, so that slots cannot be swapped.
- The city's sealing keys never leave the city: what it opened in one keyring goes out as a recovery key, which opens
  that one disk and nothing else, under a passphrase (Argon2id).
- A recovery key says in the clear whose disk it opens. While that desk was being re-keyed it holds two keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wire.canonical import b64, canonical_json, read_json, unb64
from wire.errors import MalformedMessage, NotForThisKey, RecoveryKeyNotOpened, WireError
from wire.keys import SealingKey

__all__ = [
    "KEYRING_VERSION",
    "PASSPHRASE_AT_LEAST",
    "CitySlot",
    "RecoveryKey",
    "bound_to",
    "city_slots",
    "open_slot",
    "read_recovery_key",
    "seal_slot",
    "write_recovery_key",
]

KEYRING_VERSION: Final = 1
PASSPHRASE_AT_LEAST: Final = 12
_CITY = "city"
_KIND = "guangan-recovery-key"
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class CitySlot:
    """A wrap of a desk key that the city can open; `owner` is the id of the key it takes."""

    owner: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """What opens one disk: whose it is, and the keys under which its desk may lie."""

    node_id: str
    desk_keys: tuple[bytes, ...] = field(repr=False)


def bound_to(kind: str, owner: str) -> bytes:
    """What a slot is bound to."""
    return canonical_json(["guangan-desk-keyring", KEYRING_VERSION, kind, owner])


def seal_slot(kind: str, owner: str, desk_key: bytes, public: bytes) -> bytes:
    """Wrap a desk key for whoever holds the private half of `public`."""
    return _SUITE.encrypt(desk_key, X25519PublicKey.from_public_bytes(public), info=bound_to(kind, owner))


def open_slot(kind: str, owner: str, wrapped: bytes, own: SealingKey) -> bytes:
    """The desk key in a wrap; NotForThisKey when this key does not fit, or the wrap is another slot's."""
    try:
        return _SUITE.decrypt(wrapped, own.private, info=bound_to(kind, owner))
    except (InvalidTag, ValueError):
        raise NotForThisKey from None


def city_slots(keyring: bytes) -> list[CitySlot]:
    """The city's slots in the file of a keyring, which is not proven: a slot that was changed does not open."""
    try:
        document = read_json(keyring, "keyring")
        if document["version"] != KEYRING_VERSION:
            raise MalformedMessage("keyring")
        return [
            CitySlot(str(slot["owner"]), unb64(slot["wrapped"])) for slot in document["slots"] if slot["kind"] == _CITY
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MalformedMessage("keyring") from None


def write_recovery_key(key: RecoveryKey, passphrase: str, randomness: Callable[[int], bytes]) -> bytes:
    """The recovery key as a file under a passphrase."""
    if len(passphrase) < PASSPHRASE_AT_LEAST:
        raise ValueError(PASSPHRASE_AT_LEAST)
    salt, nonce = randomness(_SALT_BYTES), randomness(_NONCE_BYTES)
    kdf = {"memory_kib": _MEMORY_KIB, "passes": _PASSES, "lanes": _LANES, "salt": b64(salt)}
    head = {"kind": _KIND, "v": 1, "node": key.node_id, "kdf": kdf, "nonce": b64(nonce)}
    plain = canonical_json([b64(one) for one in key.desk_keys])
    stretched = _stretched(passphrase, salt, _MEMORY_KIB, _PASSES, _LANES)
    sealed = ChaCha20Poly1305(stretched).encrypt(nonce, plain, canonical_json(head))
    return canonical_json({**head, "sealed": b64(sealed)})


def read_recovery_key(data: bytes, passphrase: str) -> RecoveryKey:
    """The recovery key, or RecoveryKeyNotOpened: another passphrase, or a file that is none."""
    try:
        head: dict[str, Any] = read_json(data, "recovery key")
        sealed, kdf = unb64(head.pop("sealed")), head["kdf"]
        cost = int(kdf["memory_kib"]), int(kdf["passes"]), int(kdf["lanes"])
        if head["kind"] != _KIND or head["v"] != 1 or cost[0] > 1024 * 1024 or cost[1] > 16:
            raise RecoveryKeyNotOpened
        stretched = _stretched(passphrase, unb64(kdf["salt"]), *cost)
        plain = ChaCha20Poly1305(stretched).decrypt(unb64(head["nonce"]), sealed, canonical_json(head))
        return RecoveryKey(str(head["node"]), tuple(unb64(one) for one in read_json(plain, "recovery key")))
    except RecoveryKeyNotOpened:
        raise
    except (InvalidTag, WireError, KeyError, TypeError, ValueError, AttributeError):
        raise RecoveryKeyNotOpened from None


def _stretched(passphrase: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=_KEY_BYTES, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive(passphrase.encode())
