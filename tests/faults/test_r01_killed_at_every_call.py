"""R01: a kill at any disk-changing call of any flow loses nothing that was shown as saved and leaves no half item.

Every day each flow is struck at a spread of its calls; in the full run at every one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record

pytestmark = pytest.mark.fault

FLOWS = ["save", "scans", "collect", "post", "exchange", "receipt", "purge", "rekey", "activate", "migrate", "enrol"]
STEPS = {"enrol": 41, "rekey": 31, "migrate": 17, "activate": 17, "receipt": 13, "exchange": 13}
EVERY_DAY = 9


def struck(flow: str, scratch: Path, step: int) -> dict[str, Any]:
    """Strike a flow in a process of its own."""
    outcome = outcome_of("strike", flow, scratch / "strikes", "--step", step)
    assert outcome["exhausted"]
    return outcome


def judge(flow: str, scratch: Path, step: int) -> None:
    outcome = struck(flow, scratch, step)
    broken = outcome["broken"]
    record("R01", flow, outcome["struck"], len(broken), 0)
    assert broken == []
    assert outcome["struck"] >= 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flow", FLOWS)
def test_a_kill_at_calls_all_over_a_flow_breaks_nothing(flow: str, tmp_path: Path) -> None:
    judge(flow, tmp_path, STEPS.get(flow, EVERY_DAY))


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("flow", FLOWS)
def test_a_kill_at_every_call_of_a_flow_breaks_nothing(flow: str, tmp_path: Path) -> None:
    judge(flow, tmp_path, 1)


@pytest.mark.timeout(600)
def test_a_flow_that_says_saved_before_it_saves_is_found_out(tmp_path: Path) -> None:
    outcome = struck("collect told early", tmp_path, 20)
    record("R01", "control: told before it is saved", outcome["struck"], len(outcome["broken"]), 0)
    assert outcome["broken"]
