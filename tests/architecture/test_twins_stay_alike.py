"""The two programs that write sticks share no code (no program imports another); what they both do stays alike."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
TWINS = ("sync_agent/stick_folder.py", "city_gateway/stick_folder.py")


def body(text: str, room: str) -> str:
    """The program without its docstring and without the name of its room."""
    parsed = ast.parse(text)
    return "\n".join(ast.unparse(one) for one in parsed.body[1:]).replace(room, "room")


def bodies() -> list[str]:
    return [body((ROOT / path).read_text("utf-8"), path.partition("/")[0]) for path in TWINS]


def test_both_ends_of_a_stick_lay_files_down_in_the_same_way() -> None:
    ours, theirs = bodies()
    assert ours == theirs


def test_a_difference_is_seen() -> None:
    ours, _ = bodies()
    other = body('"""Doc."""\n' + ours.replace("fsync", "sync", 1), "x")
    assert other != ours
