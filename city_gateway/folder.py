"""Where the gateway's files live beside the ledger, and how a name in a folder is made durable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GatewayFolder:
    """`keys/`, `scans/`, `scans/parts/` and `scans-damaged/` (0700), `catalog/{metadata,targets}` (public, made by
    publishing)."""

    root: Path

    @property
    def keys(self) -> Path:
        """The gateway's own keys."""
        return self.root / "keys"

    @property
    def scans(self) -> Path:
        """Finished sealed scans, named by hash; `scan_store.folder_store` alone looks into it."""
        return self.root / "scans"

    @property
    def scan_parts(self) -> Path:
        """Uploads that are not finished: on this gateway's own disk, wherever the finished scans lie."""
        return self.scans / "parts"

    @property
    def scans_damaged(self) -> Path:
        """Names of scans that were here and are lost, with what is left of their bytes."""
        return self.root / "scans-damaged"

    @property
    def rescues(self) -> Path:
        """Every recovery key that was made: one line of JSON each, only appended to."""
        return self.root / "rescues.jsonl"

    @property
    def catalog(self) -> Path:
        """The published TUF repository."""
        return self.root / "catalog"

    def create(self) -> None:
        """Make the folders that this program writes into."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.scans, self.scan_parts, self.scans_damaged):
            folder.mkdir(mode=0o700, exist_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
