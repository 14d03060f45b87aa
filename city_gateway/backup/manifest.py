"""What a backup says of itself, signed by the gateway: when, of which timeline, which marks, every file by hash.

Laws: nothing of a backup is used before its manifest is proven; the second document, made after the trial, names the
manifest by hash and says what each node may rely on.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from city_gateway.backup.errors import BackupDamaged, BackupOtherGateway, BackupUnknown, BackupUnverified
from city_gateway.backup.shelf import MANIFEST, VERIFIED, pieces, placing
from city_gateway.keys import GatewayKeys
from wire.errors import WireError, WrongSignature
from wire.keys import key_id
from wire.signed import read_message, sign_message

MANIFEST_LABEL = "backup"
VERIFIED_LABEL = "backup-verified"

M = TypeVar("M", bound=BaseModel)


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileFact(_Said):
    """One file of the backup."""

    sha256: str
    length: int


class Mark(_Said):
    """Where a node's chain and feed stood."""

    hwm: int
    head_hash: str
    feed: int


class Manifest(_Said):
    """The backup in one document; an earlier program gave no number."""

    v: Literal[1] = 1
    backup_id: str
    number: int = 0
    gateway: str
    epoch: str
    made_at: datetime
    revision: str
    database: str
    signing_key: str
    sealing_keys: list[str]
    rows: dict[str, int]
    marks: dict[str, Mark]
    files: dict[str, FileFact]
    scans: int
    scan_bytes: int
    scans_damaged: list[str] = Field(default_factory=list)

    def is_newer_than(self, other: Manifest) -> bool:
        """Whether it was made later, which the clock decides only among backups without a number."""
        return (self.number, self.made_at) > (other.number, other.made_at)


class HeldBack(_Said):
    """A node whose stable mark stays below its mark in the backup, for scans that the backup does not hold."""

    stable: int
    hwm: int
    applications: list[str]


class Verified(_Said):
    """The outcome of the trial."""

    v: Literal[1] = 1
    backup_id: str
    manifest_sha256: str
    verified_at: datetime
    stable: dict[str, int]
    held_back: dict[str, HeldBack] = Field(default_factory=dict)


def key_names(keys: GatewayKeys) -> tuple[str, list[str]]:
    """The short names of a gateway's signing key and sealing keys."""
    return key_id(keys.signing.public).hex(), [key_id(key.public).hex() for key in keys.sealing]


def fact_of(path: Path) -> FileFact:
    """Hash and length of a file."""
    digest, length = hashlib.sha256(), 0
    for piece in pieces(path):
        digest.update(piece)
        length += len(piece)
    return FileFact(sha256=digest.hexdigest(), length=length)


def write_manifest(folder: Path, manifest: Manifest, keys: GatewayKeys) -> None:
    """Sign and place the manifest."""
    _write(folder / MANIFEST, sign_message(MANIFEST_LABEL, manifest, keys.signing))


def read_manifest(generation: Path, keys: GatewayKeys) -> Manifest:
    """The manifest, proven; or BackupUnknown, BackupOtherGateway, BackupDamaged."""
    manifest = _read(generation / MANIFEST, MANIFEST_LABEL, keys, Manifest)
    if manifest is None:
        raise BackupUnknown(place=str(generation))
    if manifest.gateway != keys.gateway_id:
        raise BackupOtherGateway
    return manifest


def write_verified(generation: Path, verified: Verified, keys: GatewayKeys) -> None:
    """Sign and place the outcome of the trial."""
    _write(generation / VERIFIED, sign_message(VERIFIED_LABEL, verified, keys.signing))


def read_verified(generation: Path, keys: GatewayKeys) -> Verified:
    """The outcome of the trial of exactly this manifest, or BackupUnverified."""
    verified = _read(generation / VERIFIED, VERIFIED_LABEL, keys, Verified)
    if verified is None or verified.manifest_sha256 != manifest_hash(generation):
        raise BackupUnverified(backup=generation.name)
    return verified


def is_verified(generation: Path, keys: GatewayKeys) -> bool:
    """Whether a restore may begin from it."""
    try:
        read_verified(generation, keys)
    except (BackupUnverified, BackupDamaged, BackupOtherGateway):
        return False
    return True


def manifest_hash(generation: Path) -> str:
    """The hash by which the outcome names the manifest."""
    return fact_of(generation / MANIFEST).sha256


def _write(path: Path, document: dict[str, str]) -> None:
    with placing(path) as file:
        file.write(json.dumps(document, sort_keys=True).encode())


def _read(path: Path, label: str, keys: GatewayKeys, model: type[M]) -> M | None:
    try:
        document = json.loads(path.read_bytes())
        return read_message(label, document, keys.signing.public, model)
    except FileNotFoundError:
        return None
    except WrongSignature:
        raise BackupOtherGateway from None
    except (WireError, ValueError):
        raise BackupDamaged(what=path.name) from None
