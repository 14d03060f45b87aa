"""Runs a fault tool in a process of its own and brings back the outcome that it prints as JSON on its last line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_S = 5000


def outcome_of(tool: str, *words: object, mounts: bool = False) -> dict[str, Any]:
    """What `python -m tests.faults.TOOL WORDS` came to; `mounts` gives it a mount namespace of its own."""
    line = [sys.executable, "-m", f"tests.faults.{tool}", *map(str, words)]
    if mounts:
        assert os.geteuid() == 0, "mounting needs root: run the tests as root"
        line = ["unshare", "--mount", *line]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return outcome
