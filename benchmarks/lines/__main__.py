"""N applications with two scans of 120 KB over village lines: time, bytes and requests, ours and peers in one run.

    python -m benchmarks.lines [--lines lan rural4g poor flap] [--counts 20 200 1000] [--peers PYTHON] [--idle SECONDS]

Needs root: the line runs between two network namespaces, in user space, and counts IP packets. `--peers` names a
Python in which the public packages tuspyserver and tuspy are installed; rsync is used where it is installed. Every
carrier runs on the same line with the same seed, one after the other; both ends use the kernel's own congestion control
(named in the report), ours asks for BBR where the kernel offers it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Report, command_line, machine_class
from benchmarks.lines.carriers import ROOT, Carrier, Ends, Ours, carriers
from benchmarks.lines.mail import Mail, write_mail
from benchmarks.lines.shapes import SHAPES, Shape

CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")
LOOK_S = 0.05
SLOWEST = 6.0  # times the least time the line needs; then a run is given up and said so


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--lines", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--counts", nargs="+", type=int, default=[20, 200, 1000])
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--only", nargs="+", help="names of carriers")
    parser.add_argument(
        "--idle", type=float, default=0.0, help="seconds of rest to count after everything arrived; ours"
    )
    parser.add_argument("--name", default="ga-line", help="of the namespaces; another one for a run beside this one")
    asked = parser.parse_args()
    report = Report("lines", machine=f"{machine_class()}, TCP {CONTROL.read_text('ascii').strip()}")
    print(report.machine)
    for count in asked.counts:
        for shape in (SHAPES[name] for name in asked.lines):
            for carrier in carriers(asked.peers):
                if not asked.only or carrier.name in asked.only:
                    with tempfile.TemporaryDirectory(prefix="guangan-lines-") as folder:
                        ends = Ends(asked.name, Path(folder))
                        _measure(report, shape, carrier, write_mail(Path(folder), count), ends, asked.idle)
    report.write(asked.json)


def _measure(report: Report, shape: Shape, carrier: Carrier, mail: Mail, ends: Ends, idle_s: float) -> None:
    idle_s = idle_s if isinstance(carrier, Ours) else 0.0
    resting, counted_in = {}, ends.folder / "counted.json"
    what = f"{shape.name}, {mail.count} applications, {carrier.name}"
    with _line(shape, ends.name, counted_in) as link, carrier.city(ends, mail):
        _count_anew(link, counted_in)
        program = carrier.village(ends, mail)
        try:
            patience = time.monotonic() + SLOWEST * shape.seconds_for(mail.payload_bytes) + 60
            while not carrier.arrived(ends, mail):
                if time.monotonic() > patience:
                    report.add(f"{what}: NOT THROUGH", 0, "of 1")
                    return
                time.sleep(LOOK_S)
            ended = time.monotonic()
            counted = _count_anew(link, counted_in)
            if idle_s:
                time.sleep(idle_s)
                resting = _count_anew(link, counted_in)
        finally:
            program.terminate()
            program.wait()
        said = carrier.said(ends, mail)
    least = shape.seconds_for(mail.payload_bytes)
    seconds = ended - counted["first_packet_at"]
    both = counted["up"]["bytes"] + counted["down"]["bytes"]
    report.add(f"{what}: seconds", seconds, "s")
    report.add(f"{what}: time against payload / bandwidth", seconds / least, "of the line's time")
    report.add(f"{what}: IP bytes both ways against payload", both / mail.payload_bytes, "of the payload")
    report.add(f"{what}: IP packets up", counted["up"]["packets"], "packets")
    report.add(f"{what}: IP packets up that a full queue dropped", counted["up"]["full"], "packets")
    report.add(f"{what}: HTTP requests", counted["requests"], "requests")
    report.add(f"{what}: connections reset by cuts", counted["resets"], "resets")
    for name, value in said.items():
        report.add(f"{what}: {name}", value, "bytes")
    if resting:
        rested = resting["up"]["bytes"] + resting["down"]["bytes"]
        report.add(f"{what}: IP bytes of an idle hour, from {idle_s:.0f} s", rested * 3600 / idle_s, "bytes")


@contextmanager
def _line(shape: Shape, name: str, counted: Path) -> Iterator[subprocess.Popen[bytes]]:
    link = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.lines.link", shape.name, name, counted], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        if link.stdout is None or link.stdout.readline() != b"ready\n":
            raise RuntimeError("the line did not come up")
        yield link
    finally:
        link.terminate()
        link.wait()


def _count_anew(link: subprocess.Popen[bytes], counted: Path) -> dict[str, object]:
    """What was counted since the last time."""
    counted.unlink(missing_ok=True)
    os.kill(link.pid, signal.SIGUSR1)
    until = time.monotonic() + 10
    while not counted.exists():
        if time.monotonic() > until:
            raise TimeoutError("the line does not answer")
        time.sleep(0.01)
    return json.loads(counted.read_bytes())


if __name__ == "__main__":
    main()
