"""What the courier gave to carriers: the number of the last bundle, and how far each scan was handed over.

Laws: handed over is not delivered; only the city's signed word about what it holds says how far a scan came, and what
it says replaces what is noted here. A note that is lost or doubted costs bytes that are carried again, never a scan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from offline_store.placing import place

FILE = "carried.json"


@dataclass(frozen=True, slots=True)
class Carried:
    """Bytes handed over by scan, from the beginning; `since` is when the first of them was, by the machine's clock."""

    number: int = 0
    scans: Mapping[str, int] = field(default_factory=dict)
    since: str | None = None

    def offset(self, scan_hash: str) -> int:
        """From where this scan goes on."""
        return self.scans.get(scan_hash, 0)

    def handed_over(self, scan_hash: str, end: int, at: str) -> Carried:
        """A further piece was given to a carrier."""
        return replace(self, scans={**self.scans, scan_hash: end}, since=self.since or at)

    def held_by_city(self, answers: int, held: Mapping[str, int]) -> Carried:
        """The city said with its signature up to which bundle it answers and what it holds in part; no bundle gets a
        number again that the city has answered, even when this note was lost in between."""
        return Carried(max(self.number, answers), dict(held))

    def only(self, waiting: set[str]) -> Carried:
        """Forget scans that do not wait any more."""
        return replace(self, scans={name: end for name, end in self.scans.items() if name in waiting})


def remembered(folder: Path, node_id: str) -> Carried:
    """What is noted under this identity; nothing when the note is missing or damaged."""
    try:
        plain = json.loads((folder / FILE).read_text("utf-8"))
        if plain["node"] != node_id:
            return Carried()
        scans = {str(scan): int(end) for scan, end in plain["scans"].items()}
        return Carried(int(plain["number"]), scans, plain.get("since"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Carried()


def remember(folder: Path, node_id: str, carried: Carried) -> None:
    """Note it durably."""
    plain = {"node": node_id, "number": carried.number, "scans": dict(carried.scans), "since": carried.since}
    place(folder / FILE, json.dumps(plain, sort_keys=True).encode())
