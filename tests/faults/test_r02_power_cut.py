"""R02: a power cut at a random moment loses nothing that was shown as saved, on ext4 and on XFS.

The file system is really shut down under a working node (see tools/power_cut.py). With synchronous=NORMAL, or with
files that are laid down without an fsync, the same cuts must lose.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]


def cut(flow: str, scratch: Path, trials: int, filesystem: str = "ext4") -> dict[str, Any]:
    """A series of cuts, in a process and a mount namespace of its own."""
    outcome = outcome_of("cut", flow, scratch / "cuts", "--trials", trials, "--fs", filesystem, mounts=True)
    assert outcome["trials"] == trials
    return outcome


def judge(scratch: Path, trials: int, filesystem: str) -> None:
    outcome = cut("busy", scratch, trials, filesystem)
    record("R02", filesystem, trials, len(outcome["broken"]), 0)
    assert outcome["broken"] == []
    assert outcome["told"] >= trials, "a cut before anything was told shows nothing"


@pytest.mark.parametrize(("filesystem", "trials"), [("ext4", 8), ("xfs", 2)])
def test_a_power_cut_loses_nothing_that_was_told(filesystem: str, trials: int, tmp_path: Path) -> None:
    judge(tmp_path, trials, filesystem)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize(("filesystem", "trials"), [("ext4", 500), ("xfs", 100)])
def test_hundreds_of_power_cuts_lose_nothing_that_was_told(filesystem: str, trials: int, tmp_path: Path) -> None:
    judge(tmp_path, trials, filesystem)


@pytest.mark.parametrize("taken_away", ["synchronous=NORMAL", "files that are not flushed"])
def test_without_the_flush_the_same_cuts_lose(taken_away: str, tmp_path: Path) -> None:
    outcome = cut(f"busy with {taken_away}", tmp_path, 3)
    record("R02", f"control: {taken_away}", 3, len(outcome["broken"]), 0)
    assert outcome["broken"]
