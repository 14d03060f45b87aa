"""A piece of work in a process of its own that dies at the N-th call that changes the disk.

The child is forked, not started: a machine that is busy would spend its time on imports. It ends by `os._exit`, so
that nothing is tidied up, as after SIGKILL.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

KILLED, LIVED, FAILED = 37, 0, 1
CHANGING = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.link")


class Reaper:
    """Counts what changes the disk, through the interpreter's own audit events, and ends the process at one of them."""

    def __init__(self, at_call: int) -> None:
        self.at_call, self.calls = at_call, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGING or writes:
            self.calls += 1
            if self.calls == self.at_call:
                os._exit(KILLED)


def dies_at(work: Callable[[], object], at_call: int) -> tuple[int, int]:
    """How the child ended, and (if it lived) how many calls there were."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = FAILED
        try:
            reaper = Reaper(at_call)
            sys.addaudithook(reaper)
            work()
            os.write(writing, str(reaper.calls).encode())
            status = LIVED
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        told = said.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(told or b"0")
