"""The sealed envelope: one operation, one feed entry or one audit entry, sealed once and never again.

Laws:
- Header, wraps, body and signature are checked in this order: shape, signature, wrap, body. Nothing is decrypted
  that is not signed by the expected signer.
- The header is associated data of the body and context of every wrap; the signature covers all bytes before it.
- A new reader gets a new wrap of the same content key (`rewrap`), never a new envelope: one hash names the bytes
  in the village, at the city and in the township.
- The body is compressed before it is sealed, with a dictionary that the header names by number and the seal binds
  by hash.

Byte layout (integers big endian):

    0   4  magic "GAEV"          24   8  seq                        88  n*8     recipients' key ids
    4   1  version = 1           32  32  prev                       ..  n*80    wraps, in the same order
    5   1  suite                 64  16  op_id                      ..  length  sealed body
    6   1  kind                  80   4  dictionary                 ..  64      signature
    7   1  recipients n (1..16)  84   4  length of the sealed body
    8  16  node id
"""

import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from wire.errors import (
    NotAnEnvelope,
    NotForThisKey,
    Tampered,
    TooLarge,
    TrailingBytes,
    Truncated,
    UnknownDictionary,
    UnknownKind,
    UnknownVersion,
    WronglyAddressed,
)
from wire.keys import KEY_ID_BYTES, SealingKey, SigningKey, key_id
from wire.suites import Suite, suite_by_number

__all__ = [
    "MAX_BODY_BYTES",
    "NO_DICTIONARY",
    "Dictionary",
    "Header",
    "Kind",
    "Opened",
    "envelope_hash",
    "open_proven",
    "open_sealed",
    "open_with_wrap",
    "read_cut_header",
    "read_header",
    "rewrap",
    "seal",
    "verify",
]

VERSION = 1
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_RECIPIENTS = 16

_MAGIC = b"GAEV"
_FIXED = struct.Struct(">4sBBBB16sQ32s16sII")
_ZERO_NONCE = bytes(12)
_SIGN_LABEL = "envelope"
_WRAP_CONTEXT = b"guangan-wire-1\0envelope-wrap\0"
_REWRAP_CONTEXT = b"guangan-wire-1\0envelope-rewrap\0"


