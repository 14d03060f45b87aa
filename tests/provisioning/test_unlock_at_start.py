"""A site that lets a clerk unlock its node after each start: switched on, lived with, switched off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.desk import keyring
from offline_store.desk.keyring import MACHINE_KEY_FILE, ByClerk
from offline_store.errors import SlotRefused
from provisioning import __main__ as command
from provisioning.doctor import Standing, examine
from tests.offline_store.city_hand import opened_by_city
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld

pytestmark = pytest.mark.node

WANG, LI = ByClerk("wang", "an invented passphrase"), ByClerk("lish", "another invented one")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnrolmentWorld:
    made = EnrolmentWorld(tmp_path)
    made.enrol(made.code())
    (tmp_path / "machine.key").write_bytes(MACHINE)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(tmp_path / "machine.key"))
    assert add(made, WANG)[0] == 0
    return made


def typed(world: EnrolmentWorld, *words: str, said: str) -> tuple[int, str]:
    done = CliRunner().invoke(command.app, [*words, "--root", str(world.paths.root)], input=f"{said}\n")
    return done.exit_code, done.output


def add(world: EnrolmentWorld, who: ByClerk, *more: str, unlocking: str = "") -> tuple[int, str]:
    about = ("--id", who.clerk_id, "--name", "王样例", "--role", "agent", "--passphrase-stdin", *more)
    return typed(world, "clerk", "add", *about, said=f"{who.passphrase}\n{unlocking}")


def on(world: EnrolmentWorld, who: ByClerk = WANG, said: str | None = None) -> tuple[int, str]:
    return typed(world, "unlock-at-start", "on", "--id", who.clerk_id, said=who.passphrase if said is None else said)


def opens(world: EnrolmentWorld, opener: keyring.Opener) -> bool:
    try:
        return len(keyring.unlock(world.paths.keyring, opener)) == keyring.KEY_BYTES
    except SlotRefused:
        return False


def test_switched_on_the_clerk_opens_the_desk_and_the_machine_does_not(world: EnrolmentWorld) -> None:
    before = keyring.unlock(world.paths.keyring, MACHINE)
    status, told = on(world)
    assert (status, "wang" in told) == (0, True)
    assert not opens(world, MACHINE)
    assert keyring.unlock(world.paths.keyring, WANG) == before
    assert opened_by_city(world.paths.keyring, world.gateway.keys.newest_sealing) == [before]
    assert on(world)[0] == 0, "again changes nothing"
    assert opens(world, WANG)


def test_a_wrong_passphrase_switches_nothing_on(world: EnrolmentWorld) -> None:
    status, told = on(world, said="wrong")
    assert (status, "没有改动" in told) == (1, True)
    assert opens(world, MACHINE)
    assert keyring.slots(world.paths.keyring)[0] == ("machine", "")
    assert not any(kind == "clerk" for kind, _ in keyring.slots(world.paths.keyring))


def test_switched_off_the_machine_opens_and_no_passphrase_does(world: EnrolmentWorld) -> None:
    on(world)
    assert typed(world, "unlock-at-start", "off", "--id", "wang", said="wrong")[0] == 1
    assert not opens(world, MACHINE)
    assert typed(world, "unlock-at-start", "off", "--id", "wang", said=WANG.passphrase)[0] == 0
    assert (opens(world, MACHINE), opens(world, WANG)) == (True, False)


def test_cut_between_both_slots_open_and_the_same_command_finishes(world: EnrolmentWorld) -> None:
    key = keyring.unlock(world.paths.keyring, MACHINE)
    keyring.put_clerk_slot(world.paths.keyring, key, WANG.clerk_id, WANG.passphrase)
    assert (opens(world, MACHINE), opens(world, WANG)) == (True, True)
    assert on(world)[0] == 0
    assert (opens(world, MACHINE), opens(world, WANG)) == (False, True)
    keyring.add_machine_slot(world.paths.keyring, key, MACHINE)
    assert typed(world, "unlock-at-start", "off", "--id", "wang", said=WANG.passphrase)[0] == 0
    assert (opens(world, MACHINE), opens(world, WANG)) == (True, False)


def test_people_come_go_and_change_their_passphrase_and_the_slots_are_in_step(world: EnrolmentWorld) -> None:
    on(world)
    status, told = add(world, LI)
    assert (status, "--unlock-as" in told) == (1, True)
    assert add(world, LI, "--unlock-as", "wang", unlocking="wrong")[0] == 1
    assert not opens(world, LI)
    assert add(world, LI, "--unlock-as", "wang", unlocking=WANG.passphrase)[0] == 0
    assert opens(world, LI)
    changed = ByClerk("lish", "a third invented one")
    assert add(world, changed, "--unlock-as", "wang", unlocking=WANG.passphrase)[0] == 0
    assert (opens(world, LI), opens(world, changed)) == (False, True)
    assert typed(world, "clerk", "close", "--id", "lish", "--unlock-as", "wang", said=WANG.passphrase)[0] == 0
    assert not opens(world, changed)
    status, told = typed(world, "clerk", "close", "--id", "wang", "--unlock-as", "wang", said=WANG.passphrase)
    assert (status, "没有人能打开" in told) == (1, True)
    assert opens(world, WANG)


def test_the_last_passphrase_forgotten_the_citys_recovery_key_lets_the_machine_open_again(
    world: EnrolmentWorld, tmp_path: Path
) -> None:
    from tests.provisioning.test_a_dead_disk_is_rescued import PASSPHRASE, key_for

    on(world)
    key = tmp_path / "disk.recovery"
    key.write_bytes(key_for(world, world.paths.root))
    refused, told = typed(world, "machine-key", "renew", said="")
    assert (refused, "救援密钥" in told) == (1, True)
    words = ("machine-key", "renew", "--recovery-key", str(key), "--passphrase-stdin")
    assert typed(world, *words, said=PASSPHRASE)[0] == 0
    assert opens(world, (tmp_path / "machine.key").read_bytes())
    assert not opens(world, WANG), "a node that opens by itself keeps no passphrase, least of all a forgotten one"


def test_doctor_finds_nothing_wrong_with_a_locked_node(world: EnrolmentWorld, tmp_path: Path) -> None:
    on(world)
    from datetime import UTC, datetime

    findings = examine(world.paths, now=datetime.now(UTC), environment={})
    standing = {one.check: (one.standing, one.code) for one in findings}
    assert standing["keys"] == (Standing.GOOD, "keys.unlocked_by_clerks")
    assert standing["store"] == (Standing.UNKNOWN, "store.locked")


def test_a_copied_folder_of_such_a_node_opens_with_no_machine_key(world: EnrolmentWorld, tmp_path: Path) -> None:
    """What the choice is for: the machine key found on the same disk opens nothing."""
    on(world)
    copy = tmp_path / "copy"
    shutil.copytree(world.paths.root, copy)
    with pytest.raises(SlotRefused):
        keyring.candidates(copy / "desk" / "keyring.json", MACHINE)
