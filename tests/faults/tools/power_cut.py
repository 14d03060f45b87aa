"""Cut the power under a working flow, then ask its check what is left on the disk.

Each trial works on a fresh loop-mounted file system and shuts that file system down by ioctl at a random moment: what
was not yet forced to the disk is gone, and the journal in memory with it. The disk is mounted again, which replays its
journal, and the check looks at it.

Laws
- The notes lie on an ordinary disk. What was noted after the cut began is taken away: a call under way may still
  report success to a program that, in a real power cut, no longer lives.
- Mounts are made in a private mount namespace (`unshare --mount`), so they vanish with the process, and no other
  program can keep a dead disk alive. Needs root.
- It models an honest disk: a flush that was confirmed has happened.
- No proof without a failing control: the same flow with a protection taken away must lose.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.tools.every_call import Flow, Notes, in_a_child

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, (2).to_bytes(4, sys.byteorder)  # ext4 and XFS alike
IMAGE_MIB = {"ext4": 64, "xfs": 320}  # the least that XFS accepts
BUSY_S = 10.0


@dataclass(slots=True)
class Cuts:
    """What a series of cuts came to."""

    trials: int = 0
    told: int = 0
    broken: list[str] = field(default_factory=list)


def cut_again_and_again(
    flow: Flow, scratch: Path, *, trials: int, filesystem: str, between_s: tuple[float, float], seed: int
) -> Cuts:
    """So many lives and deaths of a disk."""
    rng, cuts = random.Random(seed), Cuts()
    template = scratch / "template"
    template.mkdir(parents=True)
    flow.prepare(template)
    for number in range(trials):
        notes = Notes(scratch / f"notes.{number}")
        image, disk = scratch / "power.img", scratch / "power.disk"
        disk.mkdir(exist_ok=True)
        _make(image, filesystem)
        with mounted(image, disk):
            shutil.copytree(template, disk / "node", symlinks=True)
            os.sync()  # what was prepared is old, therefore durable
            _life(flow, disk, notes, rng.uniform(*between_s))
        with mounted(image, disk):
            problems = in_a_child(lambda notes=notes, disk=disk: flow.check(disk / "node", notes))
        cuts.trials += 1
        cuts.told += len(notes.read())
        cuts.broken += [f"cut {number}: {problem}" for problem in problems]
    return cuts


def _life(flow: Flow, disk: Path, notes: Notes, delay: float) -> None:
    opened, opening = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        try:
            act = flow.open(disk / "node")
            os.write(opening, b"1")
            act(notes)
        finally:
            os._exit(0)
    os.close(opening)
    try:
        if os.read(opened, 1) != b"1":
            raise RuntimeError(f"{flow.name} could not even open its folder")
        time.sleep(delay)
        length = notes.path.stat().st_size if notes.path.exists() else 0
        _shut_down(disk)
    finally:
        os.close(opened)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if notes.path.exists():
        os.truncate(notes.path, length)


def _shut_down(disk: Path) -> None:
    handle = os.open(disk, os.O_RDONLY)
    fcntl.ioctl(handle, SHUTDOWN, NO_LOG_FLUSH)
    os.close(handle)


def _make(image: Path, filesystem: str) -> None:
    image.write_bytes(b"")
    os.truncate(image, IMAGE_MIB[filesystem] << 20)
    subprocess.run([f"mkfs.{filesystem}", "-q", image], check=True)


@contextmanager
def mounted(image: Path, disk: Path) -> Iterator[None]:
    """The image under a folder, for so long."""
    subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    list(disk.iterdir())  # fails where the dead file system was handed back to us
    try:
        yield
    finally:
        until = time.monotonic() + BUSY_S
        while subprocess.run(["umount", disk], capture_output=True).returncode:
            if time.monotonic() > until:
                raise OSError(f"{disk} stays busy")
            time.sleep(0.05)
