"""The fault report says what was counted and what was not run, and lists controls apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.report import CASES, page, read
from tests.faults.tally import VARIABLE, record

pytestmark = pytest.mark.fast


def test_counts_of_one_variant_are_added_up_and_controls_stand_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = tmp_path / "tally.jsonl"
    monkeypatch.setenv(VARIABLE, str(tally))
    record("R02", "ext4", 5, 0, 0)
    record("R02", "ext4", 7, 1, 0)
    record("R02", "control: NORMAL", 3, 2, 0)
    said = page(read([tally]), ["a command"])
    assert "| ext4 | 12 | 1 | 0 | 0 | 0 |" in said
    assert "| R02 | NORMAL | 3 | 2 |" in said
    assert "| R03 | dropped, reordered and torn device writes | *not run* |" in said
    assert json.loads(tally.read_text("utf-8").splitlines()[0])["trials"] == 5


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_one_file_that_counts_its_trials_and_a_control(case: str) -> None:
    (file,) = Path(__file__).parent.glob(f"test_{case.lower()}_*.py")
    text = file.read_text("utf-8")
    assert f'"{case}"' in text
    assert '"control' in text


def test_a_control_that_found_nothing_is_no_control() -> None:
    with pytest.raises(AssertionError, match="found nothing"):
        record("R02", "control: NORMAL", 3, 0, 0)


def test_without_the_variable_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    record("R02", "ext4", 5, 0, 0)
    assert list(tmp_path.iterdir()) == []
