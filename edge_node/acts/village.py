"""What the agent does after collecting: withdraw, hand over, pass on a rating, stop or resume the proxy.

Laws
- The rating belongs to the villager: it is sealed for the city in the moment it is given; this node keeps only that
  it was.
- Each act is one operation of the journal; the lifecycle and the duty table decide whether it may be.
"""

from __future__ import annotations

from typing import Final, Literal

from casework.application import Application
from casework.events import (
    BEST_RATING,
    WORST_RATING,
    Delivered,
    Event,
    ProxyResumed,
    ProxySuspended,
    ProxyTerminated,
    Rated,
    Withdrawn,
)
from casework.states import State
from edge_node.acts import journaling, listing
from edge_node.counter.counter import Counter
from edge_node.counter.errors import RatingNotOpen, RatingOutOfScale, ReasonNeeded
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk.database import Transaction
from wire.counter import ApplicationDetail

ProxyAct = Literal["suspend", "resume", "terminate"]
_PROXY_EVENTS: Final[dict[ProxyAct, type[ProxySuspended | ProxyResumed | ProxyTerminated]]] = {
    "suspend": ProxySuspended,
    "resume": ProxyResumed,
    "terminate": ProxyTerminated,
}


def withdraw(counter: Counter, who: AtCounter, application_id: str, reason: str) -> ApplicationDetail:
    """The applicant takes the application back."""
    said = _said(reason)

    def event(_tx: Transaction, _application: Application, reading: Reading) -> list[Event]:
        return [Withdrawn(at=reading.now, by=who.actor, reason=said)]

    journaling.act_on(counter, who, application_id, event)
    return listing.detail_after_act(counter, who, application_id)


def deliver(counter: Counter, who: AtCounter, application_id: str, receiver: str, way: str) -> ApplicationDetail:
    """The result was handed over."""

    def event(_tx: Transaction, _application: Application, reading: Reading) -> list[Event]:
        return [Delivered(at=reading.now, by=who.actor, receiver=receiver.strip(), way=way)]

    journaling.act_on(counter, who, application_id, event)
    return listing.detail_after_act(counter, who, application_id)


def rate(counter: Counter, who: AtCounter, application_id: str, level: int, text: str) -> ApplicationDetail:
    """Pass on the villager's own rating, sealed for the city."""
    if not BEST_RATING <= level <= WORST_RATING:
        raise RatingOutOfScale(best=BEST_RATING, worst=WORST_RATING)

    def event(_tx: Transaction, application: Application, reading: Reading) -> list[Event]:
        if application.state is not State.DELIVERED:
            raise RatingNotOpen(state=application.state.value)
        return [Rated(at=reading.now, by=who.actor)]

    journaling.act_on(counter, who, application_id, event, rating={"level": level, "text": text})
    return listing.detail_after_act(counter, who, application_id)


def change_proxy(
    counter: Counter, who: AtCounter, application_id: str, act: ProxyAct, reason: str
) -> ApplicationDetail:
    """代办中止、续办、终止."""
    said = _said(reason)

    def event(_tx: Transaction, _application: Application, reading: Reading) -> list[Event]:
        return [_PROXY_EVENTS[act](at=reading.now, by=who.actor, reason=said)]

    journaling.act_on(counter, who, application_id, event)
    return listing.detail_after_act(counter, who, application_id)


def _said(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise ReasonNeeded
    return said
