"""The rulings a department's clerk can make, from the fields of a form to events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from casework.application import Actor, Application
from casework.events import Concluded, Decided, Event, Extended, Resumed, ReviewStarted, Revoked, Suspended
from casework.lifecycle import allowed_events
from city_gateway.acts.rule import decision
from city_gateway.errors import OfficeFormRefused

TEXT_AT_MOST = 500
DAYS_AT_MOST = 365
OF_DEPARTMENT = ("review_started", "suspended", "resumed", "extended", "decided", "concluded", "revoked")
Values = Mapping[str, str]


def rulings_now(application: Application) -> list[str]:
    """Which of them the lifecycle allows now."""
    allowed = allowed_events(application)
    return [code for code in OF_DEPARTMENT if code in allowed]


def events_from_form(code: str, values: Values, by: Actor, at: datetime) -> list[Event]:
    """The events of one ruling; OfficeFormRefused names the field that is missing or wrong."""
    make = _MAKERS.get(code)
    if make is None:
        raise OfficeFormRefused(field="ruling")
    return [make(values, by, at)]


def _suspended(values: Values, by: Actor, at: datetime) -> Event:
    pauses = {"yes": True, "no": False, "": None}.get(values.get("pauses_clock", ""))
    return Suspended(
        at=at,
        by=by,
        kind=_text(values, "kind"),
        reason=_text(values, "reason"),
        basis=_text(values, "basis", required=pauses is True),
        pauses_clock=pauses,
    )


def _extended(values: Values, by: Actor, at: datetime) -> Event:
    said = values.get("days", "").strip()
    if not (said.isascii() and said.isdigit() and 0 < int(said) <= DAYS_AT_MOST):
        raise OfficeFormRefused(field="days")
    return Extended(at=at, by=by, days=int(said), reason=_text(values, "reason"))


def _decided(values: Values, by: Actor, at: datetime) -> Event:
    if values.get("granted") not in {"yes", "no"}:
        raise OfficeFormRefused(field="granted")
    granted = values["granted"] == "yes"
    ruled = decision(
        granted=granted,
        reason=_text(values, "reason", required=not granted),
        document_name=_text(values, "document_name", required=granted),
        document_no=_text(values, "document_no", required=False),
        on=at,
    )
    return Decided(at=at, by=by, decision=ruled)


def _revoked(values: Values, by: Actor, at: datetime) -> Event:
    if values.get("sure") != "yes":
        raise OfficeFormRefused(field="sure")
    return Revoked(at=at, by=by, reason=_text(values, "reason"), basis=_text(values, "basis"))


_MAKERS: Mapping[str, Callable[[Values, Actor, datetime], Event]] = {
    "review_started": lambda _values, by, at: ReviewStarted(at=at, by=by),
    "suspended": _suspended,
    "resumed": lambda values, by, at: Resumed(at=at, by=by, result=_text(values, "result", required=False)),
    "extended": _extended,
    "decided": _decided,
    "concluded": lambda _values, by, at: Concluded(at=at, by=by),
    "revoked": _revoked,
}


def _text(values: Values, field: str, *, required: bool = True) -> str:
    text = values.get(field, "").strip()
    if (required and not text) or len(text) > TEXT_AT_MOST:
        raise OfficeFormRefused(field=field)
    return text
