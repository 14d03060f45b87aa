"""A practice store is made anew and cleared; a true node's folder is neither cleared nor taken for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.application import Role
from edge_node.app import open_counter
from offline_store.errors import NodeFileMissing, OnlyForPractice, SlotRefused
from offline_store.paths import NodePaths
from provisioning import clerks, doctor, practice_store
from provisioning.__main__ import app
from provisioning.errors import PracticeGoesOn, PracticeWithoutCatalog, TrueNodeHere
from provisioning.practising import only_one
from tests.edge_node.village import Village
from tests.simulators.practice_beside import PRACTICE_KEY, made, true_village

pytestmark = pytest.mark.node

NAME = "张三丰测试"


@pytest.fixture
def true(tmp_path: Path) -> Iterator[Village]:
    village = true_village(tmp_path)
    yield village
    village.counter.desk.close()


@pytest.fixture
def practice(tmp_path: Path, true: Village) -> NodePaths:
    return made(tmp_path / "practice", true, datetime.now(UTC))


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_clearing_leaves_nothing_of_what_was_practised(practice: NodePaths) -> None:
    assert practice.desk_db.exists()
    practice_store.clear(practice)
    assert list(practice.root.iterdir()) == []


def test_a_practice_begins_with_another_identity_each_time(practice: NodePaths, true: Village) -> None:
    before = practice.enrolment.read_bytes()
    practice_store.clear(practice)
    assert made(practice.root, true, datetime.now(UTC)).enrolment.read_bytes() != before


def test_without_the_key_that_was_in_memory_what_is_left_opens_nothing(practice: NodePaths) -> None:
    with pytest.raises(SlotRefused):
        open_counter(practice, os.urandom(32), practice=True)
    open_counter(practice, PRACTICE_KEY, practice=True).desk.close()


def test_the_keyring_of_practice_has_no_slot_for_any_city(practice: NodePaths, true: Village) -> None:
    assert b'"city"' not in practice.keyring.read_bytes()
    assert b'"city"' in true.counter.paths.keyring.read_bytes()


def test_a_making_that_was_cut_off_is_cleared(tmp_path: Path) -> None:
    paths = NodePaths(tmp_path / "cut")
    paths.create()
    paths.practice_mark.touch()
    with pytest.raises(NodeFileMissing):
        clerks.close_clerk(paths=paths, machine=PRACTICE_KEY, clerk_id="x")
    practice_store.clear(paths)
    assert list(paths.root.iterdir()) == []


@pytest.mark.parametrize("marked", [False, True])
def test_the_folder_of_a_true_node_is_not_cleared(true: Village, *, marked: bool) -> None:
    paths = true.counter.paths
    if marked:  # whoever laid the mark there by mistake
        paths.practice_mark.touch()
    before = files(paths.root)
    done = CliRunner().invoke(app, ["practice", "--from", str(paths.root), "--root", str(paths.root)])
    assert done.exit_code == 1
    assert files(paths.root) == before


def test_a_folder_of_something_else_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("keep")
    with pytest.raises(TrueNodeHere):
        practice_store.clear(NodePaths(tmp_path / "other"))
    assert (tmp_path / "other" / "letter.txt").read_text() == "keep"


def test_before_the_first_contact_there_is_nothing_to_practise_on(tmp_path: Path, true: Village) -> None:
    true.counter.paths.catalog_marker.unlink()
    with pytest.raises(PracticeWithoutCatalog):
        made(tmp_path / "early", true, datetime.now(UTC))
    assert not (tmp_path / "early").exists()


def test_making_reads_the_true_node_and_changes_nothing_of_it(tmp_path: Path, true: Village) -> None:
    before = files(true.counter.paths.root)
    made(tmp_path / "practice", true, datetime.now(UTC))
    assert files(true.counter.paths.root) == before


def test_two_do_not_practise_in_one_folder(practice: NodePaths) -> None:
    with only_one(practice):
        with pytest.raises(PracticeGoesOn), only_one(practice):
            pass
        assert practice.desk_db.exists()


def test_what_is_for_true_nodes_refuses_a_practice_store(practice: NodePaths) -> None:
    before = files(practice.root)
    with pytest.raises(OnlyForPractice):
        clerks.add_clerk(
            paths=practice, machine=PRACTICE_KEY, clerk_id="a", name=NAME, role=Role.AGENT,
            passphrase="a true passphrase", randomness=os.urandom,
        )  # fmt: skip
    found = doctor.examine(practice, now=datetime.now(UTC), environment={})
    assert [(one.check, one.code) for one in found] == [("enrolment", OnlyForPractice.code)]
    bundle = practice.root.with_name("bundle.zip")
    done = CliRunner().invoke(app, ["support", "--root", str(practice.root), "--to", str(bundle)])
    assert (done.exit_code, bundle.exists()) == (1, False)
    assert files(practice.root) == before


def test_the_pages_to_practise_with_are_drawn(practice: NodePaths) -> None:
    pages = sorted(practice_store.samples(practice).glob("*.jpg"))
    assert len(pages) == practice_store.PAGES
