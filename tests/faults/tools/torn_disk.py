"""Lose, reorder and tear the writes that a disk had not yet been told to keep: one life, many deaths.

The flow works on an ext4 whose disk is `recording_disk.py`. Then images are built, each as if the power had failed at
a random moment of the record: all writes before the last flush are there; later ones are shuffled, some are dropped
and some torn at a 512-byte sector. Each image is mounted and judged by the flow's own check.

Laws: an image is held against the notes as long as they were at its death; an image that cannot be mounted is a loss;
mounts are made in a private mount namespace. Needs root. A control that does not flush must lose.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.tools.every_call import Flow, Notes, in_a_child
from tests.faults.tools.power_cut import mounted
from tests.faults.tools.recording_disk import Heard, read_record

ROOT = Path(__file__).parents[3]
SECTOR = 512  # bytes a disk writes whole or not at all
DROPPED, TORN = 0.5, 0.2
IMAGE_MIB = 64
PATIENCE_S = 15.0


@dataclass(slots=True)
class Deaths:
    """What the deaths of one life came to."""

    requests: int = 0
    deaths: int = 0
    told: int = 0
    broken: list[str] = field(default_factory=list)


def die_again_and_again(flow: Flow, scratch: Path, *, deaths: int, seconds: float, seed: int) -> Deaths:
    """One life of `seconds`, so many deaths built from it."""
    rng, outcome = random.Random(seed), Deaths()
    template, base = scratch / "template", scratch / "base"
    template.mkdir(parents=True)
    (scratch / "disk").mkdir()
    flow.prepare(template)
    base.write_bytes(b"")
    os.truncate(base, IMAGE_MIB << 20)
    subprocess.run(["mkfs.ext4", "-q", base], check=True)
    with mounted(base, scratch / "disk"):
        shutil.copytree(template, scratch / "disk" / "node", symlinks=True)
    notes = Notes(scratch / "notes")
    heard = _life(flow, scratch, notes, seconds)
    outcome.requests, outcome.told = len(heard), len(notes.read())
    then = Notes(scratch / "notes.then")
    for number in range(deaths):
        _build(scratch, heard, notes, then, rng)
        outcome.deaths += 1
        outcome.broken += [f"death {number}: {problem}" for problem in _judged(flow, scratch, then)]
    return outcome


def _life(flow: Flow, scratch: Path, notes: Notes, seconds: float) -> list[Heard]:
    live, record, fuse = scratch / "live", scratch / "record", scratch / "fuse"
    shutil.copy(scratch / "base", live)
    fuse.mkdir()
    words = [sys.executable, "-m", "tests.faults.tools.recording_disk", live, record, notes.path, fuse]
    recorder = subprocess.Popen(words, cwd=ROOT)
    try:
        _until((fuse / "disk").exists)
        with mounted(fuse / "disk", scratch / "disk"):
            child = os.fork()
            if child == 0:
                try:
                    flow.open(scratch / "disk" / "node")(notes)
                finally:
                    os._exit(1)
            time.sleep(seconds)
            length = record.stat().st_size  # what follows is a tidy end, not the story
            os.kill(child, signal.SIGKILL)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) > 0:
                raise RuntimeError(f"{flow.name} failed by itself")
        return list(read_record(record, length))
    finally:
        subprocess.run(["umount", fuse], check=False)
        recorder.terminate()
        recorder.wait()


def _build(scratch: Path, heard: list[Heard], notes: Notes, then: Notes, rng: random.Random) -> None:
    """One image as a power failure could have left it, and the notes of that moment."""
    death = rng.randrange(len(heard))
    flushed = max((at for at in range(death) if heard[at].data is None), default=0)
    kept = [(one.offset, one.data) for one in heard[:flushed] if one.data is not None]
    late = [(one.offset, one.data) for one in heard[flushed:death] if one.data is not None]
    for offset, data in rng.sample(late, len(late)):
        if rng.random() >= DROPPED:
            torn = rng.random() < TORN
            end = rng.randrange(len(data) // SECTOR + 1) * SECTOR if torn else len(data)
            kept.append((offset, data[:end]))
    shutil.copy(scratch / "base", scratch / "dead")
    with (scratch / "dead").open("r+b") as image:
        for offset, data in kept:
            image.seek(offset)
            image.write(data)
    told = notes.path.read_bytes()[: heard[death].notes_length] if notes.path.exists() else b""
    then.path.write_bytes(told)


def _judged(flow: Flow, scratch: Path, then: Notes) -> list[str]:
    try:
        with mounted(scratch / "dead", scratch / "disk"):
            return in_a_child(lambda: flow.check(scratch / "disk" / "node", then))
    except (OSError, subprocess.CalledProcessError) as broken:
        return [f"the image cannot be mounted: {broken}"]


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > until:
            raise TimeoutError("the recording disk did not appear")
        time.sleep(0.05)
