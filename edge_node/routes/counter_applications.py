"""Applications of this counter: list, detail, slip, and what the agent does after collecting."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from casework.states import State
from edge_node.access import Clerk, CounterHere
from edge_node.acts import collecting, listing, supplementing, village
from wire.counter import (
    ApplicationBrief,
    ApplicationDetail,
    ChangeProxy,
    Deliver,
    DraftView,
    Page,
    Rate,
    Slip,
    Withdraw,
)

router = APIRouter(prefix="/counter/applications")


@router.get("")
def page(  # noqa: PLR0913 - a list has this many sides
    counter: CounterHere,
    who: Clerk,
    state: Annotated[list[State] | None, Query()] = None,
    q: str = "",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[ApplicationBrief]:
    """The applications of this counter, the last touched first."""
    return listing.page(counter, who, states=state or None, text=q, offset=offset, limit=limit)


@router.get("/{application_id}")
def detail(counter: CounterHere, who: Clerk, application_id: str) -> ApplicationDetail:
    """One application in full."""
    return listing.detail(counter, who, application_id)


@router.get("/{application_id}/slip")
def slip(counter: CounterHere, who: Clerk, application_id: str) -> Slip:
    """The slip, to print it again."""
    return collecting.slip(counter, who, application_id)


@router.post("/{application_id}/supplement")
def supplement(counter: CounterHere, who: Clerk, application_id: str) -> DraftView:
    """Begin, or go on with, the answer to a return."""
    return supplementing.begin(counter, who, application_id)


@router.post("/{application_id}/withdraw")
def withdraw(counter: CounterHere, who: Clerk, application_id: str, asked: Withdraw) -> ApplicationDetail:
    """Take the application back."""
    return village.withdraw(counter, who, application_id, asked.reason)


@router.post("/{application_id}/deliver")
def deliver(counter: CounterHere, who: Clerk, application_id: str, asked: Deliver) -> ApplicationDetail:
    """The result was handed over."""
    return village.deliver(counter, who, application_id, asked.receiver, asked.way)


@router.post("/{application_id}/rate")
def rate(counter: CounterHere, who: Clerk, application_id: str, asked: Rate) -> ApplicationDetail:
    """Pass on the villager's rating."""
    return village.rate(counter, who, application_id, asked.level, asked.text)


@router.post("/{application_id}/proxy")
def change_proxy(counter: CounterHere, who: Clerk, application_id: str, asked: ChangeProxy) -> ApplicationDetail:
    """Suspend, resume or terminate the proxy."""
    return village.change_proxy(counter, who, application_id, asked.act, asked.reason)
