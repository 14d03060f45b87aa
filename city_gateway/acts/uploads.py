"""Unfinished scans on disk: where an upload stands, adding to it, and making it whole.

Laws: each node has its own parts, so no node can disturb another's; an offset is acknowledged after fsync; the
finished file becomes visible only under the hash that it really has, after the ledger knows whose it is; what does
not match is dropped and begins again; a part that is complete but was not finished (the program was killed, the disk
had no room for its last step) is kept, and finished by whoever looks at it next.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from city_gateway.acts import scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import (
    Busy,
    ScanBadRequest,
    ScanBusy,
    ScanHashWrong,
    ScanOffsetConflict,
    ScanStoreAway,
    ScanUnknown,
)
from city_gateway.ledger import nodes, scan_owners
from city_gateway.scan_store.naming import hash_of, is_name

MAX_SCAN_BYTES = 64 * 1024 * 1024
RESERVE_BYTES = 256 * 1024 * 1024
COME_BACK_S = 600
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Upload:
    """One unfinished scan of one node, or (`whole`) the stored scan."""

    node_id: str
    scan_hash: str
    length: int
    offset: int
    path: Path
    whole: bool

    def grown(self, offset: int) -> Upload:
        """The same with more of it."""
        return replace(self, offset=offset)


@dataclass(frozen=True, slots=True)
class Complete:
    """An upload of which every byte was written; `content` is the SHA-256 of all of it, where its writer saw all."""

    upload: Upload
    content: bytes | None = None
    descriptor: int | None = None


def begin(gateway: Gateway, node_id: str, scan_hash: str, length: int) -> Upload:
    """Find or begin the upload; another length than before begins anew."""
    _check_name(scan_hash)
    if not 0 < length <= MAX_SCAN_BYTES:
        raise ScanBadRequest(field="upload-length")
    whole = _whole(gateway, node_id, scan_hash)
    if whole:
        return whole
    path = _part_path(gateway, node_id, scan_hash, length)
    folder = path.parent
    missing = length - _size(path)
    if missing > 0 and shutil.disk_usage(gateway.folder.scan_parts).free < RESERVE_BYTES + missing:
        raise Busy(COME_BACK_S)
    folder.mkdir(mode=0o700, exist_ok=True)
    for other in _parts(folder, scan_hash):
        if other != path:
            other.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    upload = Upload(node_id, scan_hash, length, path.stat().st_size, path, whole=False)
    try:
        return _finished_if_complete(gateway, upload)
    except ScanHashWrong:
        path.touch(mode=0o600, exist_ok=True)
        return replace(upload, offset=0)


def find(gateway: Gateway, node_id: str, scan_hash: str) -> Upload:
    """Where the upload stands, or ScanUnknown."""
    _check_name(scan_hash)
    whole = _whole(gateway, node_id, scan_hash)
    if whole:
        return whole
    for path in _parts(gateway.folder.scan_parts / node_id, scan_hash):
        with suppress(ScanHashWrong):
            return _finished_if_complete(gateway, _part(path))
    raise ScanUnknown


def reached(gateway: Gateway, node_id: str, scan_hash: str) -> int:
    """How far it is here without a hole, also where only the room for its last step is missing."""
    try:
        return find(gateway, node_id, scan_hash).offset
    except Busy:
        return max(map(_size, _parts(gateway.folder.scan_parts / node_id, scan_hash)), default=0)


def drop(gateway: Gateway, node_id: str, scan_hash: str) -> None:
    """Give an unfinished upload up; a whole scan stays."""
    upload = find(gateway, node_id, scan_hash)
    if not upload.whole:
        upload.path.unlink(missing_ok=True)


def finish(gateway: Gateway, upload: Upload) -> Upload:
    """Make a complete upload a stored scan of its node's site, or ScanHashWrong."""
    (found,) = finish_all(gateway, [Complete(upload)])
    if isinstance(found, Exception):
        raise found
    return found


def finish_all(gateway: Gateway, group: Sequence[Complete]) -> list[Upload | Exception]:
    """Make complete uploads stored scans: one transaction, one flush of the folder; each has its own outcome."""
    found = [_whether_true(gateway, complete) for complete in group]
    true = [one for one in found if isinstance(one, Upload) and not one.whole]
    if true:
        sites = gateway.ledger.run(lambda tx: _claim(tx, true))
        owned = [one for one in true if one.node_id in sites]
        outcomes = gateway.scans.put_all([(one.scan_hash, one.path) for one in owned])
        placed = {one: _placed(gateway, one, outcome) for one, outcome in zip(owned, outcomes, strict=True)}
        found = [placed.get(one, ScanUnknown()) if isinstance(one, Upload) and not one.whole else one for one in found]
    return found


