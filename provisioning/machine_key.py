"""Another machine key for a node: the desk key is wrapped for it, then the service manager is given it.

Laws:
- Killed at any step the node starts: the wrap for the new key is durable before the new credential takes the name, and
  the wrap for the old one goes after the new credential was opened under its name and found to open the desk.
- A run that was cut is begun anew; what it left (a credential that has no name yet, a wrap too many) goes with the
  next run.
- The machine key goes through pipes between this program and systemd-creds, and lies on the disk only in a credential.
- From then on the node opens by itself: where clerks unlocked it, their slots go last, for nothing would keep them in
  step with their passphrases.
- edge_node is stopped, because a re-keying knows one machine key only.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from offline_store.desk import keyring, rekeying
from offline_store.errors import DiskFull
from offline_store.paths import NodePaths
from offline_store.placing import flush_folder, place, sweep_unfinished
from provisioning.errors import CredentialRefused

NEXT_SUFFIX = ".next"
CREDENTIAL_MODE = 0o600

Randomness = Callable[[int], bytes]


class Credential(Protocol):
    """Where the machine key of a node is kept, and how it is opened there."""

    def lay_next(self, key: bytes) -> None:
        """Keep a key beside the one in use; what lay there is replaced."""

    def opened(self, *, is_next: bool) -> bytes:
        """The key in use, or the one beside it, as the service manager would hand it out."""

    def adopt_next(self) -> None:
        """Let the one beside it be the one in use, in one step."""


class FileCredential:
    """A machine without systemd: a file that the environment names holds the key itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lay_next(self, key: bytes) -> None:
        """Beside the file."""
        sweep_unfinished(self._path.parent)
        place(_next(self._path), self._closed(key), mode=CREDENTIAL_MODE)
        if os.geteuid() == 0:  # before it gets the name: who reads the one in use has to read this one
            with suppress(FileNotFoundError):
                was = self._path.stat()
                os.chown(_next(self._path), was.st_uid, was.st_gid)

    def opened(self, *, is_next: bool) -> bytes:
        """What the file says."""
        return keyring.read_machine_key(self._opened(_next(self._path) if is_next else self._path))

    def adopt_next(self) -> None:
        """One rename."""
        _next(self._path).replace(self._path)
        flush_folder(self._path.parent)

    def _closed(self, key: bytes) -> bytes:
        return key

    def _opened(self, path: Path) -> bytes:
        return path.read_bytes()


class SystemdCredential(FileCredential):
    """The encrypted credential that the unit of edge_node loads; bound to the TPM where the machine has one."""

    def _closed(self, key: bytes) -> bytes:
        return _systemd_creds("encrypt", "--with-key=auto", f"--name={keyring.CREDENTIAL}", "-", "-", said=key)

    def _opened(self, path: Path) -> bytes:
        return _systemd_creds("decrypt", f"--name={keyring.CREDENTIAL}", "-", "-", said=path.read_bytes())


def renew(paths: NodePaths, credential: Credential, keys: list[bytes], randomness: Randomness) -> None:
    """Give the node another machine key; `keys` are what opened its keyring: the old machine key, or the city."""
    desk_key = rekeying.settled_key(paths.desk_db, paths.keyring, keys)
    if keyring.is_between_keys(paths.keyring):
        raise DiskFull  # the only reason for which a re-keying that was cut is not settled by now
    credential.lay_next(randomness(keyring.KEY_BYTES))
    new = credential.opened(is_next=True)
    keyring.add_machine_slot(paths.keyring, desk_key, new, randomness)
    _must_open(paths, new, desk_key)
    credential.adopt_next()
    new = credential.opened(is_next=False)
    _must_open(paths, new, desk_key)
    keyring.keep_machine_slot(paths.keyring, new)
    if any(kind == "clerk" for kind, _ in keyring.slots(paths.keyring)):
        keyring.drop_clerk_slots(paths.keyring)


def _must_open(paths: NodePaths, machine: bytes, desk_key: bytes) -> None:
    if keyring.unlock(paths.keyring, machine) != desk_key:
        raise CredentialRefused
    rekeying.lying_under(paths.desk_db, [desk_key])


def _next(path: Path) -> Path:
    return path.with_name(path.name + NEXT_SUFFIX)


def _systemd_creds(*words: str, said: bytes) -> bytes:
    try:
        done = subprocess.run(["systemd-creds", *words], input=said, capture_output=True, check=False)
    except FileNotFoundError:
        raise CredentialRefused from None
    if done.returncode != 0:
        raise CredentialRefused
    return done.stdout
