"""Several byte strings in one body: each behind its length in four bytes, big endian.

Laws:
- Packing is exact: what `unpack` gives is what `pack` was given, and any other bytes are refused.
- The limit is on the whole body and is checked before anything is copied.
"""

import struct
from collections.abc import Iterable

from wire.errors import TooLarge, Truncated

__all__ = ["pack", "unpack"]

_LENGTH = struct.Struct(">I")


def pack(frames: Iterable[bytes]) -> bytes:
    """Write frames one after another.

    >>> pack([b"ab", b""]).hex()
    '00000002616200000000'
    """
    return b"".join(part for frame in frames for part in (_LENGTH.pack(len(frame)), frame))


def unpack(data: bytes, limit: int) -> list[bytes]:
    """Read the frames of a body of at most `limit` bytes.

    >>> unpack(bytes.fromhex("00000002616200000000"), 100)
    [b'ab', b'']
    """
    if len(data) > limit:
        raise TooLarge(limit)
    frames = []
    at = 0
    while at < len(data):
        start = at + _LENGTH.size
        if len(data) < start:
            raise Truncated(start, len(data))
        end = start + _LENGTH.unpack_from(data, at)[0]
        if len(data) < end:
            raise Truncated(end, len(data))
        frames.append(bytes(data[start:end]))
        at = end
    return frames
