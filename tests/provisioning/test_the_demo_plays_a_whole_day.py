"""The promise of the front door: a day with a kill in the middle, nothing lost, nothing twice, nothing left running."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.demo_world import PROJECT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def test_a_day_is_played_to_its_end_and_leaves_nothing_running(tmp_path: Path) -> None:
    report, world = tmp_path / "report.json", tmp_path / "world"
    played = subprocess.run(
        [sys.executable, "-m", "provisioning", "demo", "--once", "--report", str(report), "--folder", str(world)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    figures = json.loads(report.read_text())
    assert {name: figures[name] for name in ("filed", "delivered", "lost", "duplicated")} == {
        "filed": 20,
        "delivered": 20,
        "lost": 0,
        "duplicated": 0,
    }
    assert (figures["returned"], figures["accepted"], figures["declined"], figures["concluded"]) == (3, 15, 2, 15)
    assert figures["scans_sent"] >= 40
    assert (figures["catalog_version"], figures["nodes_updated"]) == (2, 2)
    assert figures["payload_bytes"] < figures["wire_bytes"]
    saved = [json.loads(line) for line in (world / "history.jsonl").read_text().splitlines()]
    assert len({one["application_id"] for one in saved}) == 20
    assert not _running(world)


def _running(world: Path) -> list[str]:
    """Processes that still name the world's folder in their arguments."""
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = cmdline.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(world) in word for word in words):
            found.append(" ".join(words))
    return found
