"""A scan is called by the hash of its sealed bytes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{64}")


def is_name(text: str) -> bool:
    """Whether a scan can be called so."""
    return _NAME.fullmatch(text) is not None


def hash_of(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
