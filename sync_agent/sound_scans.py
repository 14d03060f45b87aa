"""Whether the sealed bytes in the vault are still those of their name, looked at before they cost the line anything.

Laws: the name of a scan is the SHA-256 of its bytes, so the courier can tell without any key; a scan is read once for
each size and time of its file, and again when the city says that what arrived is something else.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from enum import StrEnum

from offline_store.errors import StoreError
from offline_store.vault.scans import Vault

LOOKED_AT_ONCE = 1024 * 1024
REMEMBERED_MOST = 10_000


class Damage(StrEnum):
    """What is wrong with a scan on the disk."""

    VANISHED = "vanished"
    ROTTEN = "rotten"


class SoundScans:
    """What this run has looked at."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._seen: dict[str, tuple[int, int, int]] = {}

    async def damage(self, scan_hash: str) -> Damage | None:
        """None when the bytes are those of the name."""
        try:
            with self._vault.open(scan_hash) as sealed:
                found = os.fstat(sealed.fileno())
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                if self._seen.get(scan_hash) == stamp:
                    return None
                digest = hashlib.sha256()
                while piece := sealed.read(LOOKED_AT_ONCE):
                    digest.update(piece)
                    await asyncio.sleep(0)
        except (StoreError, FileNotFoundError):
            return Damage.VANISHED
        except OSError:
            return Damage.ROTTEN  # the disk cannot give these bytes any more
        if digest.hexdigest() != scan_hash:
            return Damage.ROTTEN
        if len(self._seen) >= REMEMBERED_MOST:
            self._seen.clear()
        self._seen[scan_hash] = stamp
        return None

    def doubt(self, scan_hash: str) -> None:
        """Read it again next time."""
        self._seen.pop(scan_hash, None)
