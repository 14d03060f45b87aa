"""`python -m tests.faults.strike FLOW SCRATCH [--step N] [--error EIO]`: strike one flow, print the outcome as JSON.

A process of its own, because a process with threads (a test runner) cannot be forked safely.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from offline_store.errors import DISK_REFUSES
from tests.faults import key_flows, machine_flows, village_flows
from tests.faults.tools.every_call import CHANGING, Act, Flow, Notes, strike_all

FLOWS: dict[str, Flow] = {
    one.name: one
    for one in (
        village_flows.typing,
        village_flows.scanning,
        village_flows.collecting_,
        village_flows.collecting_later,
        village_flows.posting,
        village_flows.receipt,
        village_flows.purging,
        village_flows.rekeying_,
        village_flows.activating,
        machine_flows.exchange,
        machine_flows.enrolment,
        machine_flows.migration,
        machine_flows.long_migration,
        key_flows.renewing,
        key_flows.renewing_hastily,
    )
}


def refused(one: Flow) -> Flow:
    """The same flow on a disk that refuses: whatever it raises must be what ends the program, or nothing at all."""

    def open_(disk: Path) -> Act:
        act = one.open(disk)

        def telling(notes: Notes) -> None:
            try:
                act(notes)
            except DISK_REFUSES:
                notes.tell(ends=True)
            except Exception as failure:  # noqa: BLE001 - anything else would not end the program
                notes.tell(goes_on=type(failure).__name__)

        return telling

    def check(disk: Path, notes: Notes) -> list[str]:
        told = notes.read()
        heard = Notes(notes.path.with_name("heard.jsonl"))
        heard.path.unlink(missing_ok=True)
        for line in told:
            if not line.keys() & {"ends", "goes_on"}:
                heard.tell(**line)
        wrong = [f"goes on after {line['goes_on']}" for line in told if "goes_on" in line]
        return wrong + one.check(disk, heard)

    return Flow(f"{one.name}, refused", one.prepare, open_, check)


FLOWS |= {one.name: one for one in [refused(one) for one in FLOWS.values()]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", choices=FLOWS)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--step", type=int, default=1, help="1 is exhaustive")
    parser.add_argument("--error", help="fail the call with this errno instead of killing")
    parser.add_argument("--calls", default=CHANGING)
    asked = parser.parse_args()
    outcome = strike_all(
        FLOWS[asked.flow], asked.scratch, first=asked.first, step=asked.step, error=asked.error, calls=asked.calls
    )
    print(json.dumps(asdict(outcome), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
