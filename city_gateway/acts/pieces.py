"""Pieces of scans that were carried: kept until the scan has no hole, then made whole like every upload.

Laws: a piece comes to lie here only after its hash was compared; pieces may come in any order, from several sticks, and
beside an upload over the line, which they continue, but never while somebody else writes it: then they lie until they
are looked at next. The hash of the whole decides as always, and a scan that does not have it begins again. What has
become whole on another road needs its pieces no more. Each delivery stages in a folder of its own, which it holds while
it lasts, because the same bundle may come by two carriers at once; what nobody holds was left by a killed program. Each
scan stands for itself: one that cannot be gone on with now keeps no other from becoming whole, and its pieces lie until
the next look.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from city_gateway.acts import scan_shelf, uploads
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.uploads import Upload
from city_gateway.errors import (
    CourierNoRoom,
    GatewayError,
    ScanBadRequest,
    ScanBusy,
    ScanHashWrong,
    ScanOffsetConflict,
    ScanUnknown,
)
from city_gateway.scan_store.naming import is_name
from wire.bundle import Part

LOG = logging.getLogger("city_gateway")
CARRIED = "carried"
ARRIVING = "arriving"
LYING = f"{CARRIED}/*-*"
COPY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: bytes `offset` to `end` of a scan."""

    offset: int
    end: int
    path: Path


class Arriving:
    """The pieces of one bundle while it is checked; they count only after `settle`."""

    def __init__(self, gateway: Gateway, node_id: str, bundle: str) -> None:
        self._gateway = gateway
        self._node_id = node_id
        own = gateway.randomness(8).hex()
        self._folder = gateway.folder.scan_parts / node_id / CARRIED / f"{ARRIVING}-{bundle[:16]}-{own}"
        self._lock: int | None = None
        self._staged: list[tuple[Part, Path]] = []

    def begin(self, parts: Iterable[Part]) -> None:
        """Remove what earlier tries left; refuse what this disk has no room for."""
        for left in self._folder.parent.glob(f"{ARRIVING}-*"):
            _remove_unless_held(left)
        needed = sum(part.length for part in parts)
        if shutil.disk_usage(self._gateway.folder.scan_parts).free < uploads.RESERVE_BYTES + needed:
            raise CourierNoRoom(needed=needed)

    def take(self, place: int, part: Part, chunks: Iterable[bytes]) -> None:
        """Write one piece; `chunks` raise when they are not the signed ones."""
        if self._lock is None:
            self._lock = _held_folder(self._folder)
        path = self._folder / f"{place}"
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            uploads.flush(file.fileno())
        self._staged.append((part, path))

    def settle(self) -> dict[str, bool]:
        """Lay the pieces where they belong and make whole what can be; the scans of this bundle, and which are whole
        now. Raises before all pieces lie, or when the ledger does not answer."""
        scans: dict[str, int] = {}
        for part, path in self._staged:
            scan_hash = str(part.scan)
            scans[scan_hash] = part.total
            folder = _folder(self._gateway, self._node_id, scan_hash, part.total)
            folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):  # just removed, because the scan became whole on another road
                path.replace(folder / f"{part.offset:012d}-{part.offset + part.length:012d}")
        self.drop()
        return {name: _joined(self._gateway, self._node_id, name, total) for name, total in scans.items()}

    def drop(self) -> None:
        """Forget what was staged."""
        if self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def _held_folder(folder: Path) -> int:
    """Make it, and hold it; what another delivery removed before it was held is made again."""
    while True:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_still(folder, lock):
                return lock
            os.close(lock)


def _is_still(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_unless_held(folder: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, BlockingIOError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def join(gateway: Gateway, node_id: str, scan_hash: str, total: int) -> Upload:
    """Continue the upload with the pieces that fit, and finish it when it is complete."""
    upload = uploads.begin(gateway, node_id, scan_hash, total)
    folder = _folder(gateway, node_id, scan_hash, total)
    if not upload.whole:
        upload = _continued(gateway, upload, _pieces(folder))
    if upload.whole:
        shutil.rmtree(folder, ignore_errors=True)
    return upload


def held(gateway: Gateway, node_id: str, scan_hash: str) -> int:
    """How far this scan is held without a hole."""
    with suppress(ScanUnknown, ScanBadRequest):
        return uploads.reached(gateway, node_id, scan_hash)
    return 0


def join_lying(gateway: Gateway, node_id: str, scan_hashes: Iterable[str]) -> None:
    """Lay the pieces of these scans in, as far as they fit by now."""
    lying = [folder.name.partition("-") for folder in (gateway.folder.scan_parts / node_id).glob(LYING)]
    wanted = set(scan_hashes)
    for scan_hash, _, total in lying:
        if scan_hash in wanted:
            _joined(gateway, node_id, scan_hash, int(total))


def forget_whole(gateway: Gateway) -> int:
    """Remove the pieces of scans that are whole by now; of how many scans."""
    folders = {folder: folder.name.partition("-")[0] for folder in gateway.folder.scan_parts.glob(f"*/{LYING}")}
    named = {folder: name for folder, name in folders.items() if is_name(name)}
    whole = set(scan_shelf.stored(gateway, sorted(set(named.values()))))
    for folder, name in named.items():
        if name in whole:
            shutil.rmtree(folder, ignore_errors=True)
    return len(whole)


def _joined(gateway: Gateway, node_id: str, scan_hash: str, total: int) -> bool:
    """Whether it is whole now; what kept it from that (no room, a bad block) is no other scan's trouble."""
    try:
        return join(gateway, node_id, scan_hash, total).whole
    except (GatewayError, OSError) as error:
        LOG.warning("scan not joined", extra={"error": type(error).__name__, "scan": scan_hash})
        return False


def _continued(gateway: Gateway, upload: Upload, pieces: list[Piece]) -> Upload:
    reached = upload.offset
    try:
        with uploads.writing(upload) as file:
            for piece in pieces:
                if piece.offset <= reached < piece.end:
                    reached += _copy(piece, reached, file)
            file.flush()
            uploads.flush(file.fileno())
    except (ScanBusy, ScanOffsetConflict):
        return upload
    if reached < upload.length:
        return replace(upload, offset=reached)
    try:
        return uploads.finish(gateway, upload)
    except ScanHashWrong:
        shutil.rmtree(_folder(gateway, upload.node_id, upload.scan_hash, upload.length), ignore_errors=True)
        return replace(upload, offset=0)


def _copy(piece: Piece, reached: int, into: BinaryIO) -> int:
    with piece.path.open("rb") as file:
        file.seek(reached - piece.offset)
        shutil.copyfileobj(file, into, COPY_BYTES)
    return piece.end - reached


def _pieces(folder: Path) -> list[Piece]:
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    return [Piece(int(path.name[:12]), int(path.name[13:]), path) for path in paths]


def _folder(gateway: Gateway, node_id: str, scan_hash: str, total: int) -> Path:
    return gateway.folder.scan_parts / node_id / CARRIED / f"{scan_hash}-{total}"
