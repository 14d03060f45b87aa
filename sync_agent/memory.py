"""What the courier remembers across restarts besides the mailbox: the epochs of the gateway it has believed."""

from __future__ import annotations

import json
from pathlib import Path

from offline_store.placing import place

FILE = "exchange.json"


def remembered_epochs(folder: Path) -> tuple[str, ...]:
    """Oldest first; empty before the first receipt or when the file is damaged: they serve audit, not correctness."""
    try:
        epochs = json.loads((folder / FILE).read_text("utf-8"))["epochs"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ()
    return tuple(str(epoch) for epoch in epochs)


def remember_epochs(folder: Path, epochs: tuple[str, ...]) -> None:
    """Keep them durably."""
    place(folder / FILE, json.dumps({"epochs": list(epochs)}).encode())
