"""Mail by stick: what waits, which sticks are there, and orders to the courier."""

from __future__ import annotations

from fastapi import APIRouter

from edge_node.access import Clerk, CounterHere
from edge_node.acts import courier_desk
from wire.counter import AskCourier, CourierView

router = APIRouter()


@router.get("/courier")
def look(counter: CounterHere, who: Clerk) -> CourierView:
    """How things stand."""
    return courier_desk.view(counter, who)


@router.post("/courier")
def ask(counter: CounterHere, who: Clerk, asked: AskCourier) -> CourierView:
    """Ask the courier to write or read a stick."""
    return courier_desk.ask(counter, who, asked)
