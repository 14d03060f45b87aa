"""Kill (or fail) a flow at its 1st, 2nd, 3rd ... disk-changing system call, up to the last one.

Laws
- Each round has a fresh copy of the prepared folder, and a folder of notes that is not struck. The flow notes what a
  person was told *after* it was told, in an append-only file; the check says what of that is no longer true.
- The flow runs in a forked child that has opened everything; strace is attached before it begins, so that only the
  calls of the flow itself are counted. A round that is not struck says which calls there are; each is struck once.
- strace counts for each system call by itself, and per thread: "the second fsync", not "the fifth call". A flow with
  several threads is struck at the N-th of a kind in whichever comes first.
- Killing a process loses no page cache: a missing fsync is found by the power cut, not here.
- No proof without a failing control: a flow that notes before it saves must be found out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHANGING = (
    "write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,copy_file_range,sendfile"
)
ATTACH_S = 30.0
FLOW_S = 60.0
ROUNDS_MOST = 2000
BEGUN = re.compile(r"(\d+) +(\w+)\(")  # a call that another thread cut short goes on as "<... name resumed>"

Blow = tuple[str, int]
"""The name of a call, and the how manieth of its kind is struck."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What people were told: one file, appended to, on a disk that does not fail."""

    path: Path

    def tell(self, **said: object) -> None:
        """Note it; the bytes leave this process before the call returns."""
        line = (json.dumps(said, ensure_ascii=False) + "\n").encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def read(self) -> list[dict[str, Any]]:
        """Everything that was told; a line that was cut was told to nobody."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text("utf-8").split("\n")[:-1]]


Act = Callable[[Notes], None]


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow of a program: what lies on the disk before it, what it does, and how what is left is judged.

    `open` runs unstruck and returns the act; `check` says in words what was broken, nothing when all is well. `error`
    tells the check that the blow was an error that the flow may have reported, not a kill.
    """

    name: str
    prepare: Callable[[Path], None]
    open: Callable[[Path], Act]
    check: Callable[[Path, Notes], list[str]]


@dataclass(slots=True)
class Outcome:
    """What a whole enumeration came to: the calls struck, and what was broken at which."""

    struck: int = 0
    broken: list[str] = field(default_factory=list)
    exhausted: bool = False


def strike_all(
    flow: Flow, scratch: Path, *, first: int = 1, step: int = 1, error: str | None = None, calls: str = CHANGING
) -> Outcome:
    """Strike at the calls `first`, `first + step`, ...; with a step of 1 it is exhaustive."""
    template, outcome = scratch / "template", Outcome()
    template.mkdir(parents=True)
    flow.prepare(template)

    def life(blow: Blow | None) -> str | None:
        disk, notes = scratch / "disk", Notes(scratch / "notes.jsonl")
        shutil.rmtree(disk, ignore_errors=True)
        shutil.copytree(template, disk, symlinks=True)
        notes.path.unlink(missing_ok=True)
        struck = _round(flow, disk, notes, blow, error, calls)
        problems = in_a_child(lambda: flow.check(disk, notes))
        outcome.broken.extend(f"{blow or 'unstruck'} ({struck}): {problem}" for problem in problems)
        return struck

    life(None)
    blows = _calls_of(scratch / "trace")
    if len(blows) > ROUNDS_MOST:
        return outcome
    for blow in blows[first - 1 :: step]:
        outcome.struck += life(blow) is not None
    outcome.exhausted = True
    return outcome


def _calls_of(trace: Path) -> list[Blow]:
    """Which calls a life made: each by its name and how manieth of its kind it was in its thread."""
    counted: Counter[tuple[str, str]] = Counter()
    blows: dict[Blow, None] = {}
    for line in trace.read_text(errors="replace").splitlines():
        begun = BEGUN.match(line)
        if begun is not None:
            counted[begun[1], begun[2]] += 1
            blows[begun[2], counted[begun[1], begun[2]]] = None
    return list(blows)


def _round(flow: Flow, disk: Path, notes: Notes, blow: Blow | None, error: str | None, calls: str) -> str | None:
    """One life of the flow; the call that was struck, or None when it survived."""
    trace = disk.parent / "trace"
    trace.unlink(missing_ok=True)
    opened, opening = os.pipe()
    go, going = os.pipe()
    child = os.fork()
    if child == 0:
        _live(flow, disk, notes, opening, go)
    os.close(opening)
    os.close(go)
    try:
        if os.read(opened, 1) != b"1":
            raise RuntimeError(f"{flow.name} could not even open its folder")
        how = f"error={error}" if error else "signal=KILL"
        inject = [] if blow is None else ["-e", f"inject={blow[0]}:{how}:when={blow[1]}"]
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", trace, "-e", f"trace={calls}", *inject, "-p", str(child)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _await_tracer(child, strace)
        os.write(going, b"1")
        _await_end(child)
        strace.communicate(timeout=ATTACH_S)
    finally:
        os.close(opened)
        os.close(going)
    return None if blow is None else _struck(trace, error)


def _live(flow: Flow, disk: Path, notes: Notes, opening: int, go: int) -> None:
    """The child: open everything, say so, wait until the blow is ready, then do it. Never returns."""
    status = 1
    try:
        act = flow.open(disk)
        os.write(opening, b"1")
        os.read(go, 1)
        act(notes)
        status = 0
    except BaseException:  # noqa: BLE001 - a struck flow may end in any way; it is judged by what is left
        if os.environ.get("STRIKE_SHOWS_ERRORS"):
            traceback.print_exc()
    finally:
        os._exit(status)


def _await_tracer(child: int, strace: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + ATTACH_S
    while time.monotonic() < until:
        status = Path(f"/proc/{child}/status").read_text("ascii")
        if "TracerPid:\t0\n" not in status:
            return
        if strace.poll() is not None:
            raise RuntimeError((strace.stderr.read() if strace.stderr else b"").decode(errors="replace"))
        time.sleep(0.002)
    raise TimeoutError("strace did not attach")


def _await_end(child: int) -> None:
    until = time.monotonic() + FLOW_S
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG)[0] == child:
            return
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError("the flow did not end")


def _struck(trace: Path, error: str | None) -> str | None:
    lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    if error:
        return next((line for line in lines if "(INJECTED)" in line), None)
    if not any("killed by SIGKILL" in line for line in lines):
        return None
    return next((line[:120] for line in reversed(lines) if "+++" not in line), "before any call")


def in_a_child(judge: Callable[[], list[str]]) -> list[str]:
    """Judge in a child of its own, so that no open desk is inherited by the next round."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            said = judge()
        except BaseException:  # noqa: BLE001 - told to the parent as what is wrong
            said = [traceback.format_exc(limit=-3)]
        with os.fdopen(write, "w", encoding="utf-8") as out:
            json.dump(said, out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    problems: list[str] = json.loads(text)
    return problems
