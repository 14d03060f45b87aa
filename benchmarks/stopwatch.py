"""Where the time of an act goes: seconds spent inside named functions while an act runs."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar
from unittest import mock

from sqlalchemy.engine.default import DefaultDialect

from edge_node.acts import journaling, readiness

P = ParamSpec("P")
R = TypeVar("R")

SEAL = "seal and sign the envelope"
JUDGE = "read the guide and judge the draft"
STATEMENTS = "statements in SQLCipher"
COMMIT = "commit (encrypt the pages, write, fsync)"


class Stopwatch:
    """Adds up; parts may lie inside one another and are then counted in both."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def timed(self, part: str, work: Callable[P, R]) -> Callable[P, R]:
        """The same function, its time added to a part."""

        @functools.wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            begun = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self.seconds[part] += time.perf_counter() - begun

        return run

    def lap(self) -> dict[str, float]:
        """What was added up since the last lap."""
        found, self.seconds = dict(self.seconds), defaultdict(float)
        return found


@contextmanager
def watched() -> Iterator[Stopwatch]:
    """Watch the parts of a durable save."""
    watch = Stopwatch()
    parts: list[tuple[Any, str, str]] = [
        (journaling, "seal", SEAL),
        (readiness, "summary_of", JUDGE),
        (readiness, "papers_of", JUDGE),
        (DefaultDialect, "do_execute", STATEMENTS),
        (DefaultDialect, "do_execute_no_params", STATEMENTS),
        (DefaultDialect, "do_executemany", STATEMENTS),
        (DefaultDialect, "do_commit", COMMIT),
    ]
    patches = [mock.patch.object(owner, name, watch.timed(part, getattr(owner, name))) for owner, name, part in parts]
    for patch in patches:
        patch.start()
    try:
        yield watch
    finally:
        for patch in patches:
            patch.stop()
