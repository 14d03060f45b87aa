"""The same proof made by `http-message-signatures`, a general reader of RFC 9421: what the door must agree with.

The library reads the machine's clock; here the time is left to the caller, as in the prover itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from wire.request_proof import ALWAYS_COVERED, COVERED_WHERE_PRESENT, TAG


@dataclass
class _Message:
    method: str
    url: str
    headers: Any


class _Lines:
    """Header lines in order, as the library reads them."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        self._lines = [(name.lower(), value) for name, value in lines]

    def items(self) -> list[tuple[str, str]]:
        return self._lines


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, public: bytes) -> None:
        self._public = Ed25519PublicKey.from_public_bytes(public)

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return self._public


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:
        if "created" not in sig_input.params or "expires" in sig_input.params:
            raise InvalidSignature("created is required, expires is not used")


def library_proves(
    method: str, target: str, headers: Sequence[tuple[str, str]], public: bytes
) -> tuple[str, int, str] | None:
    """Who signed, when, and with which nonce; None when the library does not believe it."""
    present = {name.lower() for name, _ in headers}
    required = (*ALWAYS_COVERED, *(name for name in COVERED_WHERE_PRESENT if name in present))
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(public))
    message = _Message(method, f"https://city.example{target}", _Lines(headers))
    try:
        found = verifier.verify(message, expect_tag=TAG, max_age=None, require_components=required)
    except (HTTPMessageSignaturesException, ValueError, TypeError, UnicodeError):
        return None
    said = found[0].parameters
    if len(found) != 1 or "nonce" not in said:
        return None
    return str(said["keyid"]), int(said["created"]), str(said["nonce"])
