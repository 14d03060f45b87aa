"""The stored scans as bytes on disk, and the keys in their headers.

Law: nothing is opened under a name that is not the hash of a sealed file, whoever says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from city_gateway.acts.feed import ScanKey
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger import scan_owners
from wire.errors import WireError
from wire.scan import SCAN_HEADER_MAX, content_key_of, read_scan_header

PIECE_BYTES = 64 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")


def is_name(text: str) -> bool:
    """Whether a scan can be called so."""
    return _NAME.fullmatch(text) is not None


def stored(gateway: Gateway, scan_hashes: Iterable[str]) -> list[str]:
    """Those that are here, whole, and belong to somebody."""
    here = [name for name in scan_hashes if is_name(name) and (gateway.folder.scans / name).is_file()]
    if not here:
        return []
    with gateway.ledger.reading() as tx:
        owned = scan_owners.owners(tx, here)
    return [name for name in here if name in owned]


def pieces(path: Path, first: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The sealed bytes from `first` up to `end`, a few at a time."""
    with path.open("rb") as file:
        file.seek(first)
        while piece := file.read(PIECE_BYTES if end is None else min(PIECE_BYTES, end - file.tell())):
            yield piece


def keys_of(gateway: Gateway, scan_hashes: Iterable[str]) -> dict[str, ScanKey]:
    """The keys of those that are here; a scan that is not sealed to this gateway has none, and is left out."""
    found = {}
    for name in dict.fromkeys(scan_hashes):
        key = _key_of(gateway, name) if is_name(name) else None
        if key is not None:
            found[name] = key
    return found


def _key_of(gateway: Gateway, scan_hash: str) -> ScanKey | None:
    try:
        with (gateway.folder.scans / scan_hash).open("rb") as file:
            beginning = file.read(SCAN_HEADER_MAX)
        header = read_scan_header(beginning)
        return ScanKey(header.encoded, content_key_of(header.encoded, gateway.keys.sealing_for(header.recipients)))
    except (FileNotFoundError, WireError):
        return None
