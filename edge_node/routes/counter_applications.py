"""Applications over HTTP: lists, details, slips, and the acts of the village."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from casework.states import State
from edge_node.access import Clerk, CounterHere
from edge_node.acts import collecting, listing, supplementing, village
from edge_node.routes.counter_guide import Limit, Offset
from wire.counter import (
    ApplicationBrief,
    ApplicationDetail,
    ChangeProxy,
    Deliver,
    DraftView,
    Page,
    Rate,
    SeekApplications,
    Slip,
    Withdraw,
)

router = APIRouter(prefix="/applications")

States = Annotated[list[State] | None, Query()]


@router.get("")
def listed(
    counter: CounterHere, who: Clerk, state: States = None, offset: Offset = 0, limit: Limit = 20
) -> Page[ApplicationBrief]:
    """The applications of this counter."""
    return listing.page(counter, who, states=state, offset=offset, limit=limit)


@router.post("/search")
def sought(counter: CounterHere, who: Clerk, asked: SeekApplications) -> Page[ApplicationBrief]:
    """Those that these words find."""
    states = [one for one in State if one.value == asked.state] if asked.state else None
    return listing.page(counter, who, states=states, text=asked.words, offset=asked.offset, limit=asked.limit)


@router.get("/waiting")
def waiting(counter: CounterHere, who: Clerk, offset: Offset = 0, limit: Limit = 20) -> Page[ApplicationBrief]:
    """The applications of which something is not at the city, each explained."""
    return listing.waiting(counter, who, offset=offset, limit=limit)


@router.get("/{application_id}")
def detail(counter: CounterHere, who: Clerk, application_id: str) -> ApplicationDetail:
    """One application in full."""
    return listing.detail(counter, who, application_id)


@router.get("/{application_id}/slip")
def slip(counter: CounterHere, who: Clerk, application_id: str) -> Slip:
    """The slip again."""
    return collecting.slip(counter, who, application_id)


@router.post("/{application_id}/withdraw")
def withdraw(counter: CounterHere, who: Clerk, application_id: str, asked: Withdraw) -> ApplicationDetail:
    """Take it back."""
    return village.withdraw(counter, who, application_id, asked.reason)


@router.post("/{application_id}/supplement")
def supplement(counter: CounterHere, who: Clerk, application_id: str) -> DraftView:
    """Begin, or go on with, the answer to a return."""
    return supplementing.begin(counter, who, application_id)


@router.post("/{application_id}/deliver")
def deliver(counter: CounterHere, who: Clerk, application_id: str, asked: Deliver) -> ApplicationDetail:
    """Hand the result over."""
    return village.deliver(counter, who, application_id, asked.receiver, asked.way)


@router.post("/{application_id}/rate")
def rate(counter: CounterHere, who: Clerk, application_id: str, asked: Rate) -> ApplicationDetail:
    """Pass on the villager's rating."""
    return village.rate(counter, who, application_id, asked.level, asked.text)


@router.post("/{application_id}/proxy")
def proxy(counter: CounterHere, who: Clerk, application_id: str, asked: ChangeProxy) -> ApplicationDetail:
    """Suspend, resume or end the proxy."""
    return village.change_proxy(counter, who, application_id, asked.act, asked.reason)
