"""What the screen asks of the courier, and how far it has come: one file each way.

Laws: edge_node alone writes the order (in `outgoing`), sync_agent alone writes the progress (in `incoming`); the newest
order replaces the one before, and a progress belongs to the order whose id it repeats. A medium is the name of one
folder below the media root, which each program knows from its own settings: no path is handed over.
"""

import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from offline_store.placing import place

ORDER: Final = "courier.order.json"
PROGRESS: Final = "courier.progress.json"
OUT, IN = "out", "in"
WORKING, DONE, FAILED = "working", "done", "failed"
_MEDIUM = re.compile(r"[^/\x00-\x1f]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Write this node's mail onto a stick (`out`), or take in what lies on it (`in`). `asked_at` is ISO 8601."""

    order_id: str
    way: str
    medium: str
    again: bool = False
    asked_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the courier has come with an order; `code` and `params` say what came of it."""

    order_id: str
    phase: str
    files: int = 0
    files_all: int = 0
    bytes: int = 0
    bytes_all: int = 0
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def is_medium(name: str) -> bool:
    """Whether this can be the name of a folder, and of nothing above or below it."""
    return bool(_MEDIUM.fullmatch(name)) and not name.startswith(".")


def put_order(outgoing: Path, order: Order) -> None:
    place(outgoing / ORDER, json.dumps(asdict(order), sort_keys=True).encode())


def order(outgoing: Path) -> Order | None:
    """The newest order; None when there is none that can be read."""
    plain = _plain(outgoing / ORDER, Order)
    try:
        return Order(**plain) if plain else None
    except TypeError:
        return None


def put_progress(incoming: Path, progress: Progress) -> None:
    place(incoming / PROGRESS, json.dumps(asdict(progress), sort_keys=True).encode())


def progress(incoming: Path) -> Progress | None:
    """The last progress; None when there is none that can be read."""
    plain = _plain(incoming / PROGRESS, Progress)
    try:
        return Progress(**plain) if plain else None
    except TypeError:
        return None


def _plain(path: Path, kind: type[Order] | type[Progress]) -> dict[str, Any] | None:
    try:
        plain = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    known = {one.name for one in fields(kind)}
    return {name: value for name, value in plain.items() if name in known} if isinstance(plain, dict) else None
