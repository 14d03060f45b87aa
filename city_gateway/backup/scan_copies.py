"""The scans of a backup: each once on the shelf, under the hash of its sealed bytes.

Laws: only what is not there yet is copied; the hash is taken from the copy as it was read back, never trusted from the
source; a source that has rotted is named and left out, and the node that sent it goes on keeping its own. What the live
store lost and the shelf has comes back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from city_gateway.backup.shelf import Shelf, generation_lines, placing
from city_gateway.folder import flush_folder
from city_gateway.scan_store.naming import hash_of
from city_gateway.scan_store.store import ScanStore


@dataclass(slots=True)
class Copied:
    """What came of copying: how many scans the backup has, how many of them are new, which sources have rotted or
    vanished and are on the shelf neither, which came back from it into the live store."""

    scans: int = 0
    bytes: int = 0
    new: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    brought_back: list[str] = field(default_factory=list)


def copy_scans(shelf: Shelf, live: ScanStore, names: Iterable[str], listed: Path) -> Copied:
    """Bring every scan of `names` that lies in the live store onto the shelf, and write the list of what is there."""
    copied = Copied()
    here = {bytes.fromhex(name) for name in live.names()}
    with placing(listed) as lines:
        for name in names:
            place = shelf.scan(name)
            is_here = bytes.fromhex(name) in here or name in live.lengths([name])  # it may have come since
            if place.is_file():
                if not is_here and live.put_copy(name, place):
                    copied.brought_back.append(name)
            else:
                if not is_here:
                    copied.missing.append(name)
                    continue
                if not (_onto_shelf(live, place, name) or _once_more(live, place, name)):
                    copied.damaged.append(name)
                    continue
                copied.new += 1
            length = place.stat().st_size
            copied.scans += 1
            copied.bytes += length
            lines.write(f"{name} {length}\n".encode())
    return copied


def damaged_among(shelf: Shelf, listed: Path) -> Iterator[str]:
    """The scans of a list that are not whole on the shelf, every byte read again; a copy that has rotted is removed,
    so that the next backup makes it anew."""
    for name, length in generation_lines(listed):
        place = shelf.scan(name)
        if not place.is_file():
            yield name
        elif place.stat().st_size != length or hash_of(place) != name:
            place.unlink()
            yield name


def bring_back(shelf: Shelf, listed: Path, live: ScanStore) -> str | None:
    """Copy the scans of a list into the live store; the first that is not whole stops it and is returned."""
    for name, _length in generation_lines(listed):
        if live.is_sound(name):
            continue
        source = shelf.scan(name)
        if not source.is_file() or not live.put_copy(name, source):
            return name
    return None


def forget_unlisted(shelf: Shelf, lists: Iterable[Path]) -> int:
    """Remove scans that no generation names any more."""
    kept = {bytes.fromhex(name) for listed in lists for name, _ in generation_lines(listed)}
    removed = 0
    for folder in sorted(shelf.scans.iterdir()):
        for entry in list(os.scandir(folder)):
            if not entry.name.startswith(".") and bytes.fromhex(entry.name) not in kept:
                Path(entry.path).unlink()
                removed += 1
    return removed


def _once_more(live: ScanStore, place: Path, name: str) -> bool:
    """What the road from a far store garbled is not rotten."""
    return live.is_sound(name) and _onto_shelf(live, place, name)


def _onto_shelf(live: ScanStore, place: Path, name: str) -> bool:
    """Copy durably; False, and nothing at the place, when the copy does not have the hash that it is named by."""
    if not place.parent.is_dir():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flush_folder(place.parent.parent)
    with placing(place) as copy:
        for piece in live.pieces(name):
            copy.write(piece)
    if hash_of(place) == name:
        return True
    place.unlink()
    return False
