"""Bytes on the wire against the payload: the demo's day, counted at the programs.

The demo's own line between village and gateway counts what passes both ways from the moment the line comes back until
the backlog is drained (20 applications with two scans each, receipts and news included). Payload: each form compressed
by itself, and the scans as they were sealed. Headers of TCP and IP are not in it.

    python -m benchmarks.wire_bytes [--postgres] [--json FILE]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Report, command_line


def main() -> None:
    """Play the day, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--postgres", action="store_true", help="the city's ledger on PostgreSQL")
    asked = parser.parse_args()
    report = Report("wire_bytes")
    with tempfile.TemporaryDirectory(prefix="guangan-wire-") as folder:
        figures_file = Path(folder) / "report.json"
        options = ["--postgres"] if asked.postgres else []
        subprocess.run(
            [sys.executable, "-m", "provisioning", "demo", "--once", "--report", str(figures_file), *options],
            check=True,
        )
        day = json.loads(figures_file.read_text("utf-8"))
    report.add("applications sent", day["filed"], "applications")
    report.add("scans sent", day["scans_sent"], "scans")
    report.add("payload (forms compressed, scans sealed)", day["payload_bytes"], "bytes")
    report.add("on the wire, both ways", day["wire_bytes"], "bytes")
    report.add("wire against payload", day["wire_bytes"] / day["payload_bytes"], "times")
    report.add("lost", day["lost"], "applications")
    report.add("duplicated", day["duplicated"], "applications")
    report.add("the whole day", day["seconds"], "s")
    report.write(asked.json)


if __name__ == "__main__":
    main()
