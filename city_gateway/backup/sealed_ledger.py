"""The ledger's copy, sealed to the gateway's own newest key: who finds the backup reads nothing of it.

The same sealed file as a scan (`wire.scan`): chunks that prove themselves, so a cut or changed one is refused. Making
needs no passphrase and no secret; opening needs the gateway's keys, which are exported and kept apart.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from city_gateway.backup.errors import BackupDamaged, BackupOtherGateway
from city_gateway.backup.shelf import pieces, placing
from city_gateway.keys import GatewayKeys
from wire.errors import NotForThisKey, WireError
from wire.scan import SCAN_HEADER_MAX, ScanSealer, content_key_of, open_scan, read_scan_header


def seal_file(plain: Path, sealed: Path, keys: GatewayKeys, randomness: Callable[[int], bytes]) -> None:
    """Seal a file durably."""
    sealer = ScanSealer([keys.newest_sealing.public], randomness)
    with placing(sealed) as file:
        for piece in pieces(plain):
            file.write(sealer.update(piece))
        file.write(sealer.finish())


def open_file(sealed: Path, plain: Path, keys: GatewayKeys) -> None:
    """Open it again, or BackupDamaged, BackupOtherGateway."""
    try:
        with sealed.open("rb") as file:
            header = read_scan_header(file.read(SCAN_HEADER_MAX))
        content_key = content_key_of(header.encoded, keys.sealing_for(header.recipients))
        with placing(plain) as file:
            for piece in open_scan(pieces(sealed), content_key):
                file.write(piece)
    except NotForThisKey:
        raise BackupOtherGateway from None
    except (WireError, FileNotFoundError):
        raise BackupDamaged(what=sealed.name) from None
