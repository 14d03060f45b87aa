"""Making a backup while the gateway runs, keeping a number of generations.

Laws
- First the ledger, as of one moment, then the scans that it knows of: so the backup names no scan that could be in it
  and is not. A scan that is not whole in the live store is left out and named.
- Everything lies under a temporary name until it is durable; one rename makes it a backup.
- What is old is removed only after the new one was verified, and never the newest verified one. Old is what has a
  lower number, whatever the clock said.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from city_gateway.acts.lost_scans import set_aside
from city_gateway.backup.catalog_copy import pack_catalog
from city_gateway.backup.manifest import Manifest, fact_of, is_verified, key_names, write_manifest
from city_gateway.backup.scan_copies import Copied, copy_scans, forget_unlisted
from city_gateway.backup.sealed_ledger import seal_file
from city_gateway.backup.shelf import CATALOG, LEDGER, MAKING, SCANS, Shelf
from city_gateway.backup.snapshot import Snapshot, copy_ledger, file_ledger
from city_gateway.backup.soundness import owned_scans
from city_gateway.backup.workshop import Workshop
from city_gateway.folder import flush_folder
from city_gateway.keys import GatewayKeys

TIME_IN_NAMES = "%Y%m%dT%H%M%S.%fZ"
"""For the person who reads the name; the number before it is what names sort by."""


def make(workshop: Workshop, step: Callable[[str], None] = lambda _name: None) -> Path:
    """A new generation, not yet verified; the caller holds the shelf."""
    backup_id = workshop.randomness(16).hex()
    shelf = workshop.shelf
    number = shelf.next_number()
    making = shelf.root / f"{MAKING}{backup_id}"
    making.mkdir(mode=0o700)
    with workshop.scratch() as scratch:
        step("ledger")
        made_at = workshop.clock()
        plain = scratch / "ledger.db"
        seen = copy_ledger(workshop.ledger, plain)
        seal_file(plain, making / LEDGER, workshop.keys, workshop.randomness)
        with file_ledger(plain) as engine, engine.connect() as tx:
            names = owned_scans(tx)
    step("scans")
    copied = copy_scans(shelf, workshop.scans, names, making / SCANS)
    for name in [*copied.damaged, *copied.missing]:
        set_aside(workshop.scans, name)
    step("catalog")
    pack_catalog(workshop.folder, making / CATALOG)
    manifest = _manifest(workshop, backup_id, number, made_at, seen, copied, making)
    write_manifest(making, manifest, workshop.keys)
    flush_folder(making)
    generation = shelf.generations / f"n{number:06d}-{made_at.strftime(TIME_IN_NAMES)}-{backup_id[:8]}"
    making.rename(generation)
    flush_folder(shelf.root)
    flush_folder(shelf.generations)
    return generation


def keep_only(shelf: Shelf, keys: GatewayKeys, most: int) -> list[str]:
    """Remove the oldest generations beyond so many; the newest verified one always stays. Names of the removed."""
    generations = shelf.all()
    newest = next((path for path in reversed(generations) if is_verified(path, keys)), None)
    old = [path for path in generations[: max(0, len(generations) - most)] if path != newest]
    if newest is None or not old:
        return []
    for path in old:
        gone = shelf.root / f"{MAKING}{path.name}"
        path.rename(gone)  # no longer a backup, whatever becomes of the deleting
        shutil.rmtree(gone)
    flush_folder(shelf.generations)
    forget_unlisted(shelf, [path / SCANS for path in shelf.all()])
    return [path.name for path in old]


def _manifest(
    workshop: Workshop,
    backup_id: str,
    number: int,
    made_at: datetime,
    seen: Snapshot,
    copied: Copied,
    making: Path,
) -> Manifest:
    signing, sealing = key_names(workshop.keys)
    return Manifest(
        backup_id=backup_id,
        number=number,
        gateway=workshop.keys.gateway_id,
        epoch=seen.epoch,
        made_at=made_at,
        revision=seen.revision,
        database=workshop.ledger.dialect,
        signing_key=signing,
        sealing_keys=sealing,
        rows=seen.rows,
        marks=seen.marks,
        files={name: fact_of(making / name) for name in (LEDGER, SCANS, CATALOG)},
        scans=copied.scans,
        scan_bytes=copied.bytes,
        scans_damaged=copied.damaged,
    )
