"""What an emergency notice must say before it is published, because every node will act by it.

Laws:
- Where the law is silent an administrator decides, and says so: a notice that shuts windows says what becomes of the
  limits, be it `unknown`.
- A shift names its clocks and units; half a decision is none. A historical notice is a record and may lack what it
  lacked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from casework.catalog import LIMIT_UNITS
from casework.errors import MalformedCatalog
from casework.notices import DEADLINE_POLICY, STATUSES, WINDOW_SUSPENDED, Effect, Measure, Notice
from casework.standstill import CLOCKS
from city_gateway.catalog.errors import Problem


def notice_problems(entries: list[dict[str, Any]]) -> Iterator[Problem]:
    """Everything that stands between these notices and the nodes."""
    known = {entry.get("notice_id") for entry in entries}
    for entry in entries:
        where = f"notices.json {entry.get('notice_id')}"
        if entry.get("status") not in STATUSES:
            yield Problem("catalog.notice_status_unknown", where, str(entry.get("status")))
        try:
            notice = Notice.from_plain(entry)
        except (MalformedCatalog, AttributeError, TypeError) as wrong:
            yield Problem("catalog.does_not_load", where, repr(wrong))
            continue
        for other in sorted((notice.supersedes | notice.superseded_by) - known):
            yield Problem("catalog.reference_unknown", where, other)
        if notice.active:
            yield from _undecided(notice, where)
            for one in notice.measures:
                if one.first is not None and one.last is not None and one.last < one.first:
                    yield Problem("catalog.notice_days", where, one.code)


def _undecided(notice: Notice, where: str) -> Iterator[Problem]:
    policies = notice.measure(DEADLINE_POLICY)
    if notice.measure(WINDOW_SUSPENDED) and not policies:
        yield Problem("catalog.notice_without_policy", where)
    for policy in policies:
        said = policy.params.get("effect")
        if said not in set(Effect):
            yield Problem("catalog.notice_effect_unknown", where, str(said))
        elif said == Effect.SHIFT and not _whole(policy):
            yield Problem("catalog.notice_shift_incomplete", where)


def _whole(policy: Measure) -> bool:
    """Whether clocks and units are named, and by names that a node knows."""
    named: Mapping[str, tuple[str, ...]] = {"clocks": CLOCKS, "units": LIMIT_UNITS}
    return all(
        isinstance(policy.params.get(key), list) and policy.params[key] and set(policy.params[key]) <= set(names)
        for key, names in named.items()
    )
