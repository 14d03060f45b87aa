"""What every benchmark prints: medians, tails and ratios, with the day and the class of machine."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

MS = 1000.0
KIB = 1024
MIB = 1024 * KIB
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in milliseconds."""

    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Spread:
        """The spread of measured seconds."""
        ordered = sorted(one * MS for one in seconds)
        return cls(statistics.median(ordered), ordered[math.ceil(len(ordered) * 0.99) - 1], ordered[-1])


@dataclass(slots=True)
class Report:
    """The figures of one run."""

    benchmark: str
    day: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    machine: str = field(default_factory=lambda: machine_class())
    figures: list[Figure] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str) -> None:
        """One number; shown at once."""
        found = Figure(what, round(value, 4), unit)
        self.figures.append(found)
        print(f"{found.what:<72} {found.value:>12,.3f} {found.unit}", flush=True)

    def spread(self, what: str, seconds: Sequence[float]) -> Spread:
        """Median and tail of measured seconds."""
        found = Spread.of(seconds)
        self.add(f"{what}, p50", found.p50, "ms")
        self.add(f"{what}, p99", found.p99, "ms")
        return found

    def write(self, path: Path | None) -> None:
        """The report as JSON, if a file was asked for."""
        if path is not None:
            path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", "utf-8")


def machine_class() -> str:
    """Processor, cores, memory and Python; nothing that names this machine."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1024 * MIB)
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def command_line(about: str | None) -> argparse.ArgumentParser:
    """The arguments that every benchmark takes."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []
