"""R05: on a full disk what is typed is refused before it is said to be saved, mail and erasing go on, and everything
recovers in the same process when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = pytest.mark.fault

STEP_KIB, MOST_KIB = 64, 8192
EVERYDAY = [0, 64, 320, 1024, 2560, 8128]


def judge(scratch: Path, free: list[int]) -> None:
    outcome = outcome_of("full_disk", scratch, "--free", *free, mounts=True)
    lost = [one for one in outcome["broken"] if "lost" in one]
    record("R05", "free space x (save, sync, purge, log)", 4 * outcome["points"], len(lost), 0)
    assert outcome["broken"] == []
    assert outcome["points"] == len(free)
    assert outcome["went_on"] == len(free)
    assert outcome["refused"] >= 1


@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing_stops_no_mail_and_needs_no_restart(tmp_path: Path) -> None:
    judge(tmp_path / "w", EVERYDAY)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
def test_at_every_amount_of_room_up_to_8_mib(tmp_path: Path) -> None:
    judge(tmp_path / "w", list(range(0, MOST_KIB, STEP_KIB)))


@pytest.mark.timeout(600)
def test_without_the_reserve_the_same_reckoning_finds_that_mail_stops(tmp_path: Path) -> None:
    outcome = outcome_of("full_disk", tmp_path / "w", "--free", 0, "--without-reserve", mounts=True)
    stopped = [one for one in outcome["broken"] if "mail stopped" in one or "not taken in" in one]
    assert stopped
    record("R05", "control: without the reserve", 4, 0, 0, false_sent=len(stopped))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reserve", [True, False])
def test_a_courier_without_a_byte_of_room_delivers_and_keeps_the_citys_word(tmp_path: Path, reserve: bool) -> None:
    control = [] if reserve else ["--without-reserve"]
    outcome = outcome_of("full_disk_courier", tmp_path / "w", *control, mounts=True)
    assert outcome == {"heard": reserve, "arrived": reserve, "held": reserve}
    missing = sum(not found for found in outcome.values())
    record("R05", "courier" if reserve else "control: courier without the reserve", 1, 0, 0, false_sent=missing)
