"""What waits, line by line, for `status`: why, who must act, what comes next and when.

Law: an operation is named by its number and its age alone; this program knows nothing else of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from casework.working_days import CITY_TIME
from offline_store.mailbox.waiting import Look, Waiting
from sync_agent.wording import words
from wire.waiting import Explanation, Reason

MOST = 40
WITH_CODE = {Reason.CITY_REFUSES_NODE, Reason.OTHER_ALARM, Reason.STRANGER_ANSWERS, Reason.LINE_DOWN, Reason.CITY_BUSY}
DAY, HOUR = 24 * 60, 60


def explained(found: Look, now: datetime) -> Iterator[str]:
    """The conditions, then every item; more than a screenful is counted."""
    yield words("status.how")
    for one in found.conditions:
        yield explanation(one, now)
    if not found.items:
        yield words("status.nothing_waits")
        return
    yield words("status.waits")
    for item in found.items[:MOST]:
        yield _item(item)
        yield explanation(item.why, now)
    if len(found.items) > MOST:
        yield words("status.more", count=len(found.items) - MOST)


def explanation(one: Explanation, now: datetime) -> str:
    """One explanation on a line."""
    why = words(f"why.{one.reason}")
    if one.code and one.reason in WITH_CODE:
        why = words("status.code", why=why, code=one.code)
    then = words(f"then.{one.then}")
    if one.when is not None and one.when > now:
        then = words("status.at", then=then, at=f"{one.when.astimezone(CITY_TIME):%m-%d %H:%M}")
    line = words("status.explained", why=why, who=words(f"who.{one.who}"), then=then)
    return line + words("status.by_stick") if one.stick else line


def age_words(age: timedelta | None) -> str:
    """How long something waits, in its largest unit.

    >>> age_words(None) == words("age.unknown")
    True
    """
    if age is None:
        return words("age.unknown")
    minutes = int(age.total_seconds()) // 60
    if minutes >= DAY:
        return words("age.days", count=minutes // DAY)
    return words("age.hours", count=minutes // HOUR) if minutes >= HOUR else words("age.minutes", count=minutes)


def _item(item: Waiting) -> str:
    if item.seq is None:
        return words("status.scan", scan=item.scan_hash[:12], size=item.size)
    return words("status.operation", seq=item.seq, size=item.size, age=age_words(item.age))
