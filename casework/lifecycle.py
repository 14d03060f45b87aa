"""How an application may move: one table, one way through it.

- `TRANSITIONS` says, for every state, which event leads where; what is not in it is not allowed.
- The proxy relation has a small table of its own, `PROXY_TRANSITIONS`; it never moves the state.
- `advance` returns a new application or raises; the one it was given is never touched.
- A return can be answered as often as it is made; after acceptance a supplement is only for deferred materials.
- Scanning lost pages again moves nothing, and names only materials of which there were scans.
- A village's *collected* is not the competent body's *accepted*.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from casework.application import Application, Step
from casework.consequences import consequences
from casework.errors import IllegalEvent, NothingDeferred, NotScannedBefore
from casework.events import Event, Rescanned
from casework.states import CLOSED_STATES, ProxyStanding, State

__all__ = [
    "PROXY_TRANSITIONS",
    "TRANSITIONS",
    "ProxyStanding",
    "State",
    "advance",
    "allowed_events",
    "draft",
    "replay",
]

TRANSITIONS: dict[State, dict[str, State]] = {
    State.DRAFT: {
        "collected": State.COLLECTED,
    },
    State.COLLECTED: {
        "submitted": State.SUBMITTED,
        "rescanned": State.COLLECTED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.SUBMITTED: {
        "pre_review_started": State.PRE_REVIEW,
        "rescanned": State.SUBMITTED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.PRE_REVIEW: {
        "submitted": State.PRE_REVIEW,  # a supplement reached the city
        "returned": State.RETURNED,
        "accepted": State.ACCEPTED,
        "provisionally_accepted": State.PROVISIONALLY_ACCEPTED,
        "declined": State.DECLINED,
        "found_not_required": State.NOT_REQUIRED,
        "forwarded": State.FORWARDED,
        "rescanned": State.PRE_REVIEW,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.RETURNED: {
        "supplemented": State.PRE_REVIEW,
        "rescanned": State.RETURNED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.ACCEPTED: {
        "review_started": State.UNDER_REVIEW,
        "rescanned": State.ACCEPTED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.PROVISIONALLY_ACCEPTED: {
        "supplemented": State.PROVISIONALLY_ACCEPTED,
        "accepted": State.ACCEPTED,
        "review_started": State.UNDER_REVIEW,
        "rescanned": State.PROVISIONALLY_ACCEPTED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.UNDER_REVIEW: {
        "supplemented": State.UNDER_REVIEW,
        "suspended": State.SUSPENDED,
        "extended": State.EXTENDED,
        "decided": State.DECIDED,
        "rescanned": State.UNDER_REVIEW,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.SUSPENDED: {
        "supplemented": State.SUSPENDED,
        "resumed": State.UNDER_REVIEW,
        "rescanned": State.SUSPENDED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.EXTENDED: {
        "supplemented": State.EXTENDED,
        "suspended": State.SUSPENDED,
        "decided": State.DECIDED,
        "rescanned": State.EXTENDED,
        "withdrawn": State.WITHDRAWN,
        "voided": State.VOIDED,
    },
    State.DECIDED: {
        "concluded": State.CONCLUDED,
        "revoked": State.REVOKED,
        "voided": State.VOIDED,
    },
    State.CONCLUDED: {
        "delivered": State.DELIVERED,
        "revoked": State.REVOKED,
        "voided": State.VOIDED,
    },
    State.DELIVERED: {
        "rated": State.RATED,
        "revoked": State.REVOKED,
        "voided": State.VOIDED,
    },
    State.RATED: {
        "revoked": State.REVOKED,
    },
    State.DECLINED: {},
    State.NOT_REQUIRED: {},
    State.FORWARDED: {},
    State.WITHDRAWN: {},
    State.VOIDED: {},
    State.REVOKED: {},
}

PROXY_TRANSITIONS: dict[ProxyStanding, dict[str, ProxyStanding]] = {
    ProxyStanding.ACTIVE: {
        "proxy_suspended": ProxyStanding.SUSPENDED,
        "proxy_terminated": ProxyStanding.TERMINATED,
    },
    ProxyStanding.SUSPENDED: {
        "proxy_resumed": ProxyStanding.ACTIVE,
        "proxy_terminated": ProxyStanding.TERMINATED,
    },
    ProxyStanding.TERMINATED: {},
}
"""Moves only while somebody still has something to do: not in a draft, not in a closed application."""


def draft(application_id: str) -> Application:
    """Begin: an application that nothing has happened to yet.

    >>> draft("0" * 32).state
    <State.DRAFT: 'draft'>
    """
    return Application(application_id=application_id)


def advance(application: Application, event: Event) -> Application:
    """Move the application by one event, or raise and change nothing.

    >>> from datetime import UTC, datetime
    >>> from casework.application import Actor, Role
    >>> from casework.events import Submitted
    >>> city = Actor(Role.CITY, "", "c" * 32, "511600000000")
    >>> advance(draft("0" * 32), Submitted(at=datetime(2026, 11, 23, tzinfo=UTC), by=city))
    Traceback (most recent call last):
        ...
    casework.errors.IllegalEvent: lifecycle.illegal_event state=draft event=submitted allowed=['collected']
    """
    step = Step(event.at, event.code, event.by.role, event.by.node_id, getattr(event, "reason", ""))
    history = (*application.history, step)
    standing = _proxy_moves(application).get(event.code)
    if standing is not None:
        return replace(application, proxy=standing, history=history)
    state = TRANSITIONS[application.state].get(event.code)
    if state is None:
        raise IllegalEvent(application.state, event.code, allowed_events(application))
    if _has_nothing_to_supplement(application, event.code):
        raise NothingDeferred(application.state, event.code, allowed_events(application))
    if isinstance(event, Rescanned) and not {one.material_id for one in event.scans} <= _scanned(application):
        raise NotScannedBefore(application.state, event.code, allowed_events(application))
    return replace(application, **consequences(event, application), state=state, history=history)


def replay(application_id: str, events: Iterable[Event]) -> Application:
    """Fold events, oldest first, into the application they describe.

    >>> replay("0" * 32, []) == draft("0" * 32)
    True
    """
    application = draft(application_id)
    for event in events:
        application = advance(application, event)
    return application


def allowed_events(application: Application) -> tuple[str, ...]:
    """Say which events would move this application now.

    >>> allowed_events(draft("0" * 32))
    ('collected',)
    """
    moves = [
        code
        for code in TRANSITIONS[application.state]
        if not _has_nothing_to_supplement(application, code) and (code != Rescanned.code or application.scans)
    ]
    return (*moves, *_proxy_moves(application))


def _proxy_moves(application: Application) -> dict[str, ProxyStanding]:
    if application.state is State.DRAFT or application.state in CLOSED_STATES:
        return {}
    return PROXY_TRANSITIONS[application.proxy]


def _scanned(application: Application) -> set[str]:
    return {scan.material_id for scan in application.scans}


def _has_nothing_to_supplement(application: Application, code: str) -> bool:
    return code == "supplemented" and application.state is not State.RETURNED and not application.deferred
