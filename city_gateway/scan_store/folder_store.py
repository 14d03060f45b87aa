"""Finished scans in a folder of the gateway's own disk.

Laws: a file comes to its name by one rename and the folder is flushed before anybody is told, once for many; so what is
put must lie on the same file system. `scans-damaged` is the list of the lost: a name lies there, with the rotten bytes
for whoever looks into the disk or empty when they vanished, until whole bytes lie in its place again.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from city_gateway.folder import GatewayFolder, flush_folder
from city_gateway.scan_store.naming import hash_of, is_name
from city_gateway.scan_store.store import PIECE_BYTES

COPY_BYTES = 1024 * 1024


class FolderStore:
    """`scans/` and `scans-damaged/` of a gateway's folder."""

    asks_far = False

    def __init__(self, folder: GatewayFolder) -> None:
        self._scans, self._damaged = folder.scans, folder.scans_damaged

    def put_all(self, files: Sequence[tuple[str, Path]]) -> list[Exception | None]:
        """One rename each, one flush of the folder for all."""
        outcomes = [self._renamed(name, path) for name, path in files]
        flush_folder(self._scans)
        return outcomes

    def put_copy(self, name: str, source: Path) -> bool:
        """Written beside its place and read back before it gets its name."""
        part = self._scans / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as copy, source.open("rb") as original:
                shutil.copyfileobj(original, copy, COPY_BYTES)
                copy.flush()
                os.fsync(copy.fileno())
            if hash_of(part) != name:
                return False
            part.replace(self._scans / name)
        finally:
            part.unlink(missing_ok=True)
        flush_folder(self._scans)
        return True

    def lengths(self, names: Iterable[str]) -> dict[str, int]:
        """The lengths of those that are here."""
        found = {}
        for name in names:
            with suppress(FileNotFoundError):
                found[name] = (self._scans / name).stat().st_size
        return found

    def beginnings(self, names: Iterable[str], most: int) -> dict[str, bytes]:
        """The first bytes of those that are here."""
        found = {}
        for name in names:
            with suppress(FileNotFoundError), (self._scans / name).open("rb") as file:
                found[name] = file.read(most)
        return found

    def pieces(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The sealed bytes from `first` up to `end`, a few at a time."""
        with (self._scans / name).open("rb") as file:
            file.seek(first)
            while piece := file.read(PIECE_BYTES if end is None else min(PIECE_BYTES, end - file.tell())):
                yield piece

    def sound(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes] | None:
        """Read twice: a scan is small, and lies in the page cache the second time."""
        return self.pieces(name, first, end) if self.is_sound(name) else None

    def is_sound(self, name: str) -> bool:
        """A sector that cannot be read is as good as rotten."""
        try:
            return hash_of(self._scans / name) == name
        except OSError as failure:
            if failure.errno not in {errno.EIO, errno.ENOENT}:
                raise
            return False

    def names(self) -> Iterator[str]:
        """Every finished scan."""
        with os.scandir(self._scans) as entries:
            yield from (entry.name for entry in entries if is_name(entry.name))

    def set_aside(self, name: str) -> bool:
        """Move the rotten bytes to the list, or an empty file where they vanished."""
        place = self._damaged / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            (self._scans / name).replace(place)
        except FileNotFoundError:
            if place.exists():
                return False
            place.touch(mode=0o600)
        for flushed in (self._damaged, self._scans):
            flush_folder(flushed)
        return True

    def lost(self) -> Iterator[str]:
        """Looks at the folder each time, so every process of this gateway knows what another one found."""
        for place in sorted(self._damaged.iterdir()):
            if not is_name(place.name):
                continue
            if (self._scans / place.name).is_file():
                place.unlink(missing_ok=True)
            else:
                yield place.name

    def look_for_lost(self) -> int:
        """Also takes those off the list that came again."""
        return sum(1 for _ in self.lost())

    def _renamed(self, name: str, path: Path) -> Exception | None:
        try:
            path.replace(self._scans / name)
        except OSError as error:
            return error
        return None
