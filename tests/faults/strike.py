"""`python -m tests.faults.strike FLOW SCRATCH [--step N] [--error EIO]`: strike one flow, print the outcome as JSON.

A process of its own, because a process with threads (a test runner) cannot be forked safely.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults import machine_flows, village_flows
from tests.faults.tools.every_call import CHANGING, Flow, strike_all

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
    )
}


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
