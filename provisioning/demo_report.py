"""What the demo's day came to: every *saved* of the screen against what the city made of it.

Laws:
- The history is append-only and written the moment the screen said *saved*, before anything else is done.
- Lost: said to be saved here, and not, or not whole (its scans included), at the city. Duplicated: one receipt number
  under two applications, an operation that took effect twice, or a history that repeats an act that happens once.
- The report is exactly the keys of `Figures`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from provisioning.wording import words

HAPPEN_ONCE = frozenset({"collected", "accepted", "declined", "decided", "concluded"})
HANDED_IN = frozenset({"collected", "supplemented"})


@dataclass(frozen=True, slots=True)
class Saved:
    """What the screen called saved."""

    application_id: str
    receipt_no: str
    scans: tuple[str, ...]


class History:
    """The append-only list of what was called saved."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self.saved: list[Saved] = []

    def note(self, saved: Saved) -> None:
        """Write it down for good."""
        self._file.write(json.dumps(asdict(saved), sort_keys=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.saved.append(saved)

    def add_scans(self, application_id: str, scans: Iterable[str]) -> None:
        """An answer to a return brought more scans."""
        known = next(one for one in self.saved if one.application_id == application_id)
        self.note(Saved(application_id, known.receipt_no, tuple(scans)))

    def close(self) -> None:
        """No more is said today."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Effects:
    """What the city made of it: the lines of its ledger dump, and the scans that lie in its store."""

    applications: Sequence[Mapping[str, Any]]
    scans: frozenset[str]


def lost(saved: Sequence[Saved], effects: Effects) -> list[str]:
    """Receipt numbers that were called saved and are not whole at the city."""
    known = {(one["application_id"], one["receipt_no"]) for one in effects.applications}
    missing = {
        one.receipt_no
        for one in saved
        if (one.application_id, one.receipt_no) not in known or not effects.scans.issuperset(one.scans)
    }
    return sorted(missing)


def duplicated(effects: Effects) -> list[str]:
    """Receipt numbers that took effect more than once."""
    twice = {
        number for number, count in Counter(one["receipt_no"] for one in effects.applications).items() if count > 1
    }
    operations = Counter(
        entry["op_id"] for one in effects.applications for entry in one["entries"] if entry["op_id"] is not None
    )
    for one in effects.applications:
        history = Counter(one["history"])
        repeated = any(count > 1 for event, count in history.items() if event in HAPPEN_ONCE)
        repeated = repeated or history["submitted"] > sum(history[event] for event in HANDED_IN)
        again = any(operations[entry["op_id"]] > 1 for entry in one["entries"] if entry["op_id"] is not None)
        if repeated or again:
            twice.add(one["receipt_no"])
    return sorted(twice)


@dataclass(slots=True)
class Figures:
    """The day in figures; the keys of the report."""

    filed: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    returned: int = 0
    accepted: int = 0
    declined: int = 0
    concluded: int = 0
    scans_sent: int = 0
    payload_bytes: int = 0
    wire_bytes: int = 0
    catalog_version: int = 0
    nodes_updated: int = 0
    seconds: float = 0.0

    def write(self, path: Path) -> None:
        """The report as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, and everything that was filed arrived."""
        return self.lost == 0 and self.duplicated == 0 and self.delivered == self.filed

    def table(self) -> Table:
        """The report as a person reads it."""
        shown = Table(title=words("report.title"), show_header=False)
        shown.add_column()
        shown.add_column(justify="right")
        ratio = self.wire_bytes / self.payload_bytes if self.payload_bytes else 0.0
        rows = (
            (words("report.filed"), self.filed),
            (words("report.delivered"), self.delivered),
            (words("report.lost"), self.lost),
            (words("report.duplicated"), self.duplicated),
            (words("report.returned"), self.returned),
            (words("report.accepted"), self.accepted),
            (words("report.declined"), self.declined),
            (words("report.concluded"), self.concluded),
            (words("report.scans_sent"), self.scans_sent),
            (words("report.payload"), f"{self.payload_bytes:,}"),
            (words("report.wire"), words("report.of_payload", count=f"{self.wire_bytes:,}", ratio=f"{ratio:.3f}")),
            (words("report.catalog_version"), self.catalog_version),
            (words("report.nodes_updated"), self.nodes_updated),
            (words("report.seconds"), f"{self.seconds:.1f}"),
        )
        for name, value in rows:
            shown.add_row(name, str(value))
        return shown
