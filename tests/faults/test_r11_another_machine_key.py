"""R11: a node that is given another machine key starts, at whatever step the power failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offline_store.desk import keyring
from offline_store.errors import SlotRefused
from provisioning.machine_key import FileCredential, SystemdCredential
from tests.faults.apart import ROOT, outcome_of
from tests.faults.tally import record
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld

pytestmark = pytest.mark.fault

FLOW_CALLS_AT_LEAST = 15


@pytest.mark.timeout(300)
def test_a_kill_at_every_call_leaves_a_node_that_starts_and_a_second_run_that_finishes(tmp_path: Path) -> None:
    outcome = outcome_of("strike", "machine key", tmp_path / "strikes", "--step", 1)
    record("R11", "machine key", outcome["struck"], len(outcome["broken"]), 0)
    assert outcome["broken"] == []
    assert outcome["exhausted"]
    assert outcome["struck"] >= FLOW_CALLS_AT_LEAST


@pytest.mark.timeout(300)
def test_dropping_the_old_wrap_before_the_new_credential_has_the_name_is_found_out(tmp_path: Path) -> None:
    outcome = outcome_of("strike", "machine key dropped early", tmp_path / "strikes", "--step", 1)
    record("R11", "control: the old wrap dropped early", outcome["struck"], len(outcome["broken"]), 0)
    assert any("does not start" in one for one in outcome["broken"])


def test_a_credential_of_systemd_is_renewed_by_the_command_and_the_old_one_opens_nothing(tmp_path: Path) -> None:
    """The real systemd-creds, as root, with the key of this machine."""
    assert os.geteuid() == 0, "systemd-creds reads the key of the machine: run the tests as root"
    world = EnrolmentWorld(tmp_path)
    world.enrol(world.code())
    world.gateway.ledger.close()
    handed = tmp_path / "credentials"
    handed.mkdir()
    (handed / keyring.CREDENTIAL).write_bytes(MACHINE)
    kept = SystemdCredential(tmp_path / "desk-key.cred")
    kept.lay_next(MACHINE)
    kept.adopt_next()
    before = world.paths.keyring.stat()
    os.chown(world.paths.keyring, 4711, 4712)  # as edge_node's own account would own it
    done = subprocess.run(
        [
            *(sys.executable, "-m", "provisioning", "machine-key", "renew"),
            *("--root", world.paths.root, "--credential", tmp_path / "desk-key.cred"),
        ],
        cwd=ROOT,
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(handed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "已换上新的本机密钥" in done.stdout
    after = kept.opened(is_next=False)
    assert after != MACHINE
    assert len(keyring.unlock(world.paths.keyring, after)) == keyring.KEY_BYTES
    with pytest.raises(SlotRefused):
        keyring.unlock(world.paths.keyring, MACHINE)
    assert after not in (tmp_path / "desk-key.cred").read_bytes()
    owner = world.paths.keyring.stat()
    assert (owner.st_uid, owner.st_gid) == (4711, 4712) != (before.st_uid, before.st_gid)


def test_a_key_in_a_file_stays_the_file_of_the_program_that_reads_it(tmp_path: Path) -> None:
    """Renewed by root; edge_node's own account has to open it at the next start."""
    assert os.geteuid() == 0, "only root gives a file to another account: run the tests as root"
    path = tmp_path / "machine.key"
    path.write_bytes(MACHINE)
    os.chown(path, 4711, 4712)
    kept = FileCredential(path)
    kept.lay_next(bytes(32))
    kept.adopt_next()
    owner = path.stat()
    assert (owner.st_uid, owner.st_gid, kept.opened(is_next=False)) == (4711, 4712, bytes(32))
