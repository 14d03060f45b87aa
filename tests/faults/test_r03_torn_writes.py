"""R03: writes that the disk dropped, reordered or tore because it was never told to keep them lose nothing told.

One life of a working village is recorded request by request; then deaths are built from it (see tools/torn_disk.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]

LIVES, DEATHS_OF_A_LIFE = 20, 100


def judge(scratch: Path, deaths: int, seed: int) -> None:
    outcome = outcome_of("tear", "busy", scratch / "torn", "--deaths", deaths, "--seed", seed, mounts=True)
    record("R03", "ext4", deaths, len(outcome["broken"]), 0)
    assert outcome["broken"] == []
    assert outcome["deaths"] == deaths
    assert outcome["told"] > 0


def test_torn_and_reordered_writes_lose_nothing_that_was_told(tmp_path: Path) -> None:
    judge(tmp_path, 25, seed=1)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("life", range(LIVES))
def test_two_thousand_deaths_lose_nothing_that_was_told(life: int, tmp_path: Path) -> None:
    judge(tmp_path, DEATHS_OF_A_LIFE, seed=1000 + life)


def test_a_desk_that_does_not_flush_is_found_out(tmp_path: Path) -> None:
    taken_away = "busy with synchronous=NORMAL"
    outcome = outcome_of("tear", taken_away, tmp_path / "torn", "--deaths", 5, mounts=True)
    record("R03", "control: synchronous=NORMAL", 5, len(outcome["broken"]), 0)
    assert outcome["broken"]
