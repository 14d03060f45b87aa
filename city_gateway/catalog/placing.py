"""Putting published files in place so that a power cut leaves either the old file or the new one, never a torn one."""

from __future__ import annotations

import gzip
import os
from pathlib import Path


def place(path: Path, data: bytes) -> None:
    """Write beside the place, fsync, rename, fsync the folder; an identical file is left alone."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def place_with_gzip(path: Path, data: bytes) -> None:
    """Place the file and, where it pays, a `.gz` beside it that the gateway may serve as Content-Encoding: gzip.

    The signature covers the plain bytes; the compressed copy is only a cheaper way to carry them.
    """
    packed = gzip.compress(data, compresslevel=9, mtime=0)
    if len(packed) < len(data):
        place(path.with_name(f"{path.name}.gz"), packed)
    place(path, data)
