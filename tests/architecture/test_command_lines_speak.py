"""Help that this project wrote speaks the language of the person, whichever program it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.architecture.test_tree import PROJECT

pytestmark = pytest.mark.fast

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LINES = [
    ("sync_agent", "--help"),
    ("sync_agent", "run", "--help"),
    ("sync_agent", "status", "--help"),
    ("sync_agent", "courier", "--help"),
    ("sync_agent", "courier", "out", "--help"),
    ("sync_agent", "courier", "in", "--help"),
    ("provisioning", "practice", "--help"),
    ("tui", "--help"),
]
FRAMEWORK = re.compile(
    r"install-completion|show-completion|--help|usage|options|commands|^ *--[a-z-]+ [A-Z_]+$", re.IGNORECASE
)
"""What Typer and argparse write themselves (Typer's cannot be translated from outside), and names on a line alone."""


def help_of(line: tuple[str, ...], language: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *line],
        env={"LANG": language, "PATH": os.environ["PATH"], "PYTHONUTF8": "1", "COLUMNS": "200"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def explained(told: str) -> list[str]:
    """The lines that explain something."""
    return [one for one in told.splitlines() if not FRAMEWORK.search(one) and re.search(r"\w{2,}", one)]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_every_explained_line_is_chinese_for_who_reads_chinese(line: tuple[str, ...]) -> None:
    lines = explained(help_of(line, "zh_CN.UTF-8"))
    assert lines
    assert [one for one in lines if not CHINESE.search(one)] == []


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_no_line_is_chinese_for_who_reads_english(line: tuple[str, ...]) -> None:
    assert not CHINESE.search(help_of(line, "en_GB.UTF-8"))
