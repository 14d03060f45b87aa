"""Where backups lie: generations side by side, and the scans that they share.

    DIR/generations/n<number>-<time>-<id>/   manifest.json, verified.json, ledger.sealed, scans.list, catalog.tar
    DIR/scans/<2 digits>/<hash>    sealed scans, each once
    DIR/.making-<id>/              a backup that is being made, or whose making was cut: never looked at as one

Laws: a generation appears whole by one rename after everything in it is durable; a file appears under its name after
its bytes are durable; one program at a time works here. What is newer is told by a number that only counts up, never
by the clock, which may have been wrong; generations of an earlier program have none and are older than all numbered.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from city_gateway.backup.errors import BackupBusy, BackupUnknown
from city_gateway.folder import flush_folder

MANIFEST, VERIFIED, LEDGER, SCANS, CATALOG = (
    "manifest.json",
    "verified.json",
    "ledger.sealed",
    "scans.list",
    "catalog.tar",
)
MAKING = ".making-"
LOCK = ".lock"
PIECE = 1024 * 1024
NUMBERED = re.compile(r"n(\d{6,})-")
"""The letter sorts behind the digits with which a name without a number begins."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder in which the backups of one gateway lie."""

    root: Path

    @property
    def generations(self) -> Path:
        """Finished backups, named so that the newest is the last."""
        return self.root / "generations"

    @property
    def scans(self) -> Path:
        """The scans of all of them."""
        return self.root / "scans"

    def scan(self, scan_hash: str) -> Path:
        """Where a scan lies, or would lie."""
        return self.scans / scan_hash[:2] / scan_hash

    def all(self) -> list[Path]:
        """Every generation, the oldest first."""
        if not self.generations.is_dir():
            return []
        return sorted(path for path in self.generations.iterdir() if (path / MANIFEST).is_file())

    def newest(self) -> Path:
        """The newest generation, or BackupUnknown."""
        found = self.all()
        if not found:
            raise BackupUnknown(place=str(self.root))
        return found[-1]

    def next_number(self) -> int:
        """One more than any generation here has."""
        numbered = [NUMBERED.match(path.name) for path in self.all()]
        return 1 + max((int(found[1]) for found in numbered if found), default=0)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the shelf, or BackupBusy; what a cut making left is swept away first."""
        for folder in (self.root, self.generations, self.scans):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupBusy(place=str(self.root)) from None
            for left in self.root.glob(f"{MAKING}*"):
                shutil.rmtree(left)
            yield


def of_generation(generation: Path) -> Shelf:
    """The shelf on which a generation stands."""
    return Shelf(generation.parent.parent)


@contextmanager
def placing(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends well, durable; not at all otherwise."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a mebibyte at a time."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def generation_lines(path: Path) -> Iterator[tuple[str, int]]:
    """The scans named in a `scans.list`: hash and length."""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            name, _, length = line.rstrip("\n").partition(" ")
            yield name, int(length)
