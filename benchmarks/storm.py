"""A reconnect storm: thousands of nodes come back at once to a real gateway, which is killed in the middle.

Real gateway processes on a real ledger; each node sends what it sealed before, in signed exchanges, judges the answers
as the courier does and obeys its rhythm, so that `Retry-After` and back-off are the product's own. Machines are
enrolled and mail is sealed before the clock starts. Nodes, database and gateway share the cores of one machine, so the
gateway has less than all of them. A clerk looks at a page of the back office meanwhile.

    python -m benchmarks.storm [--nodes 3000] [--ops 20] [--database postgresql] [--processes 1] [--kill] [--json FILE]
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Report, command_line
from benchmarks.gateway import ledger_in
from tests.simulators.reconnect_storm import BIN_S, Storm
from tests.simulators.storm_city import StormCity, raise_open_files
from tests.simulators.storm_mail import prepare

SEED = 20261123


def main() -> None:
    """Prepare, pass over, report; ends with 1 if anything was lost or happened twice."""
    parser = command_line(__doc__)
    parser.add_argument("--nodes", type=int, default=3000, help="villages; townships come on top, one for thirty")
    parser.add_argument("--ops", type=int, default=20, help="operations sealed by each village")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--processes", type=int, default=1, help="gateway processes on the one ledger")
    parser.add_argument("--within", type=float, default=2.0, help="seconds in which all of them come")
    parser.add_argument("--kill", action="store_true", help="SIGKILL the gateway when half is acknowledged")
    asked = parser.parse_args()
    raise_open_files()
    report = Report("storm")
    kind = "PostgreSQL" if asked.database == "postgresql" else "SQLite"
    with tempfile.TemporaryDirectory(prefix="guangan-storm-") as folder, ledger_in(Path(folder) / "db", kind) as url:
        city = StormCity(Path(folder) / "city", url, processes=asked.processes)
        with city:
            begun = time.monotonic()
            with city.opened() as gateway:
                city.hire(gateway)
                villages, townships = prepare(gateway, asked.nodes, asked.ops, processes=os.cpu_count() or 1)
            print(f"prepared in {time.monotonic() - begun:.0f} s; the clock starts now", flush=True)
            storm = Storm(city, villages, townships, random.Random(SEED), asked.within, asked.kill)
            asyncio.run(storm.pass_over())
            good = _told(report, storm)
    report.write(asked.json)
    raise SystemExit(0 if good else 1)


def _told(report: Report, storm: Storm) -> bool:
    found = storm.reckon()
    operations = sum(len(mail.op_ids) for mail in storm.villages)
    report.add("nodes (villages and townships)", len(storm.villages) + len(storm.townships), "nodes")
    report.add("operations saved", operations, "operations")
    for name in ("lost", "duplicated", "phantom", "false_sent"):
        report.add(name.replace("_", " "), getattr(found, name), "operations")
    report.add("time until everybody had sent and read everything", storm.seconds, "s")
    report.add("operations a second, over all of it", operations / storm.seconds, "per second")
    if storm.killed_at is not None:
        report.add("killed after", storm.killed_at, "s")
        report.add("  down for", storm.down_s, "s")
    assert storm.clerk is not None
    if storm.clerk.seconds:
        report.spread("a page of the back office meanwhile", storm.clerk.seconds)
    report.add("  pages looked at", len(storm.clerk.seconds), "pages")
    report.add("  not answered (the gateway was down)", storm.clerk.unanswered, "pages")
    requests = sum(node.requests for node in storm.nodes)
    report.add("requests for each node", requests / len(storm.nodes), "requests")
    report.add("sent away with a time to come back", len(storm.diary.told_to_wait), "answers")
    report.add("  longest time told", max(storm.diary.told_to_wait, default=0), "s")
    report.add("capacity: exchanges accepted, median of the busy bins", storm.capacity(), "per second")
    report.add("most memory of one gateway process", storm.city.peak_kib / 1024, "MiB")
    _waves(report, storm)
    others = sorted({kind for _, kind in storm.diary.answered} - {"accepted", "busy", "silence"})
    print("other answers:", others, "refused:", sorted(set(storm.diary.refused)))
    return found.is_good and not storm.diary.refused


def _waves(report: Report, storm: Storm) -> None:
    """Requests over time. First contacts are spread by the nodes, returns by the door."""
    print(f"seconds    reached the door /s   accepted /s   sent away /s   no answer /s   (bins of {BIN_S:.0f} s)")
    series = [storm.over_time(*kinds) for kinds in (("accepted", "busy"), ("accepted",), ("busy",), ("silence",))]
    for number in range(max(map(len, series))):
        row = [one[number] if number < len(one) else 0.0 for one in series]
        print(f"{number * BIN_S:>7.0f}    " + "".join(f"{rate:>15.1f}" for rate in row))
    report.add("second wave: most that returned as told in a bin, of the capacity", storm.second_wave(), "x")


if __name__ == "__main__":
    main()
