"""The sealed scan: a picture of a paper, sealed as it streams in, in 64 KiB chunks.

Laws:
- Plain bytes are never written anywhere: they go in by `update`, sealed bytes come out, at most one chunk is held.
- Each chunk is authenticated with its number and whether it is the last one, and with the whole header; cut,
  re-ordered, doubled or appended chunks are refused. What `open_scan` has yielded is authentic, but only an
  iteration that ended without error has seen the whole scan.
- A scan is named by the SHA-256 of its sealed bytes, the same on disk, on the wire and in the city.

Byte layout: head = magic "GASC", version 1, suite 1, n (1), scan id (16), n key ids (8 each); header = head and
n wraps (80 each); then sealed chunks of 65,536 + 16 bytes, the last one shorter or equal (empty only if the scan is).
"""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from wire.errors import NotAScan, NotForThisKey, Tampered, TrailingBytes, Truncated, UnknownVersion
from wire.keys import KEY_ID_BYTES, SealingKey, key_id
from wire.suites import Suite, suite_by_number

__all__ = [
    "CHUNK_BYTES",
    "SCAN_HEADER_MAX",
    "ScanHeader",
    "ScanSealer",
    "content_key_of",
    "open_scan",
    "read_scan_header",
    "rewrap_scan",
    "sealed_length",
    "unwrap_scan",
]

VERSION = 1
CHUNK_BYTES = 64 * 1024
MAX_RECIPIENTS = 16

_MAGIC = b"GASC"
_HEAD = struct.Struct(">4sBBB16s")
_WRAP_CONTEXT = b"guangan-wire-1\0scan-wrap\0"
_REWRAP_CONTEXT = b"guangan-wire-1\0scan-rewrap\0"
SCAN_HEADER_MAX = _HEAD.size + MAX_RECIPIENTS * (KEY_ID_BYTES + 1120 + 48)  # room for an ML-KEM hybrid wrap


@dataclass(frozen=True, slots=True)
class ScanHeader:
    """The clear part at the beginning of a sealed scan."""

    suite: int
    scan_id: bytes
    recipients: tuple[bytes, ...]
    head: bytes = field(repr=False)
    encoded: bytes = field(repr=False)


class ScanSealer:
    """Seals one scan while it streams in; the first bytes that come out are the header."""

    def __init__(
        self,
        recipients: Sequence[bytes],
        randomness: Callable[[int], bytes] = os.urandom,
        *,
        suite_number: int = 1,
    ) -> None:
        if not 1 <= len(recipients) <= MAX_RECIPIENTS:
            raise ValueError(f"1 to {MAX_RECIPIENTS} recipients")
        self._suite = suite_by_number(suite_number)
        self.content_key = randomness(self._suite.content_key_bytes)
        head = _HEAD.pack(_MAGIC, VERSION, self._suite.number, len(recipients), randomness(16))
        head += b"".join(key_id(public) for public in recipients)
        wraps = (self._suite.wrap(public, self.content_key, _WRAP_CONTEXT + head) for public in recipients)
        self.header = head + b"".join(wraps)
        self._hash = hashlib.sha256(self.header)
        self._held = bytearray()
        self._chunks = 0
        self._finished = False
        self._unsaid = self.header
        self.length = len(self.header)

    def update(self, plain: bytes) -> bytes:
        """Take plain bytes, give the sealed bytes that are complete so far (may be none)."""
        if self._finished:
            raise RuntimeError("the scan is finished")
        self._held += plain
        out = bytearray(self._unsaid)
        self._unsaid = b""
        while len(self._held) > CHUNK_BYTES:  # a full chunk waits: it may be the last one
            out += self._chunk(bytes(self._held[:CHUNK_BYTES]), final=False)
            del self._held[:CHUNK_BYTES]
        return bytes(out)

    def finish(self) -> bytes:
        """Seal what is held as the last chunk."""
        out = self.update(b"") + self._chunk(bytes(self._held), final=True)
        self._held.clear()
        self._finished = True
        return out

    @property
    def scan_hash(self) -> str:
        """The name of the scan, known when it is finished."""
        if not self._finished:
            raise RuntimeError("the scan is not finished")
        return self._hash.hexdigest()

    def _chunk(self, plain: bytes, *, final: bool) -> bytes:
        sealed = self._suite.encrypt(self.content_key, _nonce(self._chunks, final=final), plain, self.header)
        self._chunks += 1
        self._hash.update(sealed)
        self.length += len(sealed)
        return sealed


