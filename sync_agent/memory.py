"""What the courier remembers across restarts besides the mailbox: the epochs of the gateway it has believed.

Written when an epoch begins; the last word of the present one is on the receipt that lies in the mailbox.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from offline_store.placing import place
from wire.exchange import Epoch, NodeExchange
from wire.receipt import Receipt

FILE = "exchange.json"


def remembered_epochs(folder: Path) -> tuple[Epoch, ...]:
    """The present one last; empty before the first receipt or when the file is damaged."""
    try:
        epochs = json.loads((folder / FILE).read_text("utf-8"))["epochs"]
        return tuple(
            Epoch(one["name"], datetime.fromisoformat(one["last_word"]), tuple(one.get("left", ()))) for one in epochs
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ()


def remember_epochs(folder: Path, epochs: tuple[Epoch, ...]) -> None:
    """Keep them durably."""
    plain = [
        {"name": epoch.name, "last_word": epoch.last_word.isoformat(), "left": list(epoch.left)} for epoch in epochs
    ]
    place(folder / FILE, json.dumps({"epochs": plain}).encode())


def kept_exchange(folder: Path, receipt: Receipt | None, feed_cursor: int = 0) -> NodeExchange:
    """Where the conversation stands by what lies on the disk: the epochs of `folder` and the last receipt."""
    epochs = remembered_epochs(folder)
    if receipt is None:
        return NodeExchange(epochs=epochs, feed_cursor=feed_cursor)
    epochs = (*(epoch for epoch in epochs if epoch.name != receipt.epoch), Epoch.of(receipt))
    return NodeExchange(hwm=receipt.hwm, stable=receipt.stable_hwm, epochs=epochs, feed_cursor=feed_cursor)
