"""`unshare --mount python -m tests.faults.tear FLOW SCRATCH --deaths N`: torn and reordered writes; prints JSON."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults.busy_flows import BUSY_FLOWS
from tests.faults.tools.torn_disk import die_again_and_again


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", choices=BUSY_FLOWS)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--deaths", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    flow = BUSY_FLOWS[asked.flow]
    deaths = die_again_and_again(flow, asked.scratch, deaths=asked.deaths, seconds=asked.seconds, seed=asked.seed)
    print(json.dumps(asdict(deaths), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
