"""Who may sign in at a node: added, shut out, and let in again by the installer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.desk import clerks
from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.errors import WrongPassphrase
from provisioning import __main__ as command
from provisioning.node_keys import open_node_desk
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld

pytestmark = pytest.mark.node

PASSPHRASE = "an invented passphrase"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnrolmentWorld:
    made = EnrolmentWorld(tmp_path)
    made.enrol(made.code())
    (tmp_path / "machine.key").write_bytes(MACHINE)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(tmp_path / "machine.key"))
    return made


def typed(world: EnrolmentWorld, *words: str) -> tuple[int, str]:
    arguments = ["clerk", *words, "--root", str(world.paths.root)]
    done = CliRunner().invoke(command.app, arguments, input=f"{PASSPHRASE}\n")
    return done.exit_code, done.output


def added(world: EnrolmentWorld, role: str = "agent") -> int:
    about = ("--id", "wang", "--name", "王样例", "--role", role, "--passphrase-stdin")
    return typed(world, "add", *about)[0]


def may_sign_in(world: EnrolmentWorld) -> bool:
    with open_node_desk(world.paths, MACHINE) as desk:
        try:
            return clerks.sign_in(desk, "wang", PASSPHRASE, datetime.now(UTC)).clerk_id == "wang"
        except WrongPassphrase:
            return False


def test_who_was_shut_out_does_not_sign_in_until_added_again(world: EnrolmentWorld) -> None:
    assert added(world) == 0
    assert may_sign_in(world)
    status, words = typed(world, "close", "--id", "wang")
    assert (status, "已停用 wang" in words) == (0, True)
    assert not may_sign_in(world)
    assert added(world) == 0
    assert may_sign_in(world)


@pytest.mark.parametrize("role", ["clerk", "department", "city", "administrator"])
def test_nobody_works_at_a_village_whose_acts_the_city_would_refuse(world: EnrolmentWorld, role: str) -> None:
    assert added(world, role) == 1
    assert not may_sign_in(world)


def test_no_agent_works_at_a_township(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = EnrolmentWorld(tmp_path)
    made.enrol(made.code(role="township", site="511603106000"), role="township")
    (tmp_path / "machine.key").write_bytes(MACHINE)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(tmp_path / "machine.key"))
    assert (added(made, "agent"), added(made, "clerk")) == (1, 0)


def test_a_name_that_nobody_has_is_said_and_nothing_changes(world: EnrolmentWorld) -> None:
    assert added(world) == 0
    status, words = typed(world, "close", "--id", "wnag")
    assert (status, "没有登录名 wnag" in words) == (1, True)
    assert may_sign_in(world)
