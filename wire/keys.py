"""The keys of nodes and gateway, for suite 1: Ed25519 to sign, X25519 to be sealed to.

Laws:
- A signature is always made under a label, so that bytes signed for one purpose are worthless for another.
- Public keys travel as 32 raw bytes and are named by `key_id`, 8 bytes of a labelled SHA-256.
- A private key never appears in `repr`, and leaves its object only through `to_bytes`, for the keyring.
"""

import hashlib
import os
from collections.abc import Callable
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.errors import WrongSignature

__all__ = ["KEY_ID_BYTES", "PUBLIC_BYTES", "SIGNATURE_BYTES", "SealingKey", "SigningKey", "key_id", "verify"]

PUBLIC_BYTES = 32
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64

_DOMAIN = b"guangan-wire-1"


class SigningKey:
    """An Ed25519 key: a node's identity, its transport key, or the gateway's."""

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public: bytes = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, randomness: Callable[[int], bytes] = os.urandom) -> Self:
        return cls.from_bytes(randomness(PUBLIC_BYTES))

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        return cls(Ed25519PrivateKey.from_private_bytes(secret))

    def to_bytes(self) -> bytes:
        return self._private.private_bytes_raw()

    def sign(self, label: str, data: bytes) -> bytes:
        """Sign `data` for the one purpose named by `label`."""
        return self._private.sign(_labelled(label, data))

    def __repr__(self) -> str:
        return f"SigningKey({key_id(self.public).hex()})"


class SealingKey:
    """An X25519 key to which envelopes and scans are sealed."""

    __slots__ = ("private", "public")

    def __init__(self, private: X25519PrivateKey) -> None:
        self.private = private
        self.public: bytes = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, randomness: Callable[[int], bytes] = os.urandom) -> Self:
        return cls.from_bytes(randomness(PUBLIC_BYTES))

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        return cls(X25519PrivateKey.from_private_bytes(secret))

    def to_bytes(self) -> bytes:
        return self.private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SealingKey({key_id(self.public).hex()})"


def verify(public: bytes, label: str, data: bytes, signature: bytes) -> None:
    """Raise WrongSignature unless `signature` was made by `public` over `data` under `label`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _labelled(label, data))
    except (InvalidSignature, ValueError):
        raise WrongSignature from None


def key_id(public: bytes) -> bytes:
    """The short name of a public key.

    >>> key_id(bytes(32)).hex()
    'd23f503d67f6a3f0'
    """
    return hashlib.sha256(_DOMAIN + b"\0key-id\0" + public).digest()[:KEY_ID_BYTES]


def _labelled(label: str, data: bytes) -> bytes:
    name = label.encode("ascii")
    if not name or b"\0" in name:
        raise ValueError("a label is a short ASCII name")
    return b"\0".join((_DOMAIN, name, data))
