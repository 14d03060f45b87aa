"""What each event writes into the application, beside its state; called by `lifecycle.advance` alone.

One function per event that says more than that it happened. Everything comes from the event and the application.
"""

# ruff: noqa: ARG001 - one signature for all events
from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

from casework import events
from casework.application import Applicant, Application, HandedIn, Pause, ReturnRound, Scan, Seen
from casework.states import State

Changes = dict[str, Any]


@singledispatch
def consequences(event: events.Event, application: Application) -> Changes:
    """Return the fields that change because of `event`; none, where it only moves the state."""
    return {}


@consequences.register
def _(event: events.Collected, application: Application) -> Changes:
    return {
        "receipt_no": event.receipt_no,
        "item_id": event.item_id,
        "form_id": event.form_id,
        "catalog_version": event.catalog_version,
        "site": event.site,
        "township": event.township,
        "applicant": event.applicant,
        "form": dict(event.form),
        "handed_in": event.handed_in,
        "scans": event.scans,
        "collected_at": event.at,
    }


@consequences.register
def _(event: events.Submitted, application: Application) -> Changes:
    # The competent body has the materials when they reach the city, not when the village agent took them (art. 32).
    return {"submitted_at": application.submitted_at or event.at, "received_at": event.at}


@consequences.register
def _(event: events.Returned, application: Application) -> Changes:
    return {
        "return_points": event.points,
        "answers": {},
        "returns_count": application.returns_count + 1,
        "rounds": (*application.rounds, ReturnRound(event.at, event.points)),
        "notice_given_at": event.at,
    }


@consequences.register
def _(event: events.Supplemented, application: Application) -> Changes:
    form = {**application.form, **event.form}
    scanned = {scan.material_id for scan in event.scans}
    arrived = scanned | {one.material_id for one in event.handed_in if one.seen is not Seen.DEFERRED}
    changes: Changes = {
        "form": form,
        "applicant": Applicant.from_form(form) if event.form else application.applicant,
        "handed_in": _merged(application.handed_in, event.handed_in),
        "scans": tuple(scan for scan in application.scans if scan.material_id not in scanned) + _once(event.scans),
        "deferred": tuple(material for material in application.deferred if material not in arrived),
        "answers": dict(event.answers),
    }
    if application.state is State.RETURNED:
        # The five days of the notice run again from the day the supplement reaches the city.
        changes |= {"received_at": None, "notice_given_at": None, "rounds": _answered(application.rounds, event)}
    return changes


@consequences.register
def _(event: events.Rescanned, application: Application) -> Changes:
    again = {scan.material_id for scan in event.scans}
    kept = tuple(scan for scan in application.scans if scan.material_id not in again)
    return {"scans": kept + _once(event.scans)}


@consequences.register
def _(event: events.Accepted, application: Application) -> Changes:
    return {
        "accepted_at": application.accepted_at or event.at,
        "accepted_unsure": application.accepted_unsure if application.accepted_at else event.unsure,
        "notice_given_at": application.notice_given_at or event.at,
        "limit_due": event.limit_due or application.limit_due,
        "deferred": (),
        "deferred_due": None,
    }


@consequences.register
def _(event: events.ProvisionallyAccepted, application: Application) -> Changes:
    return {
        "accepted_at": event.at,
        "accepted_unsure": event.unsure,
        "notice_given_at": event.at,
        "limit_due": event.limit_due,
        "deferred": event.deferred,
        "deferred_due": event.due,
        "promise": event.promise,
    }


@consequences.register
def _(event: events.Declined, application: Application) -> Changes:
    return {
        "notice_given_at": event.at,
        "closed_at": event.at,
        "outcome_reason": event.reason,
        "outcome_basis": event.basis,
        "outcome_remedy": event.remedy,
        "outcome_elsewhere": event.elsewhere,
    }


@consequences.register
def _(event: events.FoundNotRequired, application: Application) -> Changes:
    return {"notice_given_at": event.at, "closed_at": event.at, "outcome_reason": event.reason}


@consequences.register
def _(event: events.Forwarded, application: Application) -> Changes:
    return {
        "notice_given_at": event.at,
        "closed_at": event.at,
        "forwarded_to": event.to,
        "outcome_reason": event.reason,
    }


@consequences.register
def _(event: events.Suspended, application: Application) -> Changes:
    pause = Pause(event.kind, event.reason, event.basis, event.at, None, event.pauses_clock)
    return {"pauses": (*application.pauses, pause)}


@consequences.register
def _(event: events.Resumed, application: Application) -> Changes:
    *earlier, last = application.pauses
    return {"pauses": (*earlier, replace(last, ended_at=event.at, result=event.result))}


@consequences.register
def _(event: events.Extended, application: Application) -> Changes:
    return {"extended_days": application.extended_days + event.days}


@consequences.register
def _(event: events.Decided, application: Application) -> Changes:
    return {"decision": event.decision, "outcome_reason": event.decision.reason}


@consequences.register
def _(event: events.Concluded, application: Application) -> Changes:
    return {"concluded_at": event.at}


@consequences.register
def _(event: events.Delivered, application: Application) -> Changes:
    return {"delivered_at": event.at, "receiver": event.receiver, "delivery_way": event.way}


@consequences.register
def _(event: events.Rated, application: Application) -> Changes:
    # How it was rated is for the city alone; here only that it was.
    return {"rated_at": event.at, "closed_at": event.at}


@consequences.register(events.Withdrawn)
@consequences.register(events.Voided)
def _(event: events.Withdrawn | events.Voided, application: Application) -> Changes:
    return {"outcome_reason": event.reason, "closed_at": event.at}


@consequences.register
def _(event: events.Revoked, application: Application) -> Changes:
    return {"outcome_reason": event.reason, "outcome_basis": event.basis, "closed_at": event.at}


def _answered(rounds: tuple[ReturnRound, ...], event: events.Supplemented) -> tuple[ReturnRound, ...]:
    """Write the answer into the last round."""
    if not rounds:
        return rounds
    touched = [*(one.material_id for one in event.handed_in), *(scan.material_id for scan in event.scans)]
    last = replace(
        rounds[-1],
        answers=dict(event.answers),
        answered_at=event.at,
        fields=tuple(event.form),
        materials=tuple(dict.fromkeys(touched)),
    )
    return (*rounds[:-1], last)


def _merged(before: tuple[HandedIn, ...], now: tuple[HandedIn, ...]) -> tuple[HandedIn, ...]:
    """Keep the order of first mention; the later word about a material counts."""
    return tuple({one.material_id: one for one in (*before, *now)}.values())


def _once(scans: tuple[Scan, ...]) -> tuple[Scan, ...]:
    return tuple(dict.fromkeys(scans))
