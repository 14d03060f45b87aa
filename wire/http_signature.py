"""Signing a request with a node's transport key: RFC 9421 with Ed25519, in the one spelling that the door reads.

Laws: what is covered, and why, stands in `wire.request_proof`. Written with the library, read without it: so every
request that is proven has been understood alike by two strangers.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from wire.canonical import b64
from wire.keys import SigningKey
from wire.request_proof import ALWAYS_COVERED, COVERED_WHERE_PRESENT, LABEL, TAG

__all__ = ["digest_of", "sign_request"]


@dataclass
class _Request:
    method: str
    url: str
    headers: Any


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002 - there is one key
        return self._private


def digest_of(body: bytes) -> str:
    """The Content-Digest header of a body.

    >>> digest_of(b"")
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
    """
    return f"sha-256=:{b64(hashlib.sha256(body).digest())}:"


def sign_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    node_id: str,
    transport_key: SigningKey,
    created: datetime,
    nonce: str,
) -> dict[str, str]:
    """The headers to send: those given, Content-Digest, and the signature. `created` is aware."""
    signed = {name.lower(): value for name, value in headers.items()}
    signed["content-digest"] = digest_of(body)
    covered = (*ALWAYS_COVERED, *(name for name in COVERED_WHERE_PRESENT if name in signed))
    private = Ed25519PrivateKey.from_private_bytes(transport_key.to_bytes())
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(private))
    signer.sign(
        _Request(method, url, signed),
        key_id=node_id,
        created=created,
        nonce=nonce,
        label=LABEL,
        tag=TAG,
        covered_component_ids=covered,
        use_existing_digest=True,
    )
    return signed
