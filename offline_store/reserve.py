"""Room on the disk that is kept occupied, so that it can be given back when nothing else is left.

On a full disk mail must still be taken in and papers erased, and both need a little room first. Each program that must
go on holds one file of real blocks; giving it up makes that room, and it is taken again when there is space.

Laws: the file holds nothing; giving it up is one unlink, which works on a full disk; taking it leaves `spare` bytes
beside it, so that a node does not swing between the two.
"""

import os
from pathlib import Path
from typing import Final

from offline_store.placing import FULL, flush_folder

MODE: Final = 0o600


class Reserve:
    """One file of `size` bytes at `path`."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    @property
    def held(self) -> bool:
        """Whether it is there, whole."""
        try:
            return self._path.stat().st_size >= self._size
        except OSError:
            return False

    def take(self, spare: int) -> bool:
        """Occupy the room if the disk has it, and `spare` beside; says whether it is held now."""
        if self.held:
            return True
        try:
            free = os.statvfs(self._path.parent)
            if free.f_bavail * free.f_frsize < self._size + spare:
                return False
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, MODE)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
            flush_folder(self._path.parent)
        except OSError as failure:
            if failure.errno not in FULL:
                raise
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Let the room go; says whether there was any."""
        had = self._path.exists()
        self._path.unlink(missing_ok=True)
        return had
