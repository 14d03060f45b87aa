"""How bundles lie on a stick, without touching one: the disk is handed in as a `Medium`.

Laws:
- One folder `guangan-mail` at the root; in it one folder for each bundle, `U` (up) or `D` (down) and seven hex digits.
  In a bundle's folder lie its parts as `P0000001.BIN` and so on in the order of the inventory, and the inventory as
  `INVENTRY.JSN`. Every name fits the oldest FAT: eight and three, capitals, no name comes from inside a bundle.
- The inventory is written last, under another name, and renamed when everything before it is durable. A stick that
  was pulled before that holds no bundle, only leftovers, which the next writing removes.
- What is read was not trusted to stay the same: parts are checked each time they are read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from wire.bundle import MAX_INVENTORY_BYTES, Part, bundle_id, checked
from wire.canonical import canonical_json, read_json
from wire.errors import BundleIncomplete, MalformedMessage, TooLarge
from wire.signed import SignedDocument

__all__ = [
    "CLUSTER_BYTES",
    "DOWN",
    "FOLDER",
    "INVENTORY",
    "UP",
    "Medium",
    "bundles",
    "bytes_on_stick",
    "folder_name",
    "leftovers",
    "part_name",
    "read_inventory",
    "read_part",
    "write_bundle",
]

FOLDER = "guangan-mail"
UP, DOWN = "U", "D"
INVENTORY = "INVENTRY.JSN"
UNFINISHED = "INVENTRY.TMP"
CLUSTER_BYTES = 32 * 1024
_BUNDLE = re.compile(r"[UD][0-9A-F]{7}", re.IGNORECASE)  # some drivers show short names in small letters


class Medium(Protocol):
    """The folder `guangan-mail` of one stick. Folder and file names are the ones of this module, nothing else.

    Reading never follows a link and yields regular files only; a missing file is a FileNotFoundError.
    """

    def folders(self) -> list[str]:
        """Names of what lies in it; none when it is not there."""

    def has(self, folder: str, name: str) -> bool:
        """Whether this regular file is there."""

    def write(self, folder: str, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file anew and make its bytes durable; makes the folders it needs."""

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """Its bytes in pieces."""

    def rename(self, folder: str, old: str, new: str) -> None:
        """Give a file its final name and make that durable, with all names in the folder."""

    def drop(self, folder: str) -> None:
        """Remove a folder of a bundle with everything in it."""


def part_name(place: int) -> str:
    """The file of part number `place`, from 1.

    >>> part_name(1), part_name(12)
    ('P0000001.BIN', 'P0000012.BIN')
    """
    return f"P{place:07d}.BIN"


def folder_name(way: str, document: SignedDocument) -> str:
    """Where a bundle lies."""
    return way + bundle_id(document)[:7].upper()


def bytes_on_stick(length: int) -> int:
    """The room that a file of this length takes, whole clusters and its entry in the folder.

    >>> bytes_on_stick(1)
    65536
    """
    return (length // CLUSTER_BYTES + 2) * CLUSTER_BYTES


def write_bundle(
    medium: Medium,
    way: str,
    document: SignedDocument,
    parts: Iterable[tuple[Part, Iterable[bytes]]],
    written: Callable[[int], None] = lambda _bytes: None,
) -> str:
    """Lay a bundle down; returns its folder. `written` is told the bytes of each chunk.

    When it raises, what was laid down is no bundle.
    """
    folder = folder_name(way, document)
    if folder in medium.folders():
        medium.drop(folder)
    for place, (part, chunks) in enumerate(parts, start=1):
        medium.write(folder, part_name(place), _told(checked(part, chunks), written))
    medium.write(folder, UNFINISHED, [canonical_json(document)])
    medium.rename(folder, UNFINISHED, INVENTORY)
    return folder


def bundles(medium: Medium, way: str) -> list[str]:
    """The folders of finished bundles."""
    return [one for one in _folders(medium, way) if medium.has(one, INVENTORY)]


def leftovers(medium: Medium, way: str) -> list[str]:
    """Folders of bundles that were never finished: the stick was pulled."""
    return [one for one in _folders(medium, way) if not medium.has(one, INVENTORY)]


def read_inventory(medium: Medium, folder: str) -> dict[str, Any]:
    """The signed inventory, not proven yet."""
    data = bytearray()
    try:
        for chunk in medium.read(folder, INVENTORY):
            data += chunk
            if len(data) > MAX_INVENTORY_BYTES:
                raise TooLarge(MAX_INVENTORY_BYTES)
    except FileNotFoundError:
        raise BundleIncomplete(0) from None
    document = read_json(bytes(data), "bundle")
    if not isinstance(document, dict):
        raise MalformedMessage("bundle")
    return document


def read_part(medium: Medium, folder: str, place: int, part: Part) -> Iterator[bytes]:
    """The bytes of part number `place`; whoever reads to the end has what was signed."""
    try:
        yield from checked(part, medium.read(folder, part_name(place)), f"part {place}")
    except FileNotFoundError:
        raise BundleIncomplete(place) from None


def _folders(medium: Medium, way: str) -> list[str]:
    return sorted(one for one in medium.folders() if _BUNDLE.fullmatch(one) and one[0].upper() == way)


def _told(chunks: Iterable[bytes], written: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        written(len(chunk))
