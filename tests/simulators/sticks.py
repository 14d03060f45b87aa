"""Sticks for tests: a real folder, and one that is pulled out at the n-th thing done to it."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sync_agent.stick_folder import StickFolder
from wire.stick import FOLDER


@dataclass
class PulledStick:
    """A stick that answers `left` more times; of the chunk under way at that moment, half is on it."""

    folder: StickFolder
    left: int
    done: int = field(default=0)

    def _touch(self) -> None:
        self.done += 1
        if self.done > self.left:
            raise OSError(errno.EIO, "the stick was pulled")

    def folders(self) -> list[str]:
        return self.folder.folders()

    def has(self, folder: str, name: str) -> bool:
        return self.folder.has(folder, name)

    def write(self, folder: str, name: str, chunks: Iterable[bytes]) -> None:
        self._touch()
        self.folder.write(folder, name, self._cut(chunks))

    def _cut(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self.done + 1 > self.left:
                yield chunk[: len(chunk) // 2]
            self._touch()
            yield chunk

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        self._touch()
        yield from self._cut(self.folder.read(folder, name))

    def rename(self, folder: str, old: str, new: str) -> None:
        self._touch()
        self.folder.rename(folder, old, new)

    def drop(self, folder: str) -> None:
        self._touch()
        self.folder.drop(folder)

    def free_bytes(self) -> int:
        return self.folder.free_bytes()


def stick(root: Path) -> StickFolder:
    """A stick mounted at `root`."""
    root.mkdir(parents=True, exist_ok=True)
    return StickFolder(root)


def files_on(root: Path) -> list[Path]:
    """Every file on it, in the order of their names."""
    return sorted(path for path in (root / FOLDER).rglob("*") if path.is_file())


def copied(root: Path, to: Path) -> Path:
    """The same bytes on another stick."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(root, to)
    return to


def fingerprint(*roots: Path) -> str:
    """Everything below these folders, names and bytes, as one hash: equal means that nothing changed."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm")):
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
