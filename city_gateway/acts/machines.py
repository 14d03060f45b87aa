"""Two machines that speak under one identity in turn: noticed before anything conflicts, told, never judged.

Laws: a node reports a mark of its machine; one change is a disk that moved; the same mark again after another one,
within a day, is two machines alive. That is shown to the administrator. Nothing is stopped by it: a mark proves
nothing, and the first conflicting push will.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from wire.canonical import canonical_json
from wire.messages import NodeReport

SEEN: Final = "machines"
KEPT: Final = 3
ALIVE_WITHIN: Final = timedelta(days=1)


def report_with(before: str | None, report: NodeReport, now: datetime) -> str:
    """What is kept of a report: as it was said, and the last machines by which it was said, each since when."""
    seen = _seen(before)
    if report.machine and (not seen or seen[-1][0] != report.machine):
        seen = [*seen, (report.machine, now.isoformat())][-KEPT:]
    return canonical_json(report.model_dump(mode="json") | {SEEN: [list(one) for one in seen]}).decode()


def two_in_turn(kept: str | None, now: datetime) -> bool:
    """Whether a machine spoke again after another one had, a short time ago."""
    seen = _seen(kept)
    if len(seen) < KEPT or seen[0][0] != seen[2][0]:
        return False
    return now - datetime.fromisoformat(seen[1][1]) < ALIVE_WITHIN


def _seen(kept: str | None) -> Sequence[tuple[str, str]]:
    plain: dict[str, Any] = json.loads(kept) if kept else {}
    return [(str(mark), str(since)) for mark, since in plain.get(SEEN, ())]
