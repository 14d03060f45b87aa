"""Requests signed by a node's transport key, RFC 9421 with Ed25519.

Laws:
- Covered are method, path, query, the digest of the body, its type and, where present, the resumable-upload headers,
  so that nobody on the way can move bytes to another place. Host and scheme are not covered: a relay or a
  reverse proxy may change them, and the envelopes inside are signed end to end.
- A request is proven before a byte of its body is stored. Its body is proven at its end against the signed digest
  (`BodyCheck`), and what does not match was never received.
- Time is handed in. A stale request is answered with the gateway's signed time, by which the node corrects itself;
  a wrong clock delays a request, never loses it. Replay is stopped by nonce, which the door remembers for the window.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from wire.canonical import b64, unb64
from wire.errors import RequestChanged, RequestStale, RequestUnsigned
from wire.keys import SigningKey

__all__ = ["WINDOW", "BodyCheck", "SignedBy", "digest_of", "sign_request", "verify_request"]

TAG = "guangan-node"
WINDOW = timedelta(minutes=5)

_ALWAYS = ("@method", "@path", "@query", "content-digest")
_WHERE_PRESENT = (
    "content-type",
    "tus-resumable",
    "upload-offset",
    "upload-length",
    "upload-metadata",
    "upload-checksum",
    "range",
)
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A proven request: who signed it, when, its nonce, and the digest its body must have."""

    node_id: str
    created: int
    nonce: str
    body_sha256: bytes


class BodyCheck:
    """Follows a body while it streams, and tells at its end whether it is the signed one."""

    def __init__(self, signed: SignedBy) -> None:
        self._expected = signed.body_sha256
        self._seen = hashlib.sha256()

    def update(self, piece: bytes) -> None:
        self._seen.update(piece)

    def finish(self) -> None:
        """Raise RequestChanged unless the whole body was the signed one."""
        if not hmac.compare_digest(self._seen.digest(), self._expected):
            raise RequestChanged


@dataclass
class _Request:
    method: str
    url: str
    headers: Any


class _FieldLines:
    """Header lines in order, as the library reads them."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = list(lines)

    def items(self) -> list[tuple[str, str]]:
        return self._lines


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, *, private: Ed25519PrivateKey | None = None, public: Ed25519PublicKey | None = None) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002 - there is one key
        if self._private is None:
            raise TypeError("this resolver verifies")
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:  # noqa: ARG002 - there is one key
        if self._public is None:
            raise TypeError("this resolver signs")
        return self._public


class _Verifier(HTTPMessageVerifier):
    """The library reads the machine's clock; here the time was handed in and is checked by `verify_request`."""

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:  # noqa: ANN401, ARG002
        if "created" not in sig_input.params or "expires" in sig_input.params:
            raise InvalidSignature("created is required, expires is not used")


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
    covered = (*_ALWAYS, *(name for name in _WHERE_PRESENT if name in signed))
    private = Ed25519PrivateKey.from_private_bytes(transport_key.to_bytes())
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(private=private))
    signer.sign(
        _Request(method, url, signed),
        key_id=node_id,
        created=created,
        nonce=nonce,
        label="node",
        tag=TAG,
        covered_component_ids=covered,
        use_existing_digest=True,
    )
    return signed


def verify_request(
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    public_of: Callable[[str], bytes | None],
    now: datetime,
    window: timedelta = WINDOW,
) -> SignedBy:
    """Prove a request from its head alone; `public_of` finds a node's transport key by node id.

    `url` is built from the configured public address and the request's own path and query.
    """
    lines = [(name.lower(), value) for name, value in headers]
    claimed = _claimed_node(lines)
    public = public_of(claimed)
    if public is None:
        raise RequestUnsigned("unknown_node")
    required = (*_ALWAYS, *(name for name in _WHERE_PRESENT if any(name == line[0] for line in lines)))
    verifier = _Verifier(
        signature_algorithm=algorithms.ED25519,
        key_resolver=_OneKey(public=Ed25519PublicKey.from_public_bytes(public)),
    )
    try:
        results = verifier.verify(
            _Request(method, url, _FieldLines(lines)), expect_tag=TAG, max_age=None, require_components=required
        )
    except Exception:  # noqa: BLE001 - whatever a hostile header provokes, the request is not proven
        raise RequestUnsigned("signature") from None
    result = results[0]
    created = result.parameters["created"]
    if len(results) != 1 or result.parameters["keyid"] != claimed or not result.nonce or not isinstance(created, int):
        raise RequestUnsigned("parameters")
    off_by = int(now.timestamp()) - created
    if abs(off_by) > window.total_seconds():
        raise RequestStale(off_by)
    return SignedBy(claimed, created, result.nonce, _digest(lines))


def _claimed_node(lines: list[tuple[str, str]]) -> str:
    inputs = [value for name, value in lines if name == "signature-input"]
    found = re.findall(r';keyid="([0-9a-f]{32})"', inputs[0]) if len(inputs) == 1 else []
    if len(found) != 1:
        raise RequestUnsigned("no_signature")
    return str(found[0])


def _digest(lines: list[tuple[str, str]]) -> bytes:
    values = [value for name, value in lines if name == "content-digest"]
    match = _DIGEST.fullmatch(values[0].strip()) if len(values) == 1 else None
    if match is None:
        raise RequestUnsigned("digest")
    try:
        return unb64(match[1])
    except ValueError:
        raise RequestUnsigned("digest") from None
