"""The trial: a backup is restored somewhere else and looked through before anybody may rely on it.

Laws
- Only after everything was found whole is the outcome signed, and only then are its marks published, for all nodes in
  one transaction of the live ledger.
- On PostgreSQL the trial is made on PostgreSQL: in a schema of its own, thrown away afterwards.
- A backup of a timeline that the live ledger has left publishes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from city_gateway.backup import scan_copies
from city_gateway.backup.catalog_copy import unpack_catalog
from city_gateway.backup.errors import BackupDamaged, BackupOtherTimeline, ScratchRefused
from city_gateway.backup.manifest import (
    HeldBack,
    Manifest,
    Verified,
    fact_of,
    manifest_hash,
    read_manifest,
    read_verified,
    write_verified,
)
from city_gateway.backup.reliance import Reliance, reliance
from city_gateway.backup.sealed_ledger import open_file
from city_gateway.backup.shelf import CATALOG, LEDGER, SCANS, generation_lines, of_generation
from city_gateway.backup.snapshot import file_ledger, load
from city_gateway.backup.soundness import must_be_sound, must_open
from city_gateway.backup.workshop import Workshop
from city_gateway.ledger import backups
from city_gateway.ledger.backups import VerifiedBackup
from city_gateway.ledger.engines import engine_for
from city_gateway.ledger.schema import bring_up_to_date

SCHEMA = "guangan_backup_trial"


def try_out(workshop: Workshop, generation: Path) -> Verified:
    """Restore on trial, look through everything, sign the outcome; or BackupDamaged."""
    manifest = read_manifest(generation, workshop.keys)
    files_must_be_whole(generation, manifest)
    if rotten := list(scan_copies.damaged_among(of_generation(generation), generation / SCANS)):
        raise BackupDamaged(what=f"scan {rotten[0]}")
    held = {name for name, _ in generation_lines(generation / SCANS)}
    with workshop.scratch() as scratch:
        plain = scratch / "ledger.db"
        open_file(generation / LEDGER, plain, workshop.keys)
        unpack_catalog(generation / CATALOG, scratch)
        opened = workshop.opener(scratch)
        with _restored(workshop, plain, manifest) as tx:
            must_be_sound(tx, manifest)
            must_open(tx, opened)
            found = reliance(tx, held, opened)
    verified = _outcome(workshop, generation, manifest, found)
    write_verified(generation, verified, workshop.keys)
    return verified


def publish(workshop: Workshop, generation: Path) -> int:
    """Let the nodes rely on a verified backup; how many stable marks rose."""
    manifest = read_manifest(generation, workshop.keys)
    verified = read_verified(generation, workshop.keys)
    backup = VerifiedBackup(
        backup_id=manifest.backup_id,
        epoch=manifest.epoch,
        made_at=manifest.made_at,
        verified_at=verified.verified_at,
        place=str(generation),
        applications=manifest.rows["applications"],
        scans=manifest.scans,
        held_back=len(verified.held_back),
    )

    def act(tx: Connection) -> int:
        if backups.epoch(tx) != manifest.epoch:
            raise BackupOtherTimeline(backup=generation.name)
        return backups.publish(tx, backup, verified.stable)

    return workshop.ledger.run(act)


def files_must_be_whole(generation: Path, manifest: Manifest) -> None:
    """Every file is the one that the manifest names, or BackupDamaged."""
    for name, fact in manifest.files.items():
        path = generation / name
        if not path.is_file() or fact_of(path) != fact:
            raise BackupDamaged(what=name)


@contextmanager
def _restored(workshop: Workshop, plain: Path, manifest: Manifest) -> Iterator[Connection]:
    """The backup's ledger, restored on trial; a SQLite copy is looked through before it is loaded anywhere else."""
    with file_ledger(plain) as engine:
        bring_up_to_date(engine)
        with engine.connect() as tx:
            if make_url(workshop.trial_url).get_backend_name() == "sqlite":
                yield tx
                return
            must_be_sound(tx, manifest)
            with _on_postgresql(workshop.trial_url) as elsewhere:
                load(tx, elsewhere)
                yield elsewhere


@contextmanager
def _on_postgresql(url: str) -> Iterator[Connection]:
    own = engine_for(url, poolclass=NullPool)
    apart = engine_for(url, poolclass=NullPool, connect_args={"options": f"-csearch_path={SCHEMA}"})
    try:
        _anew(own)
        bring_up_to_date(apart)
        with apart.begin() as tx:
            yield tx
    finally:
        apart.dispose()
        with own.begin() as tx:
            tx.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        own.dispose()


def _anew(own: sa.Engine) -> None:
    try:
        with own.begin() as tx:
            tx.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            tx.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    except ProgrammingError as refused:
        if getattr(refused.orig, "sqlstate", None) == "42501":
            raise ScratchRefused(schema=SCHEMA) from None
        raise


def _outcome(workshop: Workshop, generation: Path, manifest: Manifest, found: Reliance) -> Verified:
    held_back = {
        node_id: HeldBack(
            stable=found.stable[node_id], hwm=manifest.marks[node_id].hwm, applications=sorted(applications)
        )
        for node_id, applications in sorted(found.waiting_for.items())
    }
    return Verified(
        backup_id=manifest.backup_id,
        manifest_sha256=manifest_hash(generation),
        verified_at=workshop.clock(),
        stable=found.stable,
        held_back=held_back,
    )
