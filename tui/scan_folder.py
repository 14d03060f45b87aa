"""The folder in which a scanner or a phone leaves its files.

Laws: newest first; only kinds the node takes; a file is read when it is attached, never copied elsewhere; a file
that is still growing shows its present size and may be attached again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from casework.working_days import CITY_TIME

CHUNK_BYTES = 64 * 1024
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class ScanFile:
    """One file that may be attached."""

    path: Path
    length: int
    changed_at: datetime

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.path.suffix.lower()]


def newest_first(folder: Path) -> list[ScanFile]:
    """The files of the folder that the node would take, newest first; an unreadable folder is empty."""
    found: list[ScanFile] = []
    try:
        entries = list(folder.iterdir())
    except OSError:
        return found
    for path in entries:
        if path.suffix.lower() not in MEDIA_TYPES:
            continue
        try:
            facts = path.stat()
        except OSError:
            continue
        if facts.st_size:
            found.append(ScanFile(path, facts.st_size, datetime.fromtimestamp(facts.st_mtime, CITY_TIME)))
    return sorted(found, key=lambda file: (file.changed_at, file.path.name), reverse=True)


def chunks(file: ScanFile) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with file.path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            yield piece


def size_words(length: int) -> str:
    """A length in bytes the way a person reads it."""
    if length >= 1024 * 1024 * 1024:
        return f"{length / 1024 / 1024 / 1024:.1f} GB"
    if length >= 1024 * 1024:
        return f"{length / 1024 / 1024:.1f} MB"
    return f"{max(1, round(length / 1024))} KB"
