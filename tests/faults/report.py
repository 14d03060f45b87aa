"""`python -m tests.faults.report TALLY... > docs/fault-report.md`: the fault report from what fault tests noted.

Laws: only what was counted is written; a control is listed apart, because it must find something; a case of the plan
that no tally names is listed as not run. The commands that made the tallies are named by `--command`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.tally import CONTROL

HEAD = """\
What every fault test counted; made by `tests/faults/report.py`, never by hand. *Lost*: shown as saved and without
effect, or a part of it gone; *duplicated*: an effect twice; *false sent*: shown as sent or stored without being there;
*phantom*: an effect of nothing that was saved. Each case is a file `tests/faults/test_<case>_*.py`."""
CASES = {
    "R01": "a kill at any disk-changing call of any flow",
    "R02": "power cut: the file system shut down under a working node",
    "R03": "dropped, reordered and torn device writes",
    "R04": "an error at the n-th write or flush is never reported as success",
    "R05": "disk full",
    "R06": "bit rot in every file of the node",
    "R07": "scans whole or not at all, damage found by their hash",
    "R08": "low memory",
    "R09": "the queue of an older release",
    "R10": "programs share the node",
    "R11": "a kill at any disk-changing call of giving a node another machine key",
    "S01": "the line cut at byte k",
    "S02": "histories: reordered, doubled, delayed, replayed, restored, cloned",
    "S03": "the receipt lost again and again",
    "S04": "the same op_id with another body",
    "S05": "poison at the head of a queue",
    "S06": "misleading answers",
    "S07": "clocks",
    "S08": "the gateway restored from a backup",
    "S09": "a node restored from an old image",
    "S10": "a cloned node",
    "S11": "30, 90 and 365 days offline",
    "S12": "reconnect storm",
    "S13": "a hostile LAN relay",
    "S14": "the USB bundle",
    "S15": "the gateway dies between commit and receipt",
}


@dataclass(slots=True)
class Count:
    """What one variant of one case came to."""

    trials: int = 0
    lost: int = 0
    duplicated: int = 0
    false_sent: int = 0
    phantom: int = 0

    @property
    def found(self) -> int:
        """Everything that went wrong."""
        return self.lost + self.duplicated + self.false_sent + self.phantom


def read(tallies: Iterable[Path]) -> dict[str, dict[str, Count]]:
    """The counts by case and variant, added up."""
    counts: dict[str, dict[str, Count]] = defaultdict(lambda: defaultdict(Count))
    for path in tallies:
        for line in path.read_text("utf-8").splitlines():
            said = json.loads(line)
            count = counts[said["case"]][said["variant"]]
            for name in ("trials", "lost", "duplicated", "false_sent", "phantom"):
                setattr(count, name, getattr(count, name) + int(said[name]))
    return counts


def page(counts: dict[str, dict[str, Count]], commands: Iterable[str]) -> str:
    """The report as Markdown."""
    lines = [
        "# Fault report",
        "",
        HEAD,
        "",
        "Made with:",
        "",
        *(f"    {command}" for command in commands),
        "",
        "| case | what is broken | variant | trials | lost | duplicated | false sent | phantom |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for case, what in CASES.items():
        real = {name: one for name, one in counts.get(case, {}).items() if CONTROL not in name}
        if not real:
            lines.append(f"| {case} | {what} | *not run* | | | | | |")
        for name, one in sorted(real.items()):
            figures = (one.trials, one.lost, one.duplicated, one.false_sent, one.phantom)
            lines.append(f"| {case} | {what} | {name} | " + " | ".join(map(str, figures)) + " |")
    lines += [
        "",
        "## Negative controls",
        "",
        "The same check with one protection taken away: each must find something, or the zeros above prove nothing.",
        "",
        "| case | control | trials | found |",
        "|---|---|---:|---:|",
    ]
    for case in CASES:
        for name, one in sorted(counts.get(case, {}).items()):
            if CONTROL in name:
                without = name.removeprefix(CONTROL).lstrip(": ")
                lines.append(f"| {case} | {without} | {one.trials} | {one.found} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tally", type=Path, nargs="+")
    parser.add_argument("--command", action="append", default=[])
    asked = parser.parse_args()
    sys.stdout.write(page(read(asked.tally), asked.command))
    return 0


if __name__ == "__main__":
    sys.exit(main())
