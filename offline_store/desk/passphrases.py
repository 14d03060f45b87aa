"""How much one guess of a passphrase costs.

Laws: a stored hash carries its own cost, so raising the cost never locks anybody out; a passphrase is compared in its
NFKC form, because two input methods write the same sign differently.
"""

import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id: memory in KiB, passes over it, lanes."""

    memory_kib: int
    iterations: int
    lanes: int


SIGN_IN = Cost(memory_kib=32 * 1024, iterations=6, lanes=1)  # 0.13 s on the build machine, about 1 s on a cheap board
ONLY_FOR_TESTS = Cost(memory_kib=64, iterations=1, lanes=1)


def hashed(passphrase: str, salt: bytes, cost: Cost) -> str:
    """The hash to keep, in PHC form: it names its salt and cost."""
    kdf = Argon2id(
        salt=salt, length=HASH_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive_phc_encoded(folded(passphrase))


def matches(passphrase: str, kept: str) -> bool:
    """Whether the passphrase is the one that was hashed."""
    try:
        Argon2id.verify_phc_encoded(folded(passphrase), kept)
    except InvalidKey:
        return False
    return True


def folded(passphrase: str) -> bytes:
    """The one spelling of a passphrase."""
    return unicodedata.normalize("NFKC", passphrase).encode()
