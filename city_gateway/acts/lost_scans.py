"""Scans that the city held and lost: one that rotted is set aside, and its site is asked to send the scan again.

Law: a name stays on the list of the lost until whole bytes lie in its place again, whoever brings them: the node that
sent it, or the next backup.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Connection

from city_gateway.acts.gateway import Gateway
from city_gateway.errors import ScanUnknown
from city_gateway.ledger import scan_owners
from city_gateway.scan_store.store import ScanStore

LOG = logging.getLogger("city_gateway")
NAMED_MOST = 500


def require_sound(gateway: Gateway, scan_hash: str) -> None:
    """ScanUnknown, and the scan set aside, when its bytes are not those of its name or cannot be read any more."""
    if not gateway.scans.is_sound(scan_hash):
        set_aside(gateway.scans, scan_hash)
        raise ScanUnknown


def sound_pieces(gateway: Gateway, scan_hash: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a scan that was proven whole, otherwise as above."""
    sound = gateway.scans.sound(scan_hash, first, end)
    if sound is None:
        set_aside(gateway.scans, scan_hash)
        raise ScanUnknown
    return sound


def set_aside(scans: ScanStore, scan_hash: str) -> None:
    """Note that this scan has to come again."""
    if scans.set_aside(scan_hash):
        LOG.warning("scan lost, asked for again scan=%s", scan_hash)


def sent_again(gateway: Gateway, tx: Connection, site: str) -> list[str]:
    """The lost scans of this site that are not here again."""
    names = list(islice(gateway.scans.lost(), NAMED_MOST))
    if not names:
        return []
    owners = scan_owners.owners(tx, names)
    return [name for name in names if owners.get(name) == site]
