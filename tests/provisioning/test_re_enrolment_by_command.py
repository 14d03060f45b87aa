"""What an installer types on a stopped machine, and what he reads."""

from __future__ import annotations

import fcntl
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.node_file import read_node_file
from provisioning import __main__ as command
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld

pytestmark = pytest.mark.node


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnrolmentWorld:
    made = EnrolmentWorld(tmp_path)
    made.enrol(made.code())
    (tmp_path / "machine.key").write_bytes(MACHINE)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(tmp_path / "machine.key"))
    client = httpx.Client

    def answered(**_settings: object) -> httpx.Client:
        return client(transport=httpx.MockTransport(made._answer))

    monkeypatch.setattr(command.httpx, "Client", answered)
    return made


def typed(world: EnrolmentWorld, code: str) -> tuple[int, str]:
    arguments = ["re-enrol", "--root", str(world.paths.root), "--code-stdin"]
    done = CliRunner().invoke(command.app, arguments, input=f"{code}\n")
    return done.exit_code, done.output


def test_a_new_code_gives_another_identity_and_says_what_became_of_the_old(world: EnrolmentWorld) -> None:
    before = read_node_file(world.paths.enrolment)
    status, words = typed(world, world.code())
    assert (status, "已重新开通" in words, "收件单编号不变" in words) == (0, True, True)
    assert read_node_file(world.paths.enrolment).node_id != before.node_id


def test_a_running_node_is_left_alone(world: EnrolmentWorld) -> None:
    before = read_node_file(world.paths.enrolment)
    with world.paths.desk_lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, words = typed(world, world.code())
    assert (status, "请先停止 edge_node" in words) == (1, True)
    assert read_node_file(world.paths.enrolment) == before


@pytest.mark.parametrize(
    ("site", "role", "said"),
    [("511603106001", "village", "不能用在"), ("511603106000", "township", "这个开通码是给 township 节点的")],
)
def test_a_code_for_another_counter_is_explained_and_changes_nothing(
    world: EnrolmentWorld, site: str, role: str, said: str
) -> None:
    before = read_node_file(world.paths.enrolment)
    status, words = typed(world, world.code(role, site))
    assert (status, said in words) == (1, True), words
    assert read_node_file(world.paths.enrolment) == before
