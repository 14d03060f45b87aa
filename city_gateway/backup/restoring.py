"""Back from a backup: a new timeline of the same city.

Laws
- Everything is proven before the present ledger is touched: signatures, hashes, every scan, the ledger itself.
- The ledger changes last and at once (PostgreSQL: one transaction; SQLite: one rename of a finished file). Killed
  before, nothing has changed; run again, it does the same.
- What was there is moved aside, never deleted; a ledger that programs are connected to is not touched.
- Keys must be the backup's own. A catalog that is there stays: it is not older, and nodes refuse an older one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, make_url

from city_gateway.backup import places
from city_gateway.backup.catalog_copy import unpack_catalog
from city_gateway.backup.errors import BackupDamaged, BackupOlder
from city_gateway.backup.manifest import Manifest, Verified, is_verified, read_manifest, read_verified
from city_gateway.backup.scan_copies import bring_back
from city_gateway.backup.sealed_ledger import open_file
from city_gateway.backup.shelf import CATALOG, LEDGER, SCANS, of_generation
from city_gateway.backup.snapshot import file_ledger, settle
from city_gateway.backup.soundness import must_be_sound
from city_gateway.backup.trial import files_must_be_whole
from city_gateway.catalog.repository import catalog_folder
from city_gateway.folder import GatewayFolder
from city_gateway.keys import GatewayKeys
from city_gateway.ledger import backups
from city_gateway.ledger.backups import Restored, VerifiedBackup
from city_gateway.ledger.schema import bring_up_to_date
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.store import ScanStore

RESTORING = ".restoring"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be restored, whereto, and what the administrator has confirmed."""

    generation: Path
    url: str
    folder: Path
    replace: bool = False
    yes_older: bool = False


def restore(
    wish: Wish,
    keys: GatewayKeys,
    *,
    scans: ScanStore | None = None,
    now: datetime,
    randomness: Callable[[int], bytes],
    step: Callable[[str], None] = lambda _name: None,
) -> Restored:
    """Restore, scans into the gateway's folder unless another store is given; the new timeline comes back."""
    manifest = read_manifest(wish.generation, keys)
    verified = read_verified(wish.generation, keys)
    if not wish.yes_older:
        _must_be_newest(wish.generation, manifest, keys)
    place = places.of(wish.url)
    place.must_be_free(replace=wish.replace)
    step("checking")
    files_must_be_whole(wish.generation, manifest)
    folder = GatewayFolder(wish.folder)
    folder.create()
    plain = _beside(wish)
    try:
        open_file(wish.generation / LEDGER, plain, keys)
        with file_ledger(plain) as engine:
            bring_up_to_date(engine)
            with engine.connect() as tx:
                must_be_sound(tx, manifest)
        step("scans")
        damaged = bring_back(of_generation(wish.generation), wish.generation / SCANS, scans or FolderStore(folder))
        if damaged is not None:
            raise BackupDamaged(what=f"scan {damaged}")
        if not catalog_folder(wish.folder).exists():
            unpack_catalog(wish.generation / CATALOG, wish.folder)
        step("ledger")
        restored = Restored(randomness(16).hex(), now, manifest.epoch, manifest.backup_id, manifest.made_at)
        with file_ledger(plain) as engine, engine.begin() as tx:
            _begin(tx, restored, manifest, verified, wish.generation)
        settle(plain)
        place.take(plain)
    finally:
        plain.unlink(missing_ok=True)
    return restored


def _begin(tx: Connection, restored: Restored, manifest: Manifest, verified: Verified, generation: Path) -> None:
    """The new timeline relies on the backup it came from, and on no other."""
    backups.begin_timeline(tx, restored, verified.stable)
    backups.keep(
        tx,
        VerifiedBackup(
            backup_id=manifest.backup_id,
            epoch=restored.epoch,
            made_at=manifest.made_at,
            verified_at=verified.verified_at,
            place=str(generation),
            applications=manifest.rows["applications"],
            scans=manifest.scans,
            held_back=len(verified.held_back),
        ),
    )


def _must_be_newest(generation: Path, manifest: Manifest, keys: GatewayKeys) -> None:
    for other in reversed(of_generation(generation).all()):
        if other.resolve() == generation.resolve():
            continue
        if is_verified(other, keys) and read_manifest(other, keys).is_newer_than(manifest):
            raise BackupOlder(backup=generation.name, newer=other.name)


def _beside(wish: Wish) -> Path:
    """Where the ledger is prepared: where SQLite will have it, so that one rename is enough."""
    parsed = make_url(wish.url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        target = Path(parsed.database)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f"{target.name}{RESTORING}")
    else:
        beside = wish.folder / f".ledger{RESTORING}"
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return beside