def read_scan_header(data: bytes) -> ScanHeader:
    """Read the header from the first bytes of a scan (`SCAN_HEADER_MAX` are always enough)."""
    if data[:4] != _MAGIC[: len(data[:4])]:
        raise NotAScan
    if len(data) < _HEAD.size:
        raise Truncated(_HEAD.size, len(data))
    _, version, suite_number, count, scan_id = _HEAD.unpack_from(data)
    if version != VERSION:
        raise UnknownVersion(version)
    suite = suite_by_number(suite_number)
    if not 1 <= count <= MAX_RECIPIENTS:
        raise NotAScan
    head_end = _HEAD.size + count * KEY_ID_BYTES
    end = head_end + count * suite.wrap_bytes
    if len(data) < end:
        raise Truncated(end, len(data))
    ids = tuple(bytes(data[at : at + KEY_ID_BYTES]) for at in range(_HEAD.size, head_end, KEY_ID_BYTES))
    return ScanHeader(suite_number, scan_id, ids, bytes(data[:head_end]), bytes(data[:end]))


def content_key_of(header_bytes: bytes, sealing_key: SealingKey) -> bytes:
    """The content key, for a recipient named in the header."""
    header = read_scan_header(header_bytes)
    suite = suite_by_number(header.suite)
    own = key_id(sealing_key.public)
    if own not in header.recipients:
        raise NotForThisKey
    at = len(header.head) + header.recipients.index(own) * suite.wrap_bytes
    return suite.unwrap(sealing_key, header.encoded[at : at + suite.wrap_bytes], _WRAP_CONTEXT + header.head)


def rewrap_scan(header_bytes: bytes, content_key: bytes, recipient_public: bytes) -> bytes:
    """Give one more reader access to the same sealed bytes."""
    header = read_scan_header(header_bytes)
    return suite_by_number(header.suite).wrap(recipient_public, content_key, _REWRAP_CONTEXT + header.encoded)


def unwrap_scan(header_bytes: bytes, wrap: bytes, sealing_key: SealingKey) -> bytes:
    """The content key from a wrap made by `rewrap_scan`."""
    header = read_scan_header(header_bytes)
    return suite_by_number(header.suite).unwrap(sealing_key, wrap, _REWRAP_CONTEXT + header.encoded)


def open_scan(chunks: Iterable[bytes], content_key: bytes, length: int | None = None) -> Iterator[bytes]:
    """Open sealed bytes that arrive in pieces of any size; yields plain chunks as each is proven.

    With the sealed `length` that the operation tells, a cut or extended scan is named as such wherever it was cut.
    """
    source = iter(chunks) if length is None else _exactly(length, iter(chunks))
    held = bytearray()
    for piece in source:
        held += piece
        if len(held) >= SCAN_HEADER_MAX:
            break
    header = read_scan_header(bytes(held[:SCAN_HEADER_MAX]))
    suite = suite_by_number(header.suite)
    del held[: len(header.encoded)]
    size = CHUNK_BYTES + suite.tag_bytes
    number = 0
    for piece in _and_then(source):
        held += piece
        while len(held) > size:
            yield _open_chunk(suite, content_key, header, number, bytes(held[:size]), final=False)
            del held[:size]
            number += 1
    yield _open_chunk(suite, content_key, header, number, bytes(held), final=True)


def sealed_length(plain_length: int, recipients: int = 1, *, suite_number: int = 1) -> int:
    """How long a scan will be once sealed, for the check of free space before it is taken in.

    >>> sealed_length(0), sealed_length(65536), sealed_length(65537)
    (127, 65663, 65680)
    """
    suite = suite_by_number(suite_number)
    header = _HEAD.size + recipients * (KEY_ID_BYTES + suite.wrap_bytes)
    return header + plain_length + max(1, -(-plain_length // CHUNK_BYTES)) * suite.tag_bytes


def _exactly(length: int, source: Iterator[bytes]) -> Iterator[bytes]:
    seen = 0
    for piece in source:
        seen += len(piece)
        if seen > length:
            raise TrailingBytes(length, seen)
        yield piece
    if seen < length:
        raise Truncated(length, seen)


def _and_then(source: Iterator[bytes]) -> Iterator[bytes]:
    yield b""  # what was read with the header is looked at first
    yield from source


def _open_chunk(
    suite: Suite, content_key: bytes, header: ScanHeader, number: int, sealed: bytes, *, final: bool
) -> bytes:
    if len(sealed) < suite.tag_bytes:
        raise Truncated(suite.tag_bytes, len(sealed))
    try:
        plain = suite.decrypt(content_key, _nonce(number, final=final), sealed, header.encoded)
    except Tampered:
        _say_why(suite, content_key, header, number, sealed, final=final)
        raise Tampered(f"chunk {number}") from None
    if final and not plain and number > 0:
        raise Tampered(f"chunk {number}")
    return plain


def _say_why(suite: Suite, content_key: bytes, header: ScanHeader, number: int, sealed: bytes, *, final: bool) -> None:
    """A chunk that is authentic with the other flag tells that the scan was cut, or that something was added."""
    try:
        suite.decrypt(content_key, _nonce(number, final=not final), sealed, header.encoded)
    except Tampered:
        return
    if final:
        raise Truncated(number + 2, number + 1)
    raise TrailingBytes(number + 1, number + 2)


def _nonce(number: int, *, final: bool) -> bytes:
    return bytes(3) + number.to_bytes(8, "big") + bytes([final])
