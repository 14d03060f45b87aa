"""The disk behind `wire.stick`: the folder `guangan-mail` of a stick, by the operating system's own calls.

Laws: no link is followed, neither to a folder nor to a file; only regular files are read; every file is flushed before
it counts and every rename is followed by flushing the folder. The city_gateway has a module of the same form:
programs share no code that touches a disk.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wire.stick import FOLDER

READ_BYTES = 256 * 1024
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class StickFolder:
    """One stick, mounted at `root`."""

    def __init__(self, root: Path) -> None:
        self._place = root if root.name == FOLDER else root / FOLDER

    def folders(self) -> list[str]:
        """Names of what lies in `guangan-mail`."""
        try:
            with self._open() as top:
                return _names(top)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def has(self, folder: str, name: str) -> bool:
        """Whether this regular file is there."""
        try:
            with self._open(folder) as where:
                return stat.S_ISREG(os.stat(name, dir_fd=where, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def write(self, folder: str, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file anew and make its bytes durable."""
        place = self._place / folder
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        with self._open(folder) as where, os.fdopen(os.open(name, _WRITE_FLAGS, 0o644, dir_fd=where), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """The bytes of a regular file, in pieces."""
        with self._open(folder) as where, os.fdopen(os.open(name, _READ_FLAGS, dir_fd=where), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileNotFoundError(name)
            while piece := file.read(READ_BYTES):
                yield piece

    def rename(self, folder: str, old: str, new: str) -> None:
        """Give a file its final name, durably."""
        with self._open(folder) as where:
            _flush(where)
            os.rename(old, new, src_dir_fd=where, dst_dir_fd=where)
            _flush(where)
        with self._open() as top:
            _flush(top)

    def drop(self, folder: str) -> None:
        """Remove a bundle; its inventory goes first, so that a half removed bundle is none."""
        with suppress(OSError), self._open(folder) as where:
            for name in _names(where):
                with suppress(OSError):
                    os.unlink(name, dir_fd=where)
        with suppress(OSError):
            (self._place / folder).rmdir()

    def free_bytes(self) -> int:
        """The room that is left on it."""
        place = self._place if self._place.is_dir() else self._place.parent
        return shutil.disk_usage(place).free

    @contextmanager
    def _open(self, folder: str | None = None) -> Iterator[int]:
        top = os.open(self._place, _FOLDER_FLAGS)
        try:
            if folder is None:
                yield top
                return
            where = os.open(folder, _FOLDER_FLAGS, dir_fd=top)
            try:
                yield where
            finally:
                os.close(where)
        finally:
            os.close(top)


def _flush(descriptor: int) -> None:
    """Some drivers of foreign file systems cannot flush a folder; the files in it are flushed in any case."""
    with suppress(OSError):
        os.fsync(descriptor)


def _names(descriptor: int) -> list[str]:
    with os.scandir(descriptor) as entries:
        return sorted(entry.name for entry in entries)
