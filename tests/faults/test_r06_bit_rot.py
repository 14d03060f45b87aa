"""R06: what rots on a node's disk is found before it is believed; nothing wrong is shown or sent, the rest goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = pytest.mark.fault

EVERYDAY, FULL = 40, 1000
KINDS = {"desk", "log", "keyring", "scan", "envelope", "ticket", "facts", "receipt", "feed", "enrolment"}


def judge(outcome: dict[str, Any], trials: int) -> None:
    record("R06", "flip, cut, zeros", trials, len(outcome["silent"]), 0, phantom=len(outcome["wrong"]))
    assert outcome["silent"] == []
    assert outcome["wrong"] == []
    assert outcome["trials"] == trials == outcome["told"] + outcome["harmless"]
    assert outcome["told"] > trials // 3
    assert outcome["healed"] >= 1
    assert {one.split()[0] for one in outcome["kinds"]} == KINDS


@pytest.mark.timeout(600)
def test_what_rots_is_told_and_nothing_wrong_is_shown(tmp_path: Path) -> None:
    judge(outcome_of("bit_rot", tmp_path / "w", "--trials", EVERYDAY), EVERYDAY)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
def test_a_thousand_files_rot(tmp_path: Path) -> None:
    judge(outcome_of("bit_rot", tmp_path / "w", "--trials", FULL, "--seed", 7), FULL)


@pytest.mark.timeout(600)
def test_mail_that_is_not_compared_with_the_journal_rots_in_silence(tmp_path: Path) -> None:
    outcome = outcome_of("bit_rot", tmp_path / "w", "--trials", 3, "--kind", "envelope", "--unchecked")
    record("R06", "control: mail is not compared", 3, len(outcome["silent"]), 0)
    assert outcome["silent"]
