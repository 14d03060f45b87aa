"""The states of an application and the standing of its proxy, in the words of the counter."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    COLLECTED = "collected"
    SUBMITTED = "submitted"
    PRE_REVIEW = "pre_review"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    PROVISIONALLY_ACCEPTED = "provisionally_accepted"
    DECLINED = "declined"
    NOT_REQUIRED = "not_required"
    FORWARDED = "forwarded"
    UNDER_REVIEW = "under_review"
    SUSPENDED = "suspended"
    EXTENDED = "extended"
    DECIDED = "decided"
    CONCLUDED = "concluded"
    DELIVERED = "delivered"
    RATED = "rated"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"
    REVOKED = "revoked"


class ProxyStanding(StrEnum):
    """How the proxy relation stands, beside the state of the application."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


CLOSED_STATES = frozenset(
    {
        State.DECLINED,
        State.NOT_REQUIRED,
        State.FORWARDED,
        State.RATED,
        State.WITHDRAWN,
        State.VOIDED,
        State.REVOKED,
    }
)
"""Nobody has anything left to do here (a rated application can still be revoked)."""
