"""What can happen to an application: frozen events in the past tense, each with a stable `code`.

- `at` is an aware moment, handed in by whoever acts; `by` says in whose name.
- Fields listed in `must_say` may not be blank: the law wants a reason or an addressee.
- A rating is sealed for the city: a node carries only `sealed`, and `level` stays empty there.
- `extra` keeps the fields of a later version, so that passing an event on loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from casework.application import Actor, Applicant, Decision, HandedIn, ReturnPoint, Scan
from casework.errors import MalformedEvent

BEST_RATING, WORST_RATING = 1, 5
"""GB/T 39046 A.8: 1 is very satisfied, 5 very dissatisfied; 4 and 5 count as bad."""

LONGEST_EXTENSION = 365
"""Days; the longest extension any of the laws in the catalog knows is 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an application."""

    code: ClassVar[str] = ""
    must_say: ClassVar[tuple[str, ...]] = ()

    at: datetime
    by: Actor
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise MalformedEvent(self.code, "at")
        for name in self.must_say:
            value = getattr(self, name)
            if not (value.strip() if isinstance(value, str) else value):
                raise MalformedEvent(self.code, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected(Event):
    """The village took the application in (代办收件)."""

    code = "collected"
    must_say = ("receipt_no", "item_id", "site", "township")

    receipt_no: str
    item_id: str
    form_id: str
    catalog_version: int
    site: str
    township: str
    applicant: Applicant
    form: Mapping[str, Any]
    handed_in: tuple[HandedIn, ...] = ()
    scans: tuple[Scan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Event):
    """The city has received it."""

    code = "submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreReviewStarted(Event):
    """The township began to look at it."""

    code = "pre_review_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(Event):
    """The one-time full notice: everything that has to be corrected, at once."""

    code = "returned"
    must_say = ("points",)

    points: tuple[ReturnPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplemented(Event):
    """The return was answered, or deferred materials were handed in; says only what changed.

    Values and materials named here replace the earlier ones of the same id, all others stay.
    """

    code = "supplemented"

    form: Mapping[str, Any] = field(default_factory=dict)
    handed_in: tuple[HandedIn, ...] = ()
    scans: tuple[Scan, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescanned(Event):
    """Papers that were handed in were scanned again, because a sealed file was lost before the city had it.

    Nothing else changes: neither what was handed in, nor a clock, nor who must act. The scans named here replace those
    of the same material.
    """

    code = "rescanned"
    must_say = ("scans",)

    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The competent body accepted it (受理); the handling clock starts.

    `unsure` says that nobody had confirmed the clock by which `at` was written.
    """

    code = "accepted"

    limit_due: date | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionallyAccepted(Event):
    """Accepted with materials to follow by a promised day (容缺受理); `unsure` as above."""

    code = "provisionally_accepted"
    must_say = ("deferred",)

    deferred: tuple[str, ...]
    due: date
    promise: str = ""
    limit_due: date | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(Event):
    """Not accepted (不予受理), with reason, basis and remedy; `elsewhere` is the body that is competent instead."""

    code = "declined"
    must_say = ("reason",)

    reason: str
    basis: str = ""
    remedy: str = ""
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNotRequired(Event):
    """No permission is needed for this (不受理)."""

    code = "found_not_required"
    must_say = ("reason",)

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded(Event):
    """Another body is competent; the applicant was told which."""

    code = "forwarded"
    must_say = ("to",)

    to: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStarted(Event):
    """The department began its review."""

    code = "review_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(Event):
    """A special procedure began; whether the clock stops is said here, explicitly or not at all."""

    code = "suspended"
    must_say = ("kind",)

    kind: str
    reason: str = ""
    basis: str = ""
    pauses_clock: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """The special procedure ended."""

    code = "resumed"

    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(Event):
    """The limit was extended with approval (延长审批), counted in the unit of the limit."""

    code = "extended"
    must_say = ("days", "reason")

    days: int
    reason: str

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        if not 0 < self.days <= LONGEST_EXTENSION:
            raise MalformedEvent(self.code, "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Event):
    """The department ruled, granting or refusing."""

    code = "decided"

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded(Event):
    """The application is concluded (办结); the result waits to be handed over."""

    code = "concluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Event):
    """The result was handed over."""

    code = "delivered"

    receiver: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated(Event):
    """The applicant rated the service."""

    code = "rated"

    sealed: str = ""
    level: int | None = None
    text: str = ""

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        if self.level is not None and not BEST_RATING <= self.level <= WORST_RATING:
            raise MalformedEvent(self.code, "level")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """The applicant took the application back."""

    code = "withdrawn"

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(Event):
    """An administrator declared the record void."""

    code = "voided"
    must_say = ("reason",)

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(Event):
    """The decision was revoked (撤销)."""

    code = "revoked"
    must_say = ("reason",)

    reason: str
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySuspended(Event):
    """The proxy stopped acting for the time being (代办中止)."""

    code = "proxy_suspended"

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyResumed(Event):
    """The proxy acts again (续办)."""

    code = "proxy_resumed"

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTerminated(Event):
    """The proxy relation ended (代办终止)."""

    code = "proxy_terminated"

    reason: str = ""


EVENTS: dict[str, type[Event]] = {
    event.code: event
    for event in (
        Collected,
        Submitted,
        PreReviewStarted,
        Returned,
        Supplemented,
        Rescanned,
        Accepted,
        ProvisionallyAccepted,
        Declined,
        FoundNotRequired,
        Forwarded,
        ReviewStarted,
        Suspended,
        Resumed,
        Extended,
        Decided,
        Concluded,
        Delivered,
        Rated,
        Withdrawn,
        Voided,
        Revoked,
        ProxySuspended,
        ProxyResumed,
        ProxyTerminated,
    )
}
"""Every event by its code; a code is never reused."""


def scans_of(events: Iterable[Event]) -> tuple[Scan, ...]:
    """The scans that these events bring, in their order."""
    bringing = (event for event in events if isinstance(event, Collected | Supplemented | Rescanned))
    return tuple(scan for event in bringing for scan in event.scans)
