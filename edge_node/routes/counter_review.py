"""The township's review over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from edge_node.access import Clerk, CounterHere
from edge_node.acts import listing, reviewing
from edge_node.routes.counter_applications import States
from edge_node.routes.counter_guide import Limit, Offset
from wire.counter import (
    Accept,
    AcceptProvisionally,
    ApplicationBrief,
    ApplicationDetail,
    Decline,
    Forward,
    NotRequired,
    Page,
    ReturnOnce,
    ReviewGuide,
)

router = APIRouter(prefix="/review")


@router.get("/queue")
def queue(
    counter: CounterHere, who: Clerk, state: States = None, offset: Offset = 0, limit: Limit = 20
) -> Page[ApplicationBrief]:
    """What waits, the soonest due first."""
    return listing.queue(counter, who, states=state, offset=offset, limit=limit)


@router.get("/{application_id}/guide")
def guide(counter: CounterHere, who: Clerk, application_id: str) -> ReviewGuide:
    """What a return may name."""
    return reviewing.guide(counter, who, application_id)


@router.post("/{application_id}/begin")
def begin(counter: CounterHere, who: Clerk, application_id: str) -> ApplicationDetail:
    """Begin to look at it."""
    return reviewing.begin(counter, who, application_id)


@router.post("/{application_id}/return")
def return_once(counter: CounterHere, who: Clerk, application_id: str, asked: ReturnOnce) -> ApplicationDetail:
    """Return it once with everything."""
    return reviewing.return_once(counter, who, application_id, asked.points)


@router.post("/{application_id}/accept")
def accept(counter: CounterHere, who: Clerk, application_id: str, asked: Accept) -> ApplicationDetail:
    """Accept it."""
    return reviewing.accept(counter, who, application_id, asked.limit_due)


@router.post("/{application_id}/accept-provisionally")
def accept_provisionally(
    counter: CounterHere, who: Clerk, application_id: str, asked: AcceptProvisionally
) -> ApplicationDetail:
    """Accept it with materials to follow."""
    return reviewing.accept_provisionally(counter, who, application_id, asked.deferred, asked.due, asked.promise)


@router.post("/{application_id}/decline")
def decline(counter: CounterHere, who: Clerk, application_id: str, asked: Decline) -> ApplicationDetail:
    """Decline it."""
    return reviewing.decline(counter, who, application_id, asked.reason, asked.basis, asked.remedy, asked.elsewhere)


@router.post("/{application_id}/not-required")
def not_required(counter: CounterHere, who: Clerk, application_id: str, asked: NotRequired) -> ApplicationDetail:
    """No application is needed."""
    return reviewing.not_required(counter, who, application_id, asked.reason)


@router.post("/{application_id}/forward")
def forward(counter: CounterHere, who: Clerk, application_id: str, asked: Forward) -> ApplicationDetail:
    """Another body is competent."""
    return reviewing.forward(counter, who, application_id, asked.to, asked.reason)
