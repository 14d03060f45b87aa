"""A program that dies between any two steps of putting a file on the disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Died(BaseException):
    """Stands for SIGKILL: nothing may catch it and go on."""


@contextmanager
def dying_at(step: int) -> Iterator[list[str]]:
    """Let the first `step` calls that change the disk pass, and die in place of the next; yields the calls made."""
    calls: list[str] = []

    def counted(name: str, real: object) -> object:
        def call(*args: object, **kwargs: object) -> object:
            if len(calls) >= step:
                raise Died(name)
            calls.append(name)
            return real(*args, **kwargs)  # type: ignore[operator]

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "fsync", "write"):
            patch.setattr(os, name, counted(name, getattr(os, name)))
        patch.setattr(Path, "replace", counted("replace", Path.replace))
        patch.setattr(Path, "unlink", counted("unlink", Path.unlink))
        yield calls
