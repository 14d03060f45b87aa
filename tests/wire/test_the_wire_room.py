"""The room itself: examples that run, errors that are catalogued, a specification that names every invariant."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import wire
from wire import errors
from wire.errors import WireError

pytestmark = pytest.mark.fast

ROOM = Path(wire.__file__).parent
MODULES = sorted(info.name for info in pkgutil.walk_packages([str(ROOM)], "wire."))
README = (ROOM / "README.md").read_text(encoding="utf-8")
CLASSES = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, WireError)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_each_module_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_examples_of_the_specification_run() -> None:
    found = doctest.testfile(str(ROOM / "README.md"), module_relative=False, encoding="utf-8")
    assert (found.failed, found.attempted > 3) == (0, True)


def test_every_error_has_its_own_stable_code_a_sentence_and_a_place_in_the_tree() -> None:
    codes = [error.code for error in CLASSES]
    assert len(codes) == len(set(codes))
    for error in CLASSES:
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", error.code)
        assert (error.__doc__ or "").endswith(".")
        assert error.__name__ in (errors.__doc__ or "")


def test_every_error_code_is_in_the_specification() -> None:
    missing = [error.code for error in CLASSES if f"`{error.code}`" not in README]
    assert missing == []


def test_every_invariant_is_in_the_specification() -> None:
    assert [number for number in range(1, 13) if f"**I{number}**" not in README] == []


def test_the_specification_tells_the_true_layout() -> None:
    from wire.envelope import _FIXED as ENVELOPE
    from wire.scan import _HEAD as SCAN
    from wire.scan import CHUNK_BYTES

    assert f"fixed part: {ENVELOPE.size} bytes" in README
    assert f"fixed part: {SCAN.size} bytes" in README
    assert f"{CHUNK_BYTES:,}" in README


def test_the_room_opens_no_socket_and_no_file_and_reads_no_clock() -> None:
    banned = {"socket", "httpx", "urllib", "requests", "time", "random", "uuid", "pathlib", "sqlite3", "subprocess"}
    for path in ROOM.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not banned & {name.partition(".")[0] for name in names}, path.name
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"open", "datetime.now", "datetime.utcnow", "date.today"}, (path.name, called)


def test_the_screen_does_not_pay_for_the_cryptography() -> None:
    import subprocess
    import sys

    probe = "import sys, wire.counter; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], cwd=ROOM.parent).returncode == 0
