"""Scans that the city held and lost: a file that rotted is set aside, and its site is asked to send the scan again.

Laws: a scan is named by the hash of its bytes, and nothing else says whether it is sound; a name stays in
`scans-damaged` (with the rotten bytes, for whoever looks into the disk; empty when they vanished) until whole bytes lie
in its place again, whoever brings them: the node that sent it, or the next backup.
"""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from city_gateway.acts import scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import ScanUnknown
from city_gateway.folder import GatewayFolder, flush_folder
from city_gateway.ledger import scan_owners

LOG = logging.getLogger("city_gateway")
NAMED_MOST = 500


def require_sound(gateway: Gateway, path: Path) -> None:
    """ScanUnknown, and the file set aside, when its bytes are not those of its name or cannot be read any more."""
    try:
        sound = hash_of(path) == path.name
    except OSError as failure:
        if failure.errno not in {errno.EIO, errno.ENOENT}:
            raise
        sound = False
    if not sound:
        set_aside(gateway.folder, path.name)
        raise ScanUnknown


def set_aside(folder: GatewayFolder, scan_hash: str) -> None:
    """Note that this scan has to come again; rotten bytes leave their place."""
    place = folder.scans_damaged / scan_hash
    place.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        (folder.scans / scan_hash).replace(place)
    except FileNotFoundError:
        if place.exists():
            return
        place.touch(mode=0o600)
    for flushed in (folder.scans_damaged, folder.scans):
        flush_folder(flushed)
    LOG.warning("scan lost, asked for again scan=%s", scan_hash)


def sent_again(gateway: Gateway, tx: Connection, site: str) -> list[str]:
    """The lost scans of this site that are not here again."""
    names = list(islice(_lost(gateway.folder), NAMED_MOST))
    if not names:
        return []
    owners = scan_owners.owners(tx, names)
    return [name for name in names if owners.get(name) == site]


def hash_of(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lost(folder: GatewayFolder) -> Iterator[str]:
    for place in sorted(folder.scans_damaged.iterdir()):
        if not scan_shelf.is_name(place.name):
            continue
        if (folder.scans / place.name).is_file():
            place.unlink(missing_ok=True)
        else:
            yield place.name