def finish_complete(gateway: Gateway) -> None:
    """At start: every part that is complete and not finished; one that has no room keeps no other waiting, a store that
    does not answer all of them."""
    for path in gateway.folder.scan_parts.glob("*/*.*"):
        try:
            _finished_if_complete(gateway, _part(path))
        except ScanStoreAway:
            return
        except (ScanHashWrong, ScanUnknown, Busy):
            continue


@contextmanager
def writing(upload: Upload) -> Iterator[BinaryIO]:
    """The part, open at its end for one writer among all processes; or ScanBusy."""
    try:
        file = upload.path.open("r+b")
    except FileNotFoundError:
        raise ScanBusy from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ScanBusy from None
        now = os.fstat(file.fileno())
        if now.st_nlink == 0:
            raise ScanBusy
        if now.st_size != upload.offset:
            raise ScanOffsetConflict(offset=now.st_size)
        file.seek(upload.offset)
        try:
            yield file
        except OSError:
            _distrust(upload)
            raise


def flush(descriptor: int) -> None:
    """Make what was written survive a power cut."""
    os.fsync(descriptor)


def _part(path: Path) -> Upload:
    scan_hash, _, length = path.name.partition(".")
    try:
        return Upload(path.parent.name, scan_hash, int(length), path.stat().st_size, path, whole=False)
    except FileNotFoundError:
        raise ScanUnknown from None


def _finished_if_complete(gateway: Gateway, upload: Upload) -> Upload:
    return upload if upload.offset < upload.length else finish(gateway, upload)


def _whether_true(gateway: Gateway, complete: Complete) -> Upload | Exception:
    """The upload, safe on the disk and what its name says; or why not."""
    upload = complete.upload
    try:
        if complete.descriptor is not None:
            flush(complete.descriptor)
        else:
            _flush_path(upload.path, os.O_RDONLY)  # who wrote it may have been killed before it was safe
        found = complete.content.hex() if complete.content is not None else hash_of(upload.path)
        if found != upload.scan_hash:
            upload.path.unlink(missing_ok=True)
            return ScanHashWrong(scan=upload.scan_hash)
    except FileNotFoundError:  # another process was quicker
        return _whole(gateway, upload.node_id, upload.scan_hash) or ScanUnknown()
    except OSError as error:
        _distrust(upload)
        return error
    return upload


def _distrust(upload: Upload) -> None:
    """A write or flush failed: what the kernel still shows of it may never reach the disk, so it begins anew."""
    with suppress(OSError):
        upload.path.unlink(missing_ok=True)


def _claim(tx: Connection, group: Sequence[Upload]) -> dict[str, str]:
    """Whose they are, in the ledger before they are visible; the sites of the nodes that exist."""
    known = {node_id: nodes.find(tx, node_id) for node_id in {upload.node_id for upload in group}}
    sites = {node_id: node.site for node_id, node in known.items() if node is not None}
    first = {one.scan_hash: sites[one.node_id] for one in reversed(group) if one.node_id in sites}
    scan_owners.claim(tx, first)
    return sites


def _placed(gateway: Gateway, upload: Upload, outcome: Exception | None) -> Upload | Exception:
    if isinstance(outcome, FileNotFoundError):  # another process was quicker
        return _whole(gateway, upload.node_id, upload.scan_hash) or ScanUnknown()
    if isinstance(outcome, OSError) and outcome.errno in NO_ROOM:
        return Busy(COME_BACK_S)
    return outcome or replace(upload, offset=upload.length, whole=True)


def _whole(gateway: Gateway, node_id: str, scan_hash: str) -> Upload | None:
    """The stored scan; one that the ledger (restored to an earlier day) does not know has to be sent again."""
    length = scan_shelf.stored_lengths(gateway, [scan_hash]).get(scan_hash)
    if length is None:
        return None
    return Upload(node_id, scan_hash, length, length, _part_path(gateway, node_id, scan_hash, length), whole=True)


def _part_path(gateway: Gateway, node_id: str, scan_hash: str, length: int) -> Path:
    return gateway.folder.scan_parts / node_id / f"{scan_hash}.{length}"


def _parts(folder: Path, scan_hash: str) -> list[Path]:
    """The unfinished files of one scan; a glob would compile a pattern for every scan (0.3 ms)."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.name.startswith(f"{scan_hash}.")]
    except FileNotFoundError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check_name(scan_hash: str) -> None:
    if not is_name(scan_hash):
        raise ScanBadRequest(field="name")


def _flush_path(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)
