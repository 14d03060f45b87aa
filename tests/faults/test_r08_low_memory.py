"""R08: scans of 20 MB on a machine with hardly any memory: taken in where 256 MiB are there, never lost anywhere, and a
program that the kernel killed comes up again by itself.

The limit is a real memory cgroup (version 1 or 2), which only root can make; without one the test fails and says so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = pytest.mark.fault

NO_LIMIT = "no memory cgroup could be made: run the tests as root, on a machine that allows one"

ENOUGH_MIB = 256
FULL = 50


def judge(scratch: Path, mib: int, count: int) -> None:
    outcome = outcome_of("low_memory", scratch, "--mib", mib, "--scans", count)
    assert outcome["cgroup"] is not None, NO_LIMIT
    record("R08", f"{mib} MiB", count, outcome["lost"], 0)
    assert outcome["lost"] == 0
    assert outcome["alive"]
    assert outcome["desk"] == []
    if mib >= ENOUGH_MIB:
        assert (outcome["accepted"], outcome["killed"]) == (count, 0)


@pytest.mark.timeout(600)
def test_scans_of_20_mb_are_taken_in_within_256_mib(tmp_path: Path) -> None:
    judge(tmp_path / "w", ENOUGH_MIB, 1)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("mib", [128, 192, 256])
def test_fifty_large_scans_lose_nothing_however_little_memory_there_is(tmp_path: Path, mib: int) -> None:
    judge(tmp_path / "w", mib, FULL)


@pytest.mark.timeout(600)
def test_with_less_memory_than_the_program_needs_the_same_limit_does_kill(tmp_path: Path) -> None:
    outcome = outcome_of("low_memory", tmp_path / "w", "--mib", 128, "--scans", 1, "--tries", 1)
    assert outcome["cgroup"] is not None, NO_LIMIT
    struck = outcome["killed"] + outcome["refused"]
    assert struck >= 1  # the control: the limit is real
    assert outcome["lost"] == 0
    record("R08", "control: 128 MiB kills or refuses", 1, 0, 0, phantom=struck)
