"""What the rescue of a dead machine's disk refuses, and what it tells of a disk that is not as it should be."""

from __future__ import annotations

import fcntl
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from city_gateway.errors import DiskOfNobody, GatewayError, RecoveryPassphraseShort, SlotNotOurs
from city_gateway.keys import rotate_sealing
from city_gateway.rescue import Asked, recovery_key_for
from offline_store.desk import keyring
from offline_store.desk.keyring import MACHINE_KEY_FILE
from provisioning import __main__ as command
from tests.offline_store.city_hand import opened_by_city
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from wire.errors import RecoveryKeyNotOpened
from wire.recovery_key import read_recovery_key

pytestmark = pytest.mark.node

PASSPHRASE = "an invented passphrase"
ASKED = Asked("值班员", "主板损坏")


def randomness(length: int) -> bytes:
    return bytes(range(length))


@pytest.fixture
def world(tmp_path: Path) -> EnrolmentWorld:
    made = EnrolmentWorld(tmp_path)
    made.enrol(made.code())
    return made


def key_for(world: EnrolmentWorld, disk: Path, passphrase: str = PASSPHRASE) -> bytes:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    folder, keys = world.gateway.folder, world.gateway.keys
    return recovery_key_for(folder, keys, disk, ASKED, passphrase=passphrase, at=at, randomness=randomness)[1]


def written_down(world: EnrolmentWorld) -> list[dict[str, str]]:
    kept = world.gateway.folder.rescues
    return [json.loads(line) for line in kept.read_text("utf-8").splitlines() if line] if kept.exists() else []


def rescued(world: EnrolmentWorld, disk: Path, to: Path, *more: object, said: str = PASSPHRASE) -> tuple[int, str]:
    words = ["rescue", "--disk", str(disk), "--to", str(to), *map(str, more)]
    done = CliRunner().invoke(command.app, words, input=f"{said}\n")
    return done.exit_code, done.output


def test_every_enrolled_node_has_a_slot_for_the_citys_newest_sealing_key(world: EnrolmentWorld) -> None:
    desk_key = keyring.unlock(world.paths.keyring, MACHINE)
    assert opened_by_city(world.paths.keyring, world.gateway.keys.newest_sealing) == [desk_key]


def test_a_recovery_key_opens_this_desk_and_who_asked_for_it_is_written_down(world: EnrolmentWorld) -> None:
    made = read_recovery_key(key_for(world, world.paths.root), PASSPHRASE)
    assert made.desk_keys == (keyring.unlock(world.paths.keyring, MACHINE),)
    (line,) = written_down(world)
    assert (line["node"], line["by"], line["reason"]) == (made.node_id, "值班员", "主板损坏")
    assert world.gateway.folder.rescues.stat().st_mode & 0o077 == 0


def test_the_desk_key_does_not_lie_in_the_recovery_key_and_another_passphrase_opens_nothing(
    world: EnrolmentWorld,
) -> None:
    made = key_for(world, world.paths.root)
    desk_key = keyring.unlock(world.paths.keyring, MACHINE)
    assert desk_key not in made
    assert desk_key.hex().encode() not in made
    for data, said in (
        (made, "another passphrase"),
        (made.replace(b'"v":1', b'"v":2'), PASSPHRASE),
        (b"{", PASSPHRASE),
    ):
        with pytest.raises(RecoveryKeyNotOpened):
            read_recovery_key(data, said)


def test_a_desk_that_died_while_it_was_re_keyed_gives_both_keys(world: EnrolmentWorld) -> None:
    old, new = keyring.unlock(world.paths.keyring, MACHINE), b"k" * 32
    keyring.add_next(world.paths.keyring, MACHINE, new, [])
    assert read_recovery_key(key_for(world, world.paths.root), PASSPHRASE).desk_keys == (old, new)


def test_a_slot_for_an_earlier_key_of_the_city_still_opens(world: EnrolmentWorld) -> None:
    rotate_sealing(world.gateway.folder.keys, lambda length: b"r" * length)
    assert world.gateway.keys.look_again()
    assert read_recovery_key(key_for(world, world.paths.root), PASSPHRASE).desk_keys


@pytest.mark.parametrize(
    ("broken", "refusal"),
    [("enrolment.json", DiskOfNobody), ("desk/keyring.json", SlotNotOurs), ("passphrase", RecoveryPassphraseShort)],
)
def test_what_is_not_this_citys_gets_no_key_and_is_not_written_down(
    world: EnrolmentWorld, tmp_path: Path, broken: str, refusal: type[GatewayError]
) -> None:
    disk = tmp_path / "disk"
    shutil.copytree(world.paths.root, disk)
    if broken != "passphrase":
        other = EnrolmentWorld(tmp_path / "elsewhere")
        other.enrol(other.code())
        shutil.copyfile(other.paths.root / broken, disk / broken)
    with pytest.raises(refusal):
        key_for(world, disk, "short" if broken == "passphrase" else PASSPHRASE)
    assert written_down(world) == []


def test_a_recovery_key_for_another_disk_opens_nothing(world: EnrolmentWorld, tmp_path: Path) -> None:
    other = EnrolmentWorld(tmp_path, "other")
    other.enrol(other.code(site="511603106206"))
    key = tmp_path / "other.recovery"
    key.write_bytes(key_for(world, other.paths.root))
    out = tmp_path / "out"
    status, told = rescued(world, world.paths.root, out, "--recovery-key", key, "--passphrase-stdin")
    assert (status, "另一个节点" in told) == (1, True)
    assert not out.exists()


def test_drafts_are_not_opened_without_the_recovery_key(world: EnrolmentWorld, tmp_path: Path) -> None:
    status, told = rescued(world, world.paths.root, tmp_path / "out", "--drafts", tmp_path / "drafts")
    assert (status, "keys rescue" in told) == (1, True)
    assert not (tmp_path / "drafts").exists()


def test_nothing_is_written_onto_the_disk_itself(world: EnrolmentWorld) -> None:
    before = sorted(world.paths.root.rglob("*"))
    status, _ = rescued(world, world.paths.root, world.paths.root / "out")
    assert status == 1
    assert sorted(world.paths.root.rglob("*")) == before


def test_a_disk_with_nothing_to_send_says_so_and_leaves_no_copy(world: EnrolmentWorld, tmp_path: Path) -> None:
    key, out = tmp_path / "disk.recovery", tmp_path / "out"
    key.write_bytes(key_for(world, world.paths.root))
    status, told = rescued(world, world.paths.root, out, "--recovery-key", key, "--passphrase-stdin")
    assert (status, "没有要送的信件" in told, "没有草稿" in told) == (0, True, True), told
    assert list(out.iterdir()) == []


def test_a_running_node_gets_no_other_machine_key(
    world: EnrolmentWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "machine.key").write_bytes(MACHINE)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(tmp_path / "machine.key"))
    with world.paths.desk_lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = CliRunner().invoke(command.app, ["machine-key", "renew", "--root", str(world.paths.root)])
    assert (done.exit_code, "请先停止 edge_node" in done.output) == (1, True)
    assert keyring.unlock(world.paths.keyring, MACHINE)
    done = CliRunner().invoke(command.app, ["machine-key", "renew", "--root", str(world.paths.root)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "machine.key").read_bytes() != MACHINE
