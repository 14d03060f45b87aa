"""Proving a node's signed request from its head alone: RFC 9421 in the one spelling that `wire.http_signature` writes.

Laws:
- Covered are method, path, query, the digest of the body, its type and, where present, the resumable-upload headers, in
  this order and no other, so that nobody on the way can move bytes to another place. Host and scheme are not
  covered: a relay or a reverse proxy may change them, and the envelopes inside are signed end to end.
- There is one spelling of Signature-Input and Signature; every other one is refused, even where RFC 9421 would read it
  alike. So the signed text is the header's own text, and nothing is parsed that an attacker could make ambiguous.
- A request is proven before a byte of its body is stored. Its body is proven at its end against the signed digest
  (`BodyCheck`), and what does not match was never received.
- Time is handed in. A stale request is answered with the gateway's signed time, by which the node corrects itself;
  a wrong clock delays a request, never loses it. Replay is stopped by nonce, which the door remembers for the window.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.canonical import unb64
from wire.errors import RequestChanged, RequestStale, RequestUnsigned

__all__ = [
    "ALWAYS_COVERED",
    "COVERED_WHERE_PRESENT",
    "LABEL",
    "TAG",
    "WINDOW",
    "BodyCheck",
    "Claim",
    "SignedBy",
    "read_claim",
]

LABEL = "node"
TAG = "guangan-node"
WINDOW = timedelta(minutes=5)
ALWAYS_COVERED = ("@method", "@path", "@query", "content-digest")
COVERED_WHERE_PRESENT = (
    "content-type",
    "tus-resumable",
    "upload-offset",
    "upload-length",
    "upload-metadata",
    "upload-checksum",
    "range",
)

_SAID = ("signature-input", "signature", "content-digest")
_READ = frozenset((*_SAID, *COVERED_WHERE_PRESENT))
_INPUT = re.compile(
    rf'{LABEL}=(\(([a-z@" -]*)\);created=(0|[1-9][0-9]{{0,14}});keyid="([0-9a-f]{{32}})"'
    rf';alg="ed25519";nonce="([0-9a-f]{{32}})";tag="{TAG}")'
)
_SIGNATURE = re.compile(rf"{LABEL}=:([A-Za-z0-9+/]{{86}}==):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_METHOD = re.compile(r"[A-Z]{1,16}")
_SIGNS = r"A-Za-z0-9._~\-!$&'()*+,;=:@/"
_TARGET = re.compile(rf"(/(?:[{_SIGNS}]|%[0-9A-Fa-f]{{2}})*)(?:\?((?:[{_SIGNS}?]|%[0-9A-Fa-f]{{2}})*))?")  # RFC 3986


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

    def digest(self) -> bytes:
        """The SHA-256 of what was seen so far."""
        return self._seen.digest()

    def finish(self) -> None:
        """Raise RequestChanged unless the whole body was the signed one."""
        if not hmac.compare_digest(self._seen.digest(), self._expected):
            raise RequestChanged


@dataclass(frozen=True, slots=True)
class Claim:
    """What the head of a request says of its signer; worth nothing before `prove`."""

    signed: SignedBy
    signature: bytes
    base: bytes

    def prove(self, transport_public: bytes, now: datetime, window: timedelta = WINDOW) -> SignedBy:
        """The proven request, if this key signed it and not too long ago or ahead."""
        try:
            Ed25519PublicKey.from_public_bytes(transport_public).verify(self.signature, self.base)
        except InvalidSignature:
            raise RequestUnsigned("signature") from None
        off_by = int(now.timestamp()) - self.signed.created
        if abs(off_by) > window.total_seconds():
            raise RequestStale(off_by)
        return self.signed


def read_claim(*, method: str, target: str, headers: Iterable[tuple[str, str]]) -> Claim:
    """Read the head of a request; `target` is path and query as they stand in its first line."""
    said = _relevant(headers)
    found = _INPUT.fullmatch(said.get("signature-input", ""))
    if found is None:
        raise RequestUnsigned("no_signature")
    params, covered, created, node_id, nonce = found.groups()
    where = _TARGET.fullmatch(target)
    if where is None or not _METHOD.fullmatch(method):
        raise RequestUnsigned("signature")
    fields = [name for name in COVERED_WHERE_PRESENT if name in said]
    if covered != " ".join(f'"{name}"' for name in (*ALWAYS_COVERED, *fields)):
        raise RequestUnsigned("signature")
    lines = [
        f'"@method": {method}',
        f'"@path": {where[1]}',
        f'"@query": ?{where[2] or ""}',
        *(f'"{name}": {said.get(name, "")}' for name in ("content-digest", *fields)),
        f'"@signature-params": {params}',
    ]
    digest = _bytes_in(_DIGEST, said.get("content-digest", ""), "digest")
    signature = _bytes_in(_SIGNATURE, said.get("signature", ""), "signature")
    signed = SignedBy(node_id, int(created), nonce, digest)
    return Claim(signed, signature, "\n".join(lines).encode("ascii"))


def _relevant(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The header lines that matter; one that comes twice, or holds more than plain text, proves nothing."""
    said: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key in _READ:
            if key in said or not (value.isascii() and value.isprintable()):
                raise RequestUnsigned("signature" if key in said or key not in _SAID else "no_signature")
            said[key] = value.strip(" ")
    return said


def _bytes_in(pattern: re.Pattern[str], text: str, why: str) -> bytes:
    match = pattern.fullmatch(text)
    if match is None:
        raise RequestUnsigned(why)
    try:
        return unb64(match[1])
    except ValueError:
        raise RequestUnsigned(why) from None
