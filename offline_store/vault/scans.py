"""Sealed scans on the disk: received from the scanner, fetched from the city, read in pieces, swept.

Laws: only sealed bytes come here, the vault can open none of them; a scan is visible under `<hash>.scan` only after
its bytes were flushed and their hash was compared with the name; a part that was cut is never visible and can be
continued.
"""

import hashlib
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from offline_store.errors import DamagedFile, Unknown, WrongOffset
from offline_store.paths import checked_hash
from offline_store.placing import FILE_MODE, disk_says, flush_folder, placed, take_away

SCAN = ".scan"
PART = ".part"
RECEIVING = ".receiving"
DAMAGED = ".damaged"
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    receiving: int
    parts: int
    orphans: tuple[str, ...]


class Receiving:
    """One scan on its way in; sealed bytes are appended as they come, nothing is held in memory."""

    def __init__(self, folder: Path, stream: BinaryIO, unfinished: Path) -> None:
        self._folder = folder
        self._stream = stream
        self._unfinished = unfinished
        self._digest = hashlib.sha256()
        self.length = 0
        self.kept: str | None = None

    def write(self, sealed: bytes) -> None:
        with disk_says():
            self._stream.write(sealed)
        self._digest.update(sealed)
        self.length += len(sealed)

    def keep(self, scan_hash: str) -> Path:
        """Flush, compare with the hash that the sealer computed, and make the scan visible."""
        if self._digest.hexdigest() != scan_hash:
            raise DamagedFile(scan_hash)
        path = self._folder / f"{scan_hash}{SCAN}"
        with disk_says():
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._unfinished.replace(path)
            flush_folder(self._folder)
        self.kept = scan_hash
        return path


class Part:
    """One scan on its way from the city, continued at the byte where it was cut."""

    def __init__(self, folder: Path, scan_hash: str) -> None:
        self._folder = folder
        self._hash = scan_hash
        self._path = folder / f"{scan_hash}{PART}"

    @property
    def offset(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, offset: int, data: bytes) -> int:
        """Add bytes that begin at `offset`; the new offset is returned after they were flushed."""
        if offset != self.offset:
            raise WrongOffset(self.offset, offset)
        with disk_says():
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
            with os.fdopen(descriptor, "ab") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        return offset + len(data)

    def finish(self) -> Path:
        """Compare with the name and make the scan visible; a part with a wrong hash is thrown away. It is flushed here,
        for whoever wrote some of it may have been killed before it was safe."""
        try:
            with self._path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
                with disk_says():
                    os.fsync(stream.fileno())
        except FileNotFoundError as absent:
            raise Unknown("part", self._hash) from absent
        if found != self._hash:
            self.discard()
            raise DamagedFile(self._hash)
        path = self._folder / f"{self._hash}{SCAN}"
        with disk_says():
            self._path.replace(path)
            flush_folder(self._folder)
        return path

    def discard(self) -> None:
        take_away(self._path)


class Vault:
    """The folder `vault`."""

    def __init__(self, folder: Path) -> None:
        self.folder = self._folder = folder
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    @contextmanager
    def receive(self) -> Iterator[Receiving]:
        """A writer for one scan; leaving without `keep` removes every byte of it."""
        unfinished = self._folder / f".{os.getpid()}-{os.urandom(8).hex()}{RECEIVING}"
        with disk_says():
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            with disk_says(), os.fdopen(descriptor, "wb") as stream:
                yield Receiving(self._folder, stream, unfinished)
        finally:
            take_away(unfinished)

    def path(self, scan_hash: str) -> Path:
        """Where the scan lies, or would lie."""
        return self._folder / f"{checked_hash(scan_hash)}{SCAN}"

    def has(self, scan_hash: str) -> bool:
        return self.path(scan_hash).exists()

    def length(self, scan_hash: str) -> int:
        try:
            return self.path(scan_hash).stat().st_size
        except FileNotFoundError as absent:
            raise Unknown("scan", scan_hash) from absent

    def open(self, scan_hash: str) -> BinaryIO:
        """The sealed bytes, for reading."""
        try:
            return self.path(scan_hash).open("rb")
        except FileNotFoundError as absent:
            raise Unknown("scan", scan_hash) from absent

    def chunks(self, scan_hash: str) -> Iterator[bytes]:
        """The sealed bytes in pieces of 64 KiB."""
        with self.open(scan_hash) as stream:
            while piece := stream.read(READ_BYTES):
                yield piece

    def check(self, scan_hash: str) -> None:
        """Read the scan again and compare with its name; a damaged one is set aside for a person to see."""
        path = self.path(scan_hash)
        if _hash_of(path) != scan_hash:
            path.replace(path.with_suffix(DAMAGED))
            raise DamagedFile(scan_hash)

    def part(self, scan_hash: str) -> Part:
        return Part(self._folder, checked_hash(scan_hash))

    def remove(self, scan_hash: str) -> bool:
        return take_away(self.path(scan_hash))

    def forget(self, scan_hash: str) -> None:
        """Remove whatever lies here of a scan: whole, in part, or set aside as damaged."""
        path = self.path(scan_hash)
        for one in (path, path.with_suffix(PART), path.with_suffix(DAMAGED)):
            take_away(one)

    def hashes(self) -> list[str]:
        return [entry.name.removesuffix(SCAN) for entry in placed(self._folder, SCAN)]

    def sweep(self, known: Container[str], wanted: Container[str] = ()) -> Swept:
        """Remove half received scans, parts nobody wants any more, and scans that no row of the desk knows.

        Only edge_node calls it, at start, before it takes in the first scan.
        """
        with os.scandir(self._folder) as entries:
            half = [Path(entry.path) for entry in entries if entry.name.endswith(RECEIVING)]
        parts = [Path(e.path) for e in placed(self._folder, PART) if e.name.removesuffix(PART) not in wanted]
        orphans = [scan_hash for scan_hash in self.hashes() if scan_hash not in known and scan_hash not in wanted]
        for path in (*half, *parts, *(self.path(scan_hash) for scan_hash in orphans)):
            take_away(path)
        return Swept(len(half), len(parts), tuple(orphans))


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
