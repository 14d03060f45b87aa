"""Keeping scans in the vault, one after the other: as the vault does it, and as others do it that were seen to lose.

Laws: what is told is the manifest that an operation carries, hash and length of each scan, and it is told only after
the scan was called kept; the check reads what lies there with the vault's own eyes.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from offline_store.errors import StoreError
from offline_store.placing import flush_folder
from offline_store.vault.scans import SCAN, Vault
from tests.faults.tools.every_call import Flow, Notes

SCAN_BYTES = 120_000
SCANS_MOST = 200
REST_S = 0.15
"""Between two scans, so that a cut mostly strikes after the last one was told and before anything else is flushed."""

Keep = Callable[[Path, bytes, str], None]


def as_the_vault_does(folder: Path, data: bytes, name: str) -> None:
    """Flush the file, rename, flush the folder."""
    with Vault(folder).receive() as receiving:
        receiving.write(data)
        receiving.keep(name)


def write_only(folder: Path, data: bytes, name: str) -> None:
    """Under its name at once."""
    (folder / f"{name}{SCAN}").write_bytes(data)


def write_and_rename(folder: Path, data: bytes, name: str) -> None:
    """Whole or not at all for whoever looks, but nothing is flushed."""
    unfinished = folder / ".unfinished"
    unfinished.write_bytes(data)
    unfinished.replace(folder / f"{name}{SCAN}")


def flush_file_and_rename(folder: Path, data: bytes, name: str) -> None:
    """Without flushing the folder."""
    unfinished = folder / ".unfinished"
    with unfinished.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(folder / f"{name}{SCAN}")


def flush_folder_only(folder: Path, data: bytes, name: str) -> None:
    """The name is durable, the bytes are not."""
    write_and_rename(folder, data, name)
    flush_folder(folder)


def _prepare(template: Path) -> None:
    (template / "vault").mkdir(parents=True)


def _opened(keep: Keep) -> Callable[[Path], Callable[[Notes], None]]:
    def open_(disk: Path) -> Callable[[Notes], None]:
        def act(notes: Notes) -> None:
            for _ in range(SCANS_MOST):
                data = os.urandom(SCAN_BYTES)
                name = hashlib.sha256(data).hexdigest()
                keep(disk / "vault", data, name)
                notes.tell(scan=name, length=len(data))
                time.sleep(REST_S)

        return act

    return open_


def _check(disk: Path, notes: Notes) -> list[str]:
    vault, problems = Vault(disk / "vault"), []
    for one in notes.read():
        name = one["scan"]
        try:
            if vault.length(name) != one["length"]:
                problems.append(f"not its length: {vault.length(name)}")
            vault.check(name)
        except StoreError as damage:
            problems.append(f"{damage.code}: {name[:12]}")
    return problems


VAULT_FLOWS = {
    name: Flow(name, _prepare, _opened(keep), _check)
    for name, keep in (
        ("vault", as_the_vault_does),
        ("vault, written only", write_only),
        ("vault, written and renamed", write_and_rename),
        ("vault, folder not flushed", flush_file_and_rename),
        ("vault, file not flushed", flush_folder_only),
    )
}
