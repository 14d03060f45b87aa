"""Durable save: how long until an application is sealed, signed, chained, encrypted and flushed to the disk.

Beside each save, in the same run and on the same disk: a bare SQLite commit (WAL, synchronous=FULL) of the same bytes,
and an fsync of one page. The act is `collect` on the encrypted desk of a real node; laying the sealed envelope into the
mailbox comes after it and is measured apart. The same again in memory leaves only the work.

A slow disk: strace holds every fsync and fdatasync of this process so many milliseconds longer, for the save and for
the bare commit alike, and stops at no other call.

    python -m benchmarks.save [--sizes 100 20000] [--saves 400] [--slow-disk MS] [--json FILE]
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn, ParamSpec

from benchmarks.applications import fill, ready_draft
from benchmarks.figures import MS, Report, command_line
from benchmarks.stopwatch import COMMIT, JUDGE, SEAL, STATEMENTS, Stopwatch, watched
from benchmarks.village import Village, found_village, open_village
from casework.record import application_to_plain
from edge_node.acts import mail_out
from edge_node.acts.collecting import collect
from offline_store.desk import applications, journal
from wire.canonical import canonical_json

P = ParamSpec("P")
WARM_UP: Final = 20
PAGE: Final = bytes(4096)
MEMORY_DISK: Final = Path("/dev/shm")
SLOWED: Final = "BENCHMARK_FLUSHES_ARE_SLOWED"
REST: Final = "everything else (Python, ORM)"


@dataclass(slots=True)
class Disk:
    """What the disk and a bare database cost here."""

    folder: Path
    probe: int = field(init=False)
    bare: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.probe = os.open(self.folder / "probe", os.O_WRONLY | os.O_CREAT)
        self.bare = sqlite3.connect(self.folder / "bare.db", isolation_level=None)
        self.bare.execute("PRAGMA journal_mode = WAL")
        self.bare.execute("PRAGMA synchronous = FULL")
        self.bare.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, bytes BLOB)")

    def flush_one_page(self) -> None:
        """Append a page and wait for the disk."""
        os.write(self.probe, PAGE)
        os.fsync(self.probe)

    def commit(self, data: bytes) -> None:
        """One row in one transaction."""
        self.bare.execute("BEGIN IMMEDIATE")
        self.bare.execute("INSERT INTO kept (bytes) VALUES (?)", (data,))
        self.bare.execute("COMMIT")

    def close(self) -> None:
        """Close file and database."""
        os.close(self.probe)
        self.bare.close()


@dataclass(slots=True)
class Measured:
    """Seconds of every save on one desk, and of what was done beside it."""

    save: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    post: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    flush: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    payload: list[int] = field(default_factory=list)


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 20_000], help="applications on the node")
    parser.add_argument("--saves", type=int, default=400, help="measured saves on each node")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure; default: the temporary folder")
    parser.add_argument("--slow-disk", type=int, metavar="MS", help="every flush takes so much longer; needs strace")
    asked = parser.parse_args()
    if asked.slow_disk and SLOWED not in os.environ:
        _again_on_a_slow_disk(asked.slow_disk)
    report = Report("save" if not asked.slow_disk else f"save, every flush {asked.slow_disk} ms longer")
    with tempfile.TemporaryDirectory(prefix="guangan-save-", dir=asked.folder) as folder:
        by_size = measure(Path(folder), asked.sizes, asked.saves)
    with tempfile.TemporaryDirectory(prefix="guangan-save-", dir=MEMORY_DISK) as folder:
        work = measure(Path(folder), asked.sizes[:1], asked.saves)[asked.sizes[0]]
    for size, found in by_size.items():
        told(report, f"{size:,} applications", found)
    few, many = by_size[min(by_size)], by_size[max(by_size)]
    sizes = f"{max(by_size):,} against {min(by_size):,} applications"
    report.add(f"save with {sizes}", statistics.median(many.save) / statistics.median(few.save), "times")
    report.add(f"its processor time with {sizes}", statistics.median(many.work) / statistics.median(few.work), "times")
    told(report, f"{asked.sizes[0]:,} applications, no disk", work)
    breakdown(report, "no disk", work)
    breakdown(report, "disk", by_size[asked.sizes[0]])
    report.write(asked.json)


def _again_on_a_slow_disk(milliseconds: int) -> NoReturn:
    """Become this program under strace; with its filter in the kernel only the flushes are stopped."""
    held = f"inject=fsync,fdatasync:delay_exit={milliseconds * 1000}"
    strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync", "-e", held)
    os.environ[SLOWED] = "1"
    os.execvp(strace[0], [*strace, sys.executable, "-m", "benchmarks.save", *sys.argv[1:]])


def measure(folder: Path, sizes: list[int], saves: int) -> dict[int, Measured]:
    """Save on a node of each size in turn, each time beside a bare commit of the same bytes."""
    rng = random.Random(20261123)
    nodes = {size: _node(folder / str(size), size, rng) for size in sizes}
    disk = Disk(folder)
    found = {size: Measured() for size in sizes}
    for number in range(WARM_UP + saves):
        for size, village in nodes.items():
            kept = found[size] if number >= WARM_UP else Measured()
            draft_id = ready_draft(village, rng)
            with watched() as watch:
                before = time.process_time()
                kept.save.append(_seconds(collect, village.counter, village.agent, draft_id))
                kept.work.append(time.process_time() - before)
                kept.parts.append(_parts(watch, kept.save[-1]))
            data = _bytes_of(village, draft_id)
            kept.payload.append(len(data))
            kept.bare.append(_seconds(disk.commit, data))
            kept.post.append(_seconds(mail_out.post_due, village.counter))
            kept.flush.append(_seconds(disk.flush_one_page))
    disk.close()
    for village in nodes.values():
        village.close()
    return found


def told(report: Report, where: str, found: Measured) -> None:
    """The figures of one desk."""
    save = report.spread(f"{where}: durable save", found.save)
    report.spread(f"{where}: processor time of a save", found.work)
    bare = report.spread(f"{where}: bare SQLite commit of the same bytes", found.bare)
    report.add(f"{where}: save against bare commit, p50", save.p50 / bare.p50, "times")
    report.add(f"{where}: save against bare commit, p99", save.p99 / bare.p99, "times")
    report.spread(f"{where}: laying it into the mailbox", found.post)
    report.spread(f"{where}: fsync of one page", found.flush)
    report.add(f"{where}: bytes kept for one save", statistics.median(found.payload), "bytes")


def breakdown(report: Report, where: str, found: Measured) -> None:
    """Where the median save goes; judging and sealing include no statement of another part but their own."""
    for part in (SEAL, JUDGE, STATEMENTS, COMMIT, REST):
        report.add(f"{where}: of which {part}", statistics.median(one[part] for one in found.parts) * MS, "ms")


def _node(root: Path, size: int, rng: random.Random) -> Village:
    village = open_village(found_village(root))
    fill(village, size, rng)
    return village


def _parts(watch: Stopwatch, whole: float) -> dict[str, float]:
    lap = watch.lap()
    parts = {part: lap.get(part, 0.0) for part in (SEAL, JUDGE, STATEMENTS, COMMIT)}
    return parts | {REST: whole - sum(parts.values())}


def _bytes_of(village: Village, application_id: str) -> bytes:
    """What a save has to keep: the sealed envelope, what was sealed in it, and the application as it is shown."""
    with village.counter.desk.reading() as tx:
        link = journal.of_application(tx, application_id)[-1]
        shown = applications.load(tx, application_id).shown
    return link.envelope + link.body + canonical_json(application_to_plain(shown))


def _seconds(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> float:
    begun = time.perf_counter()
    work(*args, **kwargs)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
