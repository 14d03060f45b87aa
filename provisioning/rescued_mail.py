"""The mail of a dead machine's disk as bundles, written by the courier itself from the copy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from offline_store.paths import NodePaths
from provisioning.errors import CourierRefused
from wire.canonical import read_json, unb64
from wire.errors import WireError
from wire.stick import FOLDER, INVENTORY

MOST_BUNDLES: Final = 50


def write(copy: NodePaths, to: Path) -> int:
    """Write bundles into `to` until nothing is left; says how many there are."""
    for number in range(1, MOST_BUNDLES + 1):
        again = [] if number > 1 else ["--again"]  # whatever an earlier stick took along may never have arrived
        command = [sys.executable, "-m", "sync_agent", "courier", "out", "--root", str(copy.root), "--to", str(to)]
        done = subprocess.run([*command, *again], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise CourierRefused(said=done.stderr.decode(errors="replace").strip()[-300:])
        if not _is_left(to, number):
            return number
    raise CourierRefused(said="")


def _is_left(to: Path, number: int) -> bool:
    """Whether the newest bundle says that something did not fit into it."""
    found = sorted((to / FOLDER).glob(f"U*/{INVENTORY}"), key=lambda path: path.stat().st_mtime_ns)
    if len(found) < number:
        raise CourierRefused(said="")
    try:
        left = read_json(unb64(read_json(found[-1].read_bytes())["payload"]))["left"]
        return bool(left["ops"] or left["scans"])
    except (WireError, KeyError, TypeError, ValueError) as broken:
        raise CourierRefused(said="") from broken
