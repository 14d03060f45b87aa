"""Finished scans in an S3-compatible store, which several gateways may share.

    PREFIX/gateway           whose store this is; written by `scans init`, last
    PREFIX/whole/<hash>      sealed scans
    PREFIX/damaged/<hash>    those that were lost, with the rotten bytes or empty

Laws
- A file is given out of hand when the store has confirmed it, and only then does its place here become free.
- A name can only mean the same bytes, so a scan is written over without asking: repeating is safe, and it mends what
  rotted unseen. Only whose store it is, is written under the condition that nobody was before.
- "Not there" is believed only of a store that says it is this gateway's: a wrong bucket, an emptied one, would
  otherwise make the city believe that every scan was lost.
- What the hash does not confirm is read once more before it counts as rotten: the road may have garbled it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeVar

from city_gateway.errors import GatewayError, ScanStoreAway, ScanStoreForeign
from city_gateway.scan_store.naming import hash_of, is_name
from city_gateway.scan_store.s3_road import Road
from city_gateway.scan_store.store import PIECE_BYTES, ScanStore
from wire.scan import SCAN_HEADER_MAX

OWNER, WHOLE, DAMAGED = "gateway", "whole", "damaged"
AT_ONCE = 16
LARGE_BYTES = 4 * 1024 * 1024
"""Above this a scan is sent alone and spooled to the disk when it is read: it is held in memory while it is sent."""
HEADERS_KEPT = 512

T = TypeVar("T")


class S3ScanStore:
    """The finished scans of one gateway (or of several processes of it) in one bucket."""

    asks_far = True

    def __init__(self, road: Road, gateway_id: str, spool: Path) -> None:
        self._road, self._gateway_id, self._spool = road, gateway_id, spool
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan-store")
        self._proven = False
        self._known_lost: set[str] | None = None
        self._headers: dict[str, bytes] = {}

    def prove(self) -> None:
        """ScanStoreForeign unless this store says that it is this gateway's."""
        if self._owner() != self._gateway_id:
            self._proven = False
            raise ScanStoreForeign
        self._proven = True

    def adopt(self, local: ScanStore, told: Callable[[int], None]) -> tuple[int, int]:
        """Make this the gateway's store: bring in what lies in a folder, then say whose it is. How many scans came new,
        and how many were not whole; may be cut and begun again."""
        if self._owner() not in {None, self._gateway_id}:
            raise ScanStoreForeign
        self._proven = True
        here = {bytes.fromhex(name) for name in self.names()}
        new = rotten = 0
        for name in local.names():
            if bytes.fromhex(name) in here:
                continue
            sound = local.sound(name)
            if sound is None:
                rotten += 1
                continue
            self._road.put(f"{WHOLE}/{name}", b"".join(sound))
            new += 1
            told(new)
        for name in local.lost():
            self._road.put(f"{DAMAGED}/{name}", b"")
        self._road.put(OWNER, self._gateway_id.encode(), only_if_new=True)
        self.prove()
        return new, rotten

    def put_all(self, files: Sequence[tuple[str, Path]]) -> list[Exception | None]:
        """Small ones side by side."""
        self._must_be_ours()
        small = [one for one in files if _size(one[1]) <= LARGE_BYTES]
        outcomes = dict(zip(small, self._pool.map(self._put, small), strict=True))
        return [outcomes[one] if one in outcomes else self._put(one) for one in files]

    def put_copy(self, name: str, source: Path) -> bool:
        """Read for its hash before it is sent."""
        self._must_be_ours()
        if hash_of(source) != name:
            return False
        self._send(name, source.read_bytes())
        return True

    def lengths(self, names: Iterable[str]) -> dict[str, int]:
        """Side by side, and none when nothing is asked for."""
        return self._each(names, lambda name: self._road.length(f"{WHOLE}/{name}"))

    def beginnings(self, names: Iterable[str], most: int) -> dict[str, bytes]:
        """Kept for a while: what a header says cannot change under a name."""
        asked = list(names)
        kept = self._headers if most <= SCAN_HEADER_MAX else {}
        known = {name: one[:most] for name in asked if (one := kept.get(name)) is not None}
        rest = [name for name in asked if name not in known]
        found = self._each(rest, lambda name: self._road.beginning(f"{WHOLE}/{name}", most))
        for name, beginning in found.items():
            self._remember(name, beginning)
        return known | found

    def pieces(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As they come from the store."""
        self._must_be_ours()
        return self._road.pieces(f"{WHOLE}/{name}", first, end)

    def sound(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes] | None:
        """Read whole into a spool, so that what is given out are the very bytes that were proven."""
        spool = self._twice_tried(name)
        return None if spool is None else _read(spool, first, end)

    def is_sound(self, name: str) -> bool:
        """Read whole, and let go."""
        spool = self._twice_tried(name)
        if spool is not None:
            spool.close()
        return spool is not None

    def names(self) -> Iterator[str]:
        """A thousand at a time."""
        self._must_be_ours()
        return (key for key in self._road.keys(WHOLE) if is_name(key))

    def set_aside(self, name: str) -> bool:
        """Copied, then removed; an empty object stands for one that vanished."""
        self.prove()
        known = self._lost_names()
        self._headers.pop(name, None)
        if self._road.copy(f"{WHOLE}/{name}", f"{DAMAGED}/{name}"):
            self._road.delete([f"{WHOLE}/{name}"])
        elif name in known:
            return False
        else:
            self._road.put(f"{DAMAGED}/{name}", b"")
        known.add(name)
        return True

    def lost(self) -> Iterator[str]:
        """What was known at the last look: every exchange asks, and must not wait for the store."""
        try:
            return iter(sorted(self._lost_names()))
        except ScanStoreAway:
            return iter(())

    def look_for_lost(self) -> int:
        """What other gateways set aside, without those that came again; how many."""
        self._must_be_ours()
        listed = [key for key in self._road.keys(DAMAGED) if is_name(key)]
        again = self.lengths(listed)
        self._road.delete(f"{DAMAGED}/{name}" for name in again)
        self._known_lost = {name for name in listed if name not in again}
        return len(self._known_lost)

    def _lost_names(self) -> set[str]:
        if self._known_lost is None:
            self.look_for_lost()
        return self._known_lost if self._known_lost is not None else set()

    def _put(self, one: tuple[str, Path]) -> Exception | None:
        name, path = one
        try:
            data = path.read_bytes()
            self._send(name, data)
        except (OSError, GatewayError) as problem:
            return problem
        path.unlink(missing_ok=True)
        return None

    def _send(self, name: str, data: bytes) -> None:
        self._road.put(f"{WHOLE}/{name}", data)
        if self._known_lost is not None:
            self._known_lost.discard(name)
        self._remember(name, data)

    def _each(self, names: Iterable[str], ask: Callable[[str], T | None]) -> dict[str, T]:
        asked = list(dict.fromkeys(names))
        if not asked:
            return {}
        self._must_be_ours()
        answers = self._pool.map(ask, asked) if len(asked) > 1 else map(ask, asked)
        return {name: answer for name, answer in zip(asked, answers, strict=True) if answer is not None}

    def _twice_tried(self, name: str) -> IO[bytes] | None:
        self._must_be_ours()
        return self._proven_spool(name) or self._proven_spool(name)

    def _proven_spool(self, name: str) -> IO[bytes] | None:
        spool: IO[bytes] = BytesIO()
        digest = hashlib.sha256()
        try:
            for piece in self._road.pieces(f"{WHOLE}/{name}"):
                digest.update(piece)
                spool = self._with_room_for(spool, piece)
                spool.write(piece)
        except FileNotFoundError:
            spool.close()
            return None
        except BaseException:
            spool.close()
            raise
        if digest.hexdigest() != name:
            spool.close()
            return None
        return spool

    def _with_room_for(self, spool: IO[bytes], piece: bytes) -> IO[bytes]:
        """In memory while it is small, then in a file without a name: sealed bytes, as everything here."""
        if not isinstance(spool, BytesIO) or spool.tell() + len(piece) <= LARGE_BYTES:
            return spool
        on_disk: IO[bytes] = TemporaryFile(dir=self._spool)  # noqa: SIM115 - lives until it was read out
        on_disk.write(spool.getbuffer())
        return on_disk

    def _remember(self, name: str, beginning: bytes) -> None:
        if len(self._headers) >= HEADERS_KEPT:
            self._headers.clear()
        self._headers[name] = beginning[:SCAN_HEADER_MAX]

    def _must_be_ours(self) -> None:
        if not self._proven:
            self.prove()

    def _owner(self) -> str | None:
        said = self._road.beginning(OWNER, PIECE_BYTES)
        return None if said is None else said.decode("ascii", "replace").strip()


def _read(spool: IO[bytes], first: int, end: int | None) -> Iterator[bytes]:
    with spool:
        spool.seek(first)
        while piece := spool.read(PIECE_BYTES if end is None else min(PIECE_BYTES, end - spool.tell())):
            yield piece


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
