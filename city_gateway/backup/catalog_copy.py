"""The published catalog in a backup: public files, without which old envelopes cannot be opened (dictionaries)."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from city_gateway.backup.errors import BackupDamaged
from city_gateway.backup.shelf import placing
from city_gateway.catalog.repository import catalog_folder
from city_gateway.folder import flush_folder

NEWEST_FIRST = "timestamp.json"


def pack_catalog(folder: Path, target: Path) -> None:
    """Everything that is published; first the file that names all others, so that those are at least as new."""
    served = catalog_folder(folder)
    files = sorted(path for path in served.rglob("*") if path.is_file() and not path.name.startswith("."))
    files.sort(key=lambda path: path.name != NEWEST_FIRST)
    with placing(target) as file, tarfile.open(fileobj=file, mode="w") as packed:
        for path in files:
            packed.add(path, arcname=str(path.relative_to(folder)))


def unpack_catalog(packed: Path, folder: Path) -> None:
    """Lay the published files into an empty place, whole or not at all."""
    beside = folder / ".catalog-restoring"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(beside, filter="data")
    except (tarfile.TarError, OSError):
        raise BackupDamaged(what=packed.name) from None
    served = catalog_folder(beside)
    if served.is_dir():
        for place, _, names in os.walk(served):
            for name in names:
                _flush(Path(place) / name)
            flush_folder(Path(place))
        served.rename(catalog_folder(folder))
        flush_folder(folder)
    shutil.rmtree(beside)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
