"""By what a node sees that the published catalog is another one: a few digits of the hash of its newest timestamp.

Law: the mark is a hint that saves a look; what makes a catalog true is inside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

MARK_DIGITS = 16


def catalog_mark(catalog_folder: Path) -> str | None:
    """The mark of what is published now; None before the first release."""
    try:
        timestamp = (catalog_folder / "metadata" / "timestamp.json").read_bytes()
    except OSError:
        return None
    return hashlib.sha256(timestamp).hexdigest()[:MARK_DIGITS]
