"""A FUSE folder with one file, `disk`, that records every write and every flush it receives.

Put a loop device on that file and a file system on the loop device, and the record is the exact order in which the
file system spoke to its disk.

Laws
- The record is a row of heads (length of the notes, offset, size: 8 bytes each, signed, big endian) each followed by
  the bytes written; a flush has offset -1. The notes are as long as the disk saw them when it heard the request, so
  whatever a note promises was flushed before: the promise may be held against the disk.
- The record lies on the ordinary disk and is never buffered, so it survives any kill.
- Runs in the foreground until the folder is unmounted. Needs root.
"""

from __future__ import annotations

import argparse
import errno
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mfusepy

HEAD = struct.Struct(">qqq")
FLUSH = -1


@dataclass(frozen=True, slots=True)
class Heard:
    """One request; `data` is None for a flush."""

    notes_length: int
    offset: int
    data: bytes | None


def read_record(path: Path, length: int) -> Iterator[Heard]:
    """The requests among the first `length` bytes of a record."""
    with path.open("rb") as record:
        while record.tell() + HEAD.size <= length:
            notes_length, offset, size = HEAD.unpack(record.read(HEAD.size))
            yield Heard(notes_length, offset, None if offset == FLUSH else record.read(size))


class RecordingDisk(mfusepy.Operations):
    """The one file."""

    use_ns = True

    def __init__(self, image: Path, record: Path, notes: Path) -> None:
        self._image, self._notes = os.open(image, os.O_RDWR), notes
        self._record = record.open("wb", buffering=0)
        self._entries: dict[str, dict[str, Any]] = {
            "/": {"st_mode": stat.S_IFDIR | 0o700},
            "/disk": {"st_mode": stat.S_IFREG | 0o600, "st_size": image.stat().st_size},
        }

    def getattr(self, path: str, fh: object = None) -> dict[str, Any]:
        if path not in self._entries:
            raise mfusepy.FuseOSError(errno.ENOENT)
        return self._entries[path]

    def read(self, path: str, size: int, offset: int, fh: object) -> bytes:
        return os.pread(self._image, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: object) -> int:
        self._hear(offset, bytes(data))
        return os.pwrite(self._image, data, offset)

    def fsync(self, path: str, datasync: int, fh: object) -> int:
        self._hear(FLUSH, b"")
        return 0

    def _hear(self, offset: int, data: bytes) -> None:
        noted = self._notes.stat().st_size if self._notes.exists() else 0
        self._record.write(HEAD.pack(noted, offset, len(data)) + data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path, help="what the disk holds; changed in place")
    parser.add_argument("record", type=Path, help="where the record goes; overwritten")
    parser.add_argument("notes", type=Path, help="the file whose length goes into the record")
    parser.add_argument("mount", help="existing empty folder in which the file appears")
    asked = parser.parse_args()
    disk = RecordingDisk(asked.image, asked.record, asked.notes)
    mfusepy.FUSE(disk, asked.mount, foreground=True, nothreads=True)
