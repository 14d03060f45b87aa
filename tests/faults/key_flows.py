"""The flow of another machine key: wherever it is struck, the node starts, and a second run finishes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edge_node.app import open_counter
from offline_store.desk import keyring
from offline_store.errors import StoreError
from offline_store.paths import NodePaths
from provisioning.machine_key import FileCredential, renew
from tests.faults.tools.every_call import Act, Flow, Notes
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld

KEY_FILE = "machine.key"


class _Hasty(FileCredential):
    """A control: the wrap for the old key goes before the new credential has the name."""

    def __init__(self, disk: Path) -> None:
        super().__init__(disk / KEY_FILE)
        self._ring = NodePaths(disk / "node").keyring

    def adopt_next(self) -> None:
        keyring.keep_machine_slot(self._ring, self.opened(is_next=True))
        super().adopt_next()


def _credential(disk: Path) -> FileCredential:
    return FileCredential(disk / KEY_FILE)


def _in_use(disk: Path) -> bytes:
    return keyring.machine_key({keyring.MACHINE_KEY_FILE: str(disk / KEY_FILE)})


def _prepare(disk: Path) -> None:
    world = EnrolmentWorld(disk)
    world.enrol(world.code())
    world.gateway.ledger.close()
    (disk / KEY_FILE).write_bytes(MACHINE)


def _renewed(disk: Path, credential: FileCredential) -> None:
    paths = NodePaths(disk / "node")
    renew(paths, credential, keyring.candidates(paths.keyring, _in_use(disk)), os.urandom)


def _opener(made: Callable[[Path], FileCredential]) -> Callable[[Path], Act]:
    def open_(disk: Path) -> Act:
        credential = made(disk)

        def act(notes: Notes) -> None:
            _renewed(disk, credential)
            notes.tell(renewed=True)

        return act

    return open_


def _check(disk: Path, notes: Notes) -> list[str]:
    paths = NodePaths(disk / "node")
    problems = _starts(disk, "after the blow")
    if problems:
        return problems
    if notes.read() and _in_use(disk) == MACHINE:
        problems.append("said to be renewed, the old credential is in use")
    if notes.read() and _fits(paths, MACHINE):
        problems.append("said to be renewed, the old key still opens")
    before = _in_use(disk)
    _renewed(disk, _credential(disk))
    problems += _starts(disk, "after the second run")
    if _fits(paths, before) or _fits(paths, MACHINE):
        problems.append("an old key opens after the second run")
    problems += [f"left behind: {path.name}" for path in disk.rglob("*.placing")]
    if [kind for kind, _ in keyring.slots(paths.keyring)].count("machine") != 1:
        problems.append("more than one machine slot is left")
    return problems


def _starts(disk: Path, when: str) -> list[str]:
    try:
        open_counter(NodePaths(disk / "node"), _in_use(disk)).desk.close()
    except (StoreError, OSError) as failure:
        return [f"the node does not start {when}: {getattr(failure, 'code', failure)}"]
    return []


def _fits(paths: NodePaths, machine: bytes) -> bool:
    try:
        keyring.unlock(paths.keyring, machine)
    except StoreError:
        return False
    return True


renewing = Flow("machine key", _prepare, _opener(_credential), _check)
renewing_hastily = Flow("machine key dropped early", _prepare, _opener(_Hasty), _check)
