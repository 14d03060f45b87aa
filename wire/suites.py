"""The suites of algorithms, behind one interface.

Laws:
- The suite number stands in the clear header, is covered by every check, and is never guessed.
- A suite is chosen by the sealer; a reader knows all suites of its program and refuses the others.
- Content keys are fresh and random for each item, so the single-piece nonce may be zero (RFC 8439 asks for
  a nonce that never repeats under one key). A scan's nonces count its chunks.

Suite 1 = X25519 + HKDF-SHA256 + ChaCha20-Poly1305 (HPKE base mode, RFC 9180), Ed25519, SHA-256.
Suite 2 is reserved for SM2, SM3, SM4-GCM: one more class here, and keys that name their suite.
"""

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from wire.errors import Tampered, UnknownSuite
from wire.keys import SIGNATURE_BYTES, SealingKey, SigningKey, verify

__all__ = ["SUITES", "Suite", "SuiteOne", "suite_by_number"]


class Suite(Protocol):
    """What envelope and scan need from a family of algorithms."""

    number: int
    content_key_bytes: int
    wrap_bytes: int
    tag_bytes: int
    signature_bytes: int

    def wrap(self, recipient_public: bytes, content_key: bytes, context: bytes) -> bytes:
        """Seal a content key to a recipient, bound to `context`."""

    def unwrap(self, recipient: SealingKey, wrap: bytes, context: bytes) -> bytes:
        """Open a wrapped content key, or raise Tampered."""

    def encrypt(self, content_key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        """Encrypt once under a content key and nonce that are never used together again."""

    def decrypt(self, content_key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt, or raise Tampered."""

    def sign(self, signer: SigningKey, label: str, data: bytes) -> bytes:
        """Sign under a label."""

    def verify(self, public: bytes, label: str, data: bytes, signature: bytes) -> None:
        """Check a signature, or raise WrongSignature."""

    def digest(self, data: bytes) -> bytes:
        """The 32-byte hash of the suite."""


class SuiteOne:
    """The international suite."""

    number = 1
    content_key_bytes = 32
    wrap_bytes = 32 + 32 + 16  # encapsulated key, content key, tag
    tag_bytes = 16
    signature_bytes = SIGNATURE_BYTES

    _hpke = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)

    def wrap(self, recipient_public: bytes, content_key: bytes, context: bytes) -> bytes:
        return self._hpke.encrypt(content_key, X25519PublicKey.from_public_bytes(recipient_public), info=context)

    def unwrap(self, recipient: SealingKey, wrap: bytes, context: bytes) -> bytes:
        try:
            return self._hpke.decrypt(wrap, recipient.private, info=context)
        except (InvalidTag, ValueError):
            raise Tampered("wrap") from None

    def encrypt(self, content_key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        return ChaCha20Poly1305(content_key).encrypt(nonce, plain, associated)

    def decrypt(self, content_key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        try:
            return ChaCha20Poly1305(content_key).decrypt(nonce, sealed, associated)
        except (InvalidTag, ValueError):
            raise Tampered("content") from None

    def sign(self, signer: SigningKey, label: str, data: bytes) -> bytes:
        return signer.sign(label, data)

    def verify(self, public: bytes, label: str, data: bytes, signature: bytes) -> None:
        verify(public, label, data, signature)

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()


SUITES: dict[int, Suite] = {1: SuiteOne()}


def suite_by_number(number: int) -> Suite:
    """The suite with this number, or UnknownSuite."""
    try:
        return SUITES[number]
    except KeyError:
        raise UnknownSuite(number) from None
