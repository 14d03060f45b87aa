"""How a file comes to lie on the disk so that it survives the next power cut, whole or not at all.

Laws: write, fsync the file, rename, fsync the folder; leaving out any of the four loses the file or leaves it empty.
Until the rename the bytes lie under a dotted name, which no reader of the store ever lists. What root replaces for one
of the node's programs stays that program's from the first moment: a cut would leave a file it may not read. A full
disk and a disk that refuses are told apart (`disk_says`): the first passes, the second ends the program.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from offline_store.errors import DiskFull, FileWriteFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
REFUSES = frozenset({errno.EIO, errno.EROFS})
FILE_MODE = 0o640
UNFINISHED = ".placing"


def place(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Put `data` at `path` durably, replacing what lay there in one step."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{UNFINISHED}")
    with disk_says():
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as stream:
                _same_owner(descriptor, path)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def _same_owner(descriptor: int, replaced: Path) -> None:
    if os.geteuid() == 0:
        with suppress(FileNotFoundError):
            was = replaced.stat()
            os.fchown(descriptor, was.st_uid, was.st_gid)


@contextmanager
def disk_says() -> Iterator[None]:
    """What the disk answers to a write, as the store's own error; other errors pass as they are."""
    try:
        yield
    except OSError as failure:
        if failure.errno in FULL:
            raise DiskFull from None
        if failure.errno in REFUSES:
            raise FileWriteFailed from None
        raise


def take_away(path: Path) -> bool:
    """Remove a file if it is there; not flushed, because every removal here is safe to repeat after a power cut."""
    try:
        with disk_says():
            path.unlink()
    except FileNotFoundError:
        return False
    return True


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with disk_says():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def placed(folder: Path, suffix: str) -> Iterator[os.DirEntry[str]]:
    """The finished files of `folder` whose names end in `suffix`, in the order of their names."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name.endswith(suffix) and not entry.name.startswith(".")]
    yield from sorted(found, key=lambda entry: entry.name)


def sweep_unfinished(folder: Path) -> int:
    """Remove what a killed program left half written; called at start, before anything is placed."""
    left = [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(UNFINISHED)]
    return sum(take_away(path) for path in left)