class Kind(IntEnum):
    """What an envelope carries."""

    OPERATION = 1
    FEED = 2
    AUDIT = 3


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A preset compression dictionary; number 0 is no dictionary."""

    number: int
    data: bytes = field(repr=False)


NO_DICTIONARY = Dictionary(0, b"")

_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part, readable by every carrier. Not to be believed before the signature is checked."""

    kind: Kind
    node_id: bytes
    seq: int
    prev: bytes
    op_id: bytes
    dictionary: int
    recipients: tuple[bytes, ...]
    suite: int
    body_length: int
    encoded: bytes = field(repr=False, compare=False)

    def must_be(self, *kinds: Kind, node_id: bytes) -> None:
        """Raise WronglyAddressed unless this is one of `kinds` in the chain of `node_id`."""
        if self.kind not in kinds:
            raise WronglyAddressed("kind")
        if self.node_id != node_id:
            raise WronglyAddressed("node")


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that was verified and decrypted; `content_key` is for re-wrapping."""

    header: Header
    body: bytes = field(repr=False)
    content_key: bytes = field(repr=False)


def seal(
    *,
    kind: Kind,
    node_id: bytes,
    seq: int,
    prev: bytes,
    op_id: bytes,
    body: bytes,
    recipients: Sequence[bytes],
    signer: SigningKey,
    dictionary: Dictionary = NO_DICTIONARY,
    randomness: Callable[[int], bytes] = os.urandom,
    suite_number: int = 1,
) -> bytes:
    """Seal and sign `body` for `recipients` (their 32-byte public keys)."""
    if len(node_id) != 16 or len(op_id) != 16 or len(prev) != 32 or seq < 1:
        raise ValueError("ids are 16 bytes, prev is 32 bytes, seq begins at 1")
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise ValueError(f"1 to {MAX_RECIPIENTS} recipients")
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(MAX_BODY_BYTES)
    suite = suite_by_number(suite_number)
    packed = _compress(body, dictionary)
    fixed = _FIXED.pack(
        _MAGIC, VERSION, suite.number, kind, len(recipients), node_id, seq, prev, op_id, dictionary.number,
        len(packed) + suite.tag_bytes,
    )  # fmt: skip
    header = fixed + b"".join(key_id(public) for public in recipients)
    content_key = randomness(suite.content_key_bytes)
    wraps = b"".join(suite.wrap(public, content_key, _WRAP_CONTEXT + header) for public in recipients)
    unsigned = header + wraps + suite.encrypt(content_key, _ZERO_NONCE, packed, _associated(suite, header, dictionary))
    return unsigned + suite.sign(signer, _SIGN_LABEL, unsigned)


def read_header(data: bytes) -> Header:
    """Read the clear header and check that the envelope is exactly as long as it says."""
    header = read_cut_header(data)
    suite = suite_by_number(header.suite)
    total = len(header.encoded) + len(header.recipients) * suite.wrap_bytes + header.body_length + suite.signature_bytes
    if len(data) < total:
        raise Truncated(total, len(data))
    if len(data) > total:
        raise TrailingBytes(total, len(data))
    return header


def read_cut_header(data: bytes) -> Header:
    """Read the clear header of an envelope of which the rest may be gone: what a purged link of a chain keeps."""
    if data[:4] != _MAGIC[: len(data[:4])]:
        raise NotAnEnvelope
    if len(data) < _FIXED.size:
        raise Truncated(_FIXED.size, len(data))
    _, version, suite_number, kind, count, node_id, seq, prev, op_id, dictionary, length = _FIXED.unpack_from(data)
    if version != VERSION:
        raise UnknownVersion(version)
    suite = suite_by_number(suite_number)
    if kind not in _KINDS:
        raise UnknownKind(kind)
    if not 1 <= count <= MAX_RECIPIENTS or seq < 1:
        raise NotAnEnvelope
    if not suite.tag_bytes <= length <= MAX_BODY_BYTES + 4096:
        raise TooLarge(MAX_BODY_BYTES)
    end = _FIXED.size + count * KEY_ID_BYTES
    if len(data) < end:
        raise Truncated(end, len(data))
    ids = tuple(data[at : at + KEY_ID_BYTES] for at in range(_FIXED.size, end, KEY_ID_BYTES))
    return Header(Kind(kind), node_id, seq, prev, op_id, dictionary, ids, suite_number, length, bytes(data[:end]))


def verify(data: bytes, signer_public: bytes) -> Header:
    """Check shape and signature without opening; what every carrier with the public key can do."""
    header = read_header(data)
    suite = suite_by_number(header.suite)
    cut = len(data) - suite.signature_bytes
    suite.verify(signer_public, _SIGN_LABEL, data[:cut], data[cut:])
    return header


def open_sealed(
    data: bytes, *, recipient: SealingKey, signer_public: bytes, dictionaries: Mapping[int, Dictionary] | None = None
) -> Opened:
    """Verify and open an envelope that is sealed to `recipient`."""
    verify(data, signer_public)
    return open_proven(data, recipient=recipient, dictionaries=dictionaries)


def open_proven(data: bytes, *, recipient: SealingKey, dictionaries: Mapping[int, Dictionary] | None = None) -> Opened:
    """Open an envelope that is sealed to `recipient` and whose signature these very bytes have passed already."""
    header = read_header(data)
    suite = suite_by_number(header.suite)
    own = key_id(recipient.public)
    if own not in header.recipients:
        raise NotForThisKey
    at = len(header.encoded) + header.recipients.index(own) * suite.wrap_bytes
    content_key = suite.unwrap(recipient, data[at : at + suite.wrap_bytes], _WRAP_CONTEXT + header.encoded)
    return _open_body(data, header, suite, content_key, dictionaries or {})


def open_with_wrap(
    data: bytes,
    wrap: bytes,
    *,
    recipient: SealingKey,
    signer_public: bytes,
    dictionaries: Mapping[int, Dictionary] | None = None,
) -> Opened:
    """Verify and open an envelope sealed to others, with a wrap made for `recipient` by `rewrap`."""
    header = verify(data, signer_public)
    suite = suite_by_number(header.suite)
    content_key = suite.unwrap(recipient, wrap, _REWRAP_CONTEXT + header.encoded)
    return _open_body(data, header, suite, content_key, dictionaries or {})


def rewrap(data: bytes, content_key: bytes, recipient_public: bytes) -> bytes:
    """Give one more reader access to the same sealed bytes."""
    header = read_header(data)
    return suite_by_number(header.suite).wrap(recipient_public, content_key, _REWRAP_CONTEXT + header.encoded)


def envelope_hash(data: bytes) -> bytes:
    """The hash that names the envelope and that the next one of the chain carries as `prev`."""
    return suite_by_number(read_header(data).suite).digest(data)


def _open_body(
    data: bytes, header: Header, suite: Suite, content_key: bytes, dictionaries: Mapping[int, Dictionary]
) -> Opened:
    start = len(header.encoded) + len(header.recipients) * suite.wrap_bytes
    sealed = data[start : start + header.body_length]
    dictionary = NO_DICTIONARY if header.dictionary == 0 else dictionaries.get(header.dictionary)
    if dictionary is None:
        raise UnknownDictionary(header.dictionary)
    packed = suite.decrypt(content_key, _ZERO_NONCE, sealed, _associated(suite, header.encoded, dictionary))
    return Opened(header, _decompress(packed, dictionary), content_key)


def _associated(suite: Suite, header: bytes, dictionary: Dictionary) -> bytes:
    """The header and, because raw DEFLATE would not notice another dictionary, the hash of the one in use."""
    return header + suite.digest(dictionary.data) if dictionary.number else header


def _compress(body: bytes, dictionary: Dictionary) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=dictionary.data)
    return packer.compress(body) + packer.flush()


def _decompress(packed: bytes, dictionary: Dictionary) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=dictionary.data)
    try:
        body = unpacker.decompress(packed, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise Tampered("body") from None
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(MAX_BODY_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise Tampered("body")
    return body
