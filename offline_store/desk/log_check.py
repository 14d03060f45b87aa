"""Whether the write-ahead log of a desk rotted, told from one that a power cut left unfinished.

SQLite reads the log up to the first frame whose checksum does not fit and takes the rest for a write that was cut. Rot
looks the same, and would take away, without a word, what had been saved. But a write that was cut has no end: where a
commit is complete behind a broken frame, either something rotted, or the disk wrote the end of a last commit before its
beginning; a person is asked to compare, because the two cannot be told apart.

Law: read before the desk is opened, for opening begins the log anew; a log that is too short to judge is no finding. A
log whose end is gone altogether shows nothing here: the city's mark and the mail that lies beside the desk show it.
"""

import array
import struct
import sys
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct(">IIIIIIII")
FRAME: Final = struct.Struct(">IIIIII")
MAGIC: Final = 0x377F0682
BIG_ENDIAN: Final = 1
_WORD: Final = 0xFFFFFFFF


def has_rotted(log: Path) -> bool:
    """Whether a commit stands in the log that cannot be read any more."""
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(data) < HEADER.size + FRAME.size:
        return False
    magic, _, page, _, salt_1, salt_2, _, _ = HEADER.unpack_from(data)
    if page == 0 or page % 8 or not _header_holds(data):
        return _commits(data, HEADER.size, (salt_1, salt_2), page or 4096) > 0
    sums = struct.unpack_from(">II", data, 24)
    at = HEADER.size
    while at + FRAME.size + page <= len(data):
        _, _, one, two, sum_1, sum_2 = FRAME.unpack_from(data, at)
        if (one, two) != (salt_1, salt_2):
            return _commits(data, at, (salt_1, salt_2), page) > 0
        big = bool(magic & BIG_ENDIAN)
        sums = _summed(data[at : at + 8], sums, big=big)
        sums = _summed(data[at + FRAME.size : at + FRAME.size + page], sums, big=big)
        if sums != (sum_1, sum_2):
            return _commits(data, at, (salt_1, salt_2), page) > 0
        at += FRAME.size + page
    return False


def _header_holds(data: bytes) -> bool:
    magic, *_, sum_1, sum_2 = HEADER.unpack_from(data)
    if magic & ~BIG_ENDIAN != MAGIC:
        return False
    return _summed(data[:24], (0, 0), big=bool(magic & BIG_ENDIAN)) == (sum_1, sum_2)


def _commits(data: bytes, at: int, salts: tuple[int, int], page: int) -> int:
    """How many frames of this log, from here on, end a commit."""
    found = 0
    while at + FRAME.size <= len(data):
        _, size, one, two, _, _ = FRAME.unpack_from(data, at)
        found += (one, two) == salts and size > 0
        at += FRAME.size + page
    return found


def _summed(data: bytes, sums: tuple[int, int], *, big: bool) -> tuple[int, int]:
    words = array.array("I", data)
    if big != (sys.byteorder == "big"):
        words.byteswap()
    one, two = sums
    for index in range(0, len(words), 2):
        one = (one + words[index] + two) & _WORD
        two = (two + words[index + 1] + one) & _WORD
    return one, two
