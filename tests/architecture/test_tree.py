"""The shape of the tree that a machine can check: names without a subject, length, module docstrings."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).parents[2]
ROOMS = ["casework", "wire", "offline_store", "edge_node", "sync_agent", "tui", "provisioning", "city_gateway"]
DRAWERS = {
    *("util", "utils", "helper", "helpers", "common", "misc", "core", "base", "shared", "lib", "kit"),
    *("service", "services", "manager", "managers", "handler", "handlers"),
}
HARD_LIMIT_LINES = 400


def product_files() -> list[Path]:
    return sorted(path for room in ROOMS for path in (PROJECT / room).rglob("*.py"))


def all_python_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [PROJECT / line for line in listed.stdout.splitlines() if (PROJECT / line).exists()]


def drawers_among(paths: list[Path]) -> list[Path]:
    return [path for path in paths if {part.removesuffix(".py") for part in path.relative_to(PROJECT).parts} & DRAWERS]


def test_no_module_or_folder_is_a_drawer() -> None:
    assert drawers_among(product_files()) == []


def test_the_drawer_rule_bites() -> None:
    assert drawers_among([PROJECT / "wire" / "utils.py", PROJECT / "tui" / "helpers" / "x.py"])


def test_no_file_is_longer_than_the_hard_limit() -> None:
    long = {
        str(path.relative_to(PROJECT)): n
        for path in all_python_files()
        if (n := len(path.read_text().splitlines())) > HARD_LIMIT_LINES
    }
    assert long == {}


def test_every_product_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(PROJECT))
        for path in product_files()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_public_function_of_the_two_vocabulary_rooms_is_undocumented() -> None:
    silent = []
    for path in product_files():
        if path.relative_to(PROJECT).parts[0] not in {"casework", "wire"}:
            continue
        for node in ast.parse(path.read_text()).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(PROJECT)}:{node.name}")
    assert silent == []


@pytest.mark.parametrize("room", ["casework", "wire"])
def test_the_pure_rooms_take_time_and_chance_as_arguments(room: str) -> None:
    banned = {"datetime.now", "date.today", "time.time", "uuid.uuid4", "datetime.utcnow", "random.random"}
    found = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in (PROJECT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in banned
    ]
    assert found == []


def half_merged(text: str) -> bool:
    return any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in text.splitlines())


def test_no_file_was_left_half_merged() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)
    paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    assert [str(path) for path in paths if path.is_file() and half_merged(path.read_text(errors="replace"))] == []


def test_the_half_merged_rule_bites() -> None:
    assert half_merged("one\n" + "<" * 7 + " HEAD\ntwo\n")


def test_every_shell_script_is_one_that_bash_can_read() -> None:
    asked = ["git", "grep", "-lIE", "^#!.*bash"]
    listed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True)
    unreadable = [
        name
        for name in listed.stdout.splitlines()
        if subprocess.run(["bash", "-n", name], cwd=PROJECT, capture_output=True, check=False).returncode != 0
    ]
    assert unreadable == []


def skips(text: str) -> bool:
    """Whether a test could be passed over: what a machine lacks makes its test fail, and say so."""
    asked = {"pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.importorskip", "pytest.mark.xfail"}
    return any(ast.unparse(node) in asked for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute))


def test_no_test_can_be_passed_over() -> None:
    tests = [path for path in all_python_files() if path.is_relative_to(PROJECT / "tests")]
    assert [str(path.relative_to(PROJECT)) for path in tests if skips(path.read_text())] == []


def test_the_skip_rule_bites() -> None:
    assert skips("@pytest.mark.skipif(True, reason='')\ndef test_x(): ...")
