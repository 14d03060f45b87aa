"""Whoever kills a program of the demo sees it come up again, and a line that says so."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from provisioning.demo import STARTS_MOST, Tended
from provisioning.demo_screen import DemoScreen
from provisioning.demo_world import Program

pytestmark = pytest.mark.node


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    sleeps = ("timeit", "-n1", "-r1", "import time; time.sleep(600)")
    made = Program("village-edge", sleeps, dict(os.environ), tmp_path / "log")
    made.start()
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


def died(program: Program) -> int:
    assert program.process is not None
    program.process.kill()
    program.process.wait()
    return program.process.pid


def test_a_program_that_was_killed_is_started_again_and_the_screen_says_so(program: Program) -> None:
    tended = Tended(program)
    assert tended.look() is None
    before = died(program)
    assert "village-edge 被结束，已重新启动" in str(tended.look())
    assert program.process is not None
    assert program.process.pid != before
    assert tended.look() is None


def test_a_program_that_ends_again_and_again_is_left_lying_and_told_once(program: Program) -> None:
    tended = Tended(program)
    for _ in range(STARTS_MOST):
        died(program)
        tended.look()
    died(program)
    assert "不再重启" in str(tended.look())
    assert program.process is None
    assert tended.look() is None


def test_in_a_file_every_step_is_told_when_it_begins() -> None:
    paper = io.StringIO()
    screen = DemoScreen(Console(file=paper))
    with screen.waiting("市级网关启动"):
        assert "市级网关启动……" in paper.getvalue()
    with screen.counting("代办收件", 20):
        assert "代办收件（20 件）……" in paper.getvalue()
    with screen.draining("补送积压", 1000):
        assert "补送积压……" in paper.getvalue()
