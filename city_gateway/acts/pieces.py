"""Pieces of scans that were carried: kept until the scan has no hole, then made whole like every upload.

Laws: a piece comes to lie here only after its hash was compared; pieces may come in any order, from several sticks, and
beside an upload over the line, which they continue; the hash of the whole decides as always, and a scan that does not
have it begins again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from city_gateway.acts import uploads
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.uploads import Upload
from city_gateway.errors import CourierNoRoom, ScanBadRequest, ScanHashWrong, ScanUnknown
from wire.bundle import Part

CARRIED = "carried"
ARRIVING = "arriving"
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
        self._folder = gateway.folder.scan_parts / node_id / CARRIED / f"{ARRIVING}-{bundle[:16]}"
        self._staged: list[tuple[Part, Path]] = []

    def begin(self, parts: Iterable[Part]) -> None:
        """Remove what an earlier try left; refuse what this disk has no room for."""
        self.drop()
        needed = sum(part.length for part in parts)
        if shutil.disk_usage(self._gateway.folder.scans).free < uploads.RESERVE_BYTES + needed:
            raise CourierNoRoom(needed=needed)

    def take(self, place: int, part: Part, chunks: Iterable[bytes]) -> None:
        """Write one piece; `chunks` raise when they are not the signed ones."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{place}"
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            uploads.flush(file.fileno())
        self._staged.append((part, path))

    def settle(self) -> dict[str, Upload]:
        """Lay the pieces where they belong and make whole what can be; the scans of this bundle as they stand now."""
        scans: dict[str, int] = {}
        for part, path in self._staged:
            scan_hash = str(part.scan)
            scans[scan_hash] = part.total
            folder = _folder(self._gateway, self._node_id, scan_hash, part.total)
            folder.mkdir(mode=0o700, exist_ok=True)
            path.replace(folder / f"{part.offset:012d}-{part.offset + part.length:012d}")
        self.drop()
        return {scan_hash: join(self._gateway, self._node_id, scan_hash, total) for scan_hash, total in scans.items()}

    def drop(self) -> None:
        """Forget what was staged."""
        shutil.rmtree(self._folder, ignore_errors=True)


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
        return uploads.find(gateway, node_id, scan_hash).offset
    return 0


def _continued(gateway: Gateway, upload: Upload, pieces: list[Piece]) -> Upload:
    with upload.path.open("r+b") as file:
        reached = file.seek(0, os.SEEK_END)
        for piece in pieces:
            if piece.offset <= reached < piece.end:
                reached += _copy(piece, reached, file.fileno())
        uploads.flush(file.fileno())
    if reached < upload.length:
        return replace(upload, offset=reached)
    try:
        return uploads.finish(gateway, upload)
    except ScanHashWrong:
        shutil.rmtree(_folder(gateway, upload.node_id, upload.scan_hash, upload.length), ignore_errors=True)
        return replace(upload, offset=0)


def _copy(piece: Piece, reached: int, into: int) -> int:
    copied = 0
    with piece.path.open("rb") as file:
        file.seek(reached - piece.offset)
        while chunk := file.read(COPY_BYTES):
            at = 0
            while at < len(chunk):
                at += os.pwrite(into, chunk[at:], reached + copied + at)
            copied += len(chunk)
    return copied


def _pieces(folder: Path) -> list[Piece]:
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    return [Piece(int(path.name[:12]), int(path.name[13:]), path) for path in paths]


def _folder(gateway: Gateway, node_id: str, scan_hash: str, total: int) -> Path:
    return gateway.folder.scan_parts / node_id / CARRIED / f"{scan_hash}-{total}"
