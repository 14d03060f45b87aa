"""`unshare --mount python -m tests.faults.cut FLOW SCRATCH --trials N [--fs xfs]`: cut the power, print the outcome.

A process of its own in a mount namespace of its own; the last line it prints is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults.busy_flows import BUSY_FLOWS
from tests.faults.tools.power_cut import cut_again_and_again
from tests.faults.vault_flows import VAULT_FLOWS

FLOWS = BUSY_FLOWS | VAULT_FLOWS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", choices=FLOWS)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--fs", choices=["ext4", "xfs"], default="ext4")
    parser.add_argument("--between-ms", type=int, nargs=2, default=(100, 900))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    first, last = asked.between_ms
    cuts = cut_again_and_again(
        FLOWS[asked.flow],
        asked.scratch,
        trials=asked.trials,
        filesystem=asked.fs,
        between_s=(first / 1000, last / 1000),
        seed=asked.seed,
    )
    print(json.dumps(asdict(cuts), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
