"""The programs as real processes: how long until they answer, and how much memory they keep.

Start: from the start of the process to its first right answer, with the files of Python already read once; the median
of some starts. Memory: resident and proportional set from `/proc/<pid>/smaps_rollup`, after the first answer and after
a morning's work. edge_node is measured on an empty desk and on one with 20,000 applications.

    python -m benchmarks.processes [--applications 20000] [--starts 5] [--json FILE]
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from benchmarks.applications import fill
from benchmarks.figures import KIB, MIB, MS, Report, command_line, processor_seconds
from benchmarks.village import AGENT, MACHINE_KEY, PASSPHRASE, found_village, open_village
from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.mailbox.incoming import Incoming
from offline_store.paths import NodePaths
from provisioning.demo import AGENT as DEMO_AGENT
from provisioning.demo import VILLAGE as DEMO_VILLAGE
from provisioning.demo_world import DemoWorld, Program

POLL_S: Final = 0.002
PATIENCE_S: Final = 60.0
SETTLING_S: Final = 1.0
SCREEN: Final = (b"\xe7\x99\xbb\xe5\xbd\x95", 80, 24)  # what the first screen shows (登录), columns and rows
SEARCHED: Final = ("医保", "养老", "yb", "sbk", "低保", "残疾")
MORNING: Final = 40  # rounds of searching, looking and listing


@dataclass(slots=True)
class Measured:
    """Starts and memory of one program."""

    starts: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)

    def told(self, report: Report, name: str) -> None:
        """Print them."""
        report.add(f"{name}: start to first answer", statistics.median(self.starts) * MS, "ms")
        report.add(f"{name}: processor time of that", statistics.median(self.work) * MS, "ms")
        for when, (resident, proportional) in self.memory.items():
            report.add(f"{name}: resident {when}", resident, "MiB")
            report.add(f"{name}: proportional {when}", proportional, "MiB")


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--applications", type=int, default=20_000, help="on the desk of the full node")
    parser.add_argument("--starts", type=int, default=5)
    asked = parser.parse_args()
    report = Report("processes")
    with tempfile.TemporaryDirectory(prefix="guangan-processes-") as folder:
        root = Path(folder)
        (root / "logs").mkdir()
        (root / "machine.key").write_bytes(MACHINE_KEY)
        empty, full = found_village(root / "empty"), found_village(root / "full")
        village = open_village(full)
        fill(village, asked.applications, random.Random(20261123))
        village.close()
        for paths, name in ((empty, "no application"), (full, f"{asked.applications:,} applications")):
            edge = Program("edge", ("edge_node", "--root", str(paths.root)), _keyed(root), root / "logs" / "edge.log")
            _edge_node(edge, paths, asked.starts).told(report, f"edge_node, {name}")
            if paths is empty:
                with _running(edge, lambda: _counter_answers(empty)):
                    _screen(empty, asked.starts).told(report, "TUI")
        with DemoWorld(root / "world", postgres=False, automatic_rulings=False) as world:
            _city_and_courier(report, world, asked.starts)
    report.write(asked.json)


def _edge_node(program: Program, paths: NodePaths, starts: int) -> Measured:
    found = Measured()
    for _ in range(starts):
        found.starts.append(_until(program, lambda: _counter_answers(paths)))
        found.work.append(_worked(program.process))
        _settled(found, program, "at rest")
        if len(found.starts) < starts:
            program.stop()
    _morning(paths)
    _settled(found, program, "after a morning's work")
    program.stop()
    return found


def _city_and_courier(report: Report, world: DemoWorld, starts: int) -> None:
    world.found_city()
    node = world.found_node("village", "village", *DEMO_VILLAGE, DEMO_AGENT)
    gateway, courier = Measured(), Measured()
    for _ in range(starts):
        node.agent.stop()
        if world.gateway is not None:
            world.gateway.stop()
            gateway.starts.append(_until(world.gateway, lambda: _health(world.gateway_url)))
            gateway.work.append(_worked(world.gateway.process))
        heard = partial(_heard, node.paths, datetime.now(UTC))
        courier.starts.append(_until(node.agent, heard))
        courier.work.append(_worked(node.agent.process))
    if world.gateway is not None:
        _settled(gateway, world.gateway, "at rest")
    _settled(courier, node.agent, "at rest")
    courier.told(report, "sync_agent")
    gateway.told(report, "city_gateway")


def _screen(paths: NodePaths, starts: int) -> Measured:
    found = Measured()
    for number in range(starts):
        begun = time.perf_counter()
        process, terminal = _on_a_terminal(["-m", "tui", "--socket", str(paths.counter_socket), "--lang", "zh_CN"])
        _read_until(terminal, SCREEN[0])
        found.starts.append(time.perf_counter() - begun)
        found.work.append(_worked(process))
        if number == starts - 1:
            _drain(terminal, SETTLING_S)
            found.memory["at rest"] = _memory(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait()
        os.close(terminal)
    return found


def _on_a_terminal(arguments: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    columns, rows = SCREEN[1:]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows)}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    return process, ours


def _read_until(terminal: int, wanted: bytes) -> None:
    seen, until = b"", time.monotonic() + PATIENCE_S
    while wanted not in seen:
        if time.monotonic() > until:
            raise TimeoutError(seen[-2000:].decode(errors="replace"))
        if select.select([terminal], [], [], POLL_S)[0]:
            seen += os.read(terminal, 65536)


def _drain(terminal: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if select.select([terminal], [], [], POLL_S)[0]:
            os.read(terminal, 65536)


def _until(program: Program, answers: Callable[[], bool]) -> float:
    """Start a program; the seconds until it answers."""
    begun = time.perf_counter()
    program.start()
    while not answers():
        program.must_live()
        if time.perf_counter() - begun > PATIENCE_S:
            raise TimeoutError(program.name)
        time.sleep(POLL_S)
    return time.perf_counter() - begun


@contextlib.contextmanager
def _running(program: Program, answers: Callable[[], bool]) -> Iterator[None]:
    _until(program, answers)
    try:
        yield
    finally:
        program.stop()


def _settled(found: Measured, program: Program, when: str) -> None:
    time.sleep(SETTLING_S)
    if program.process is not None:
        found.memory[when] = _memory(program.process.pid)


def _worked(process: subprocess.Popen[bytes] | None) -> float:
    """User and system seconds of a process so far."""
    return processor_seconds(process.pid) if process is not None else 0.0


def _memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set of a process, in MiB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:])
    kib = {words[0]: int(words[1]) for words in lines}
    return kib["Rss:"] * KIB / MIB, kib["Pss:"] * KIB / MIB


def _counter(paths: NodePaths) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(paths.counter_socket))
    return httpx.Client(transport=transport, base_url="http://counter", timeout=PATIENCE_S)


def _counter_answers(paths: NodePaths) -> bool:
    try:
        with _counter(paths) as client:
            return client.get("/counter/status").is_success
    except httpx.HTTPError:
        return False


def _morning(paths: NodePaths) -> None:
    """What a screen asks for while an agent works."""
    with _counter(paths) as client:
        signed = client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE}).raise_for_status()
        client.headers["authorization"] = f"Bearer {signed.json()['session']}"
        for number in range(MORNING):
            found = client.get("/counter/items", params={"q": SEARCHED[number % len(SEARCHED)]}).raise_for_status()
            for row in found.json()["rows"][:3]:
                client.get(f"/counter/items/{row['item_id']}").raise_for_status()
            asked: Mapping[str, int] = {"offset": 20 * number, "limit": 20}
            listed = client.get("/counter/applications", params=asked).raise_for_status()
            for row in listed.json()["rows"][:3]:
                client.get(f"/counter/applications/{row['application_id']}").raise_for_status()
            client.get("/counter/status").raise_for_status()


def _health(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _heard(paths: NodePaths, begun: datetime) -> bool:
    """Whether the courier has had an answer of the gateway since it was started."""
    line = Incoming(paths.incoming).line()
    return bool(line and line.up and line.last_try and datetime.fromisoformat(line.last_try) >= begun)


def _keyed(root: Path) -> dict[str, str]:
    return dict(os.environ) | {MACHINE_KEY_FILE: str(root / "machine.key")}


if __name__ == "__main__":
    main()
