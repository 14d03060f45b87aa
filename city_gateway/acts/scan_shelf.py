"""Which of the stored scans are here, and the keys in their headers.

Law: nothing is asked for under a name that is not the hash of a sealed file, whoever says it.
"""

from __future__ import annotations

from collections.abc import Iterable

from city_gateway.acts.feed import ScanKey
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import ScanStoreAway
from city_gateway.ledger import scan_owners
from city_gateway.scan_store.naming import is_name
from wire.errors import WireError
from wire.scan import SCAN_HEADER_MAX, content_key_of, read_scan_header


def stored(gateway: Gateway, scan_hashes: Iterable[str]) -> list[str]:
    """Those that are here, whole, and belong to somebody."""
    return list(stored_lengths(gateway, scan_hashes))


def stored_lengths(gateway: Gateway, scan_hashes: Iterable[str]) -> dict[str, int]:
    """The same, with how long each is."""
    names = [name for name in scan_hashes if is_name(name)]
    if gateway.scans.asks_far:
        return dict(gateway.scans.lengths(_owned(gateway, names)))
    here = gateway.scans.lengths(names)
    owned = _owned(gateway, here)
    return {name: length for name, length in here.items() if name in owned}


def stored_as_far_as_known(gateway: Gateway, scan_hashes: Iterable[str]) -> list[str]:
    """The same, and none while the store does not answer: a scan that is left out is told later, an exchange of
    operations does not wait for it."""
    try:
        return stored(gateway, scan_hashes)
    except ScanStoreAway:
        return []


def keys_of(gateway: Gateway, scan_hashes: Iterable[str]) -> dict[str, ScanKey]:
    """The keys of those that are here; a scan that is not sealed to this gateway has none, and is left out."""
    names = [name for name in dict.fromkeys(scan_hashes) if is_name(name)]
    found = {}
    for name, beginning in gateway.scans.beginnings(names, SCAN_HEADER_MAX).items():
        key = _key_in(gateway, beginning)
        if key is not None:
            found[name] = key
    return found


def _owned(gateway: Gateway, names: Iterable[str]) -> dict[str, str]:
    asked = list(names)
    if not asked:
        return {}
    with gateway.ledger.reading() as tx:
        return scan_owners.owners(tx, asked)


def _key_in(gateway: Gateway, beginning: bytes) -> ScanKey | None:
    try:
        header = read_scan_header(beginning)
        return ScanKey(header.encoded, content_key_of(header.encoded, gateway.keys.sealing_for(header.recipients)))
    except WireError:
        return None
