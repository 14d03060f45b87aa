"""The finished scans on disk, as other acts ask for them."""

from __future__ import annotations

from collections.abc import Iterable

from city_gateway.acts.feed import ScanKey
from city_gateway.acts.gateway import Gateway
from wire.errors import WireError
from wire.scan import SCAN_HEADER_MAX, content_key_of, read_scan_header


def stored(gateway: Gateway, scan_hashes: Iterable[str]) -> list[str]:
    """Those that are here, whole."""
    return [name for name in scan_hashes if (gateway.folder.scans / name).is_file()]


def keys_of(gateway: Gateway, scan_hashes: Iterable[str]) -> dict[str, ScanKey]:
    """The keys of those that are here; a scan that is not sealed to this gateway has none, and is left out."""
    found = {}
    for name in dict.fromkeys(scan_hashes):
        key = _key_of(gateway, name)
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
