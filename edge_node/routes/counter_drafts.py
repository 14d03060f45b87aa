"""Drafts over HTTP: begin, read, change, summarise, carry over, collect, throw away."""

from __future__ import annotations

from fastapi import APIRouter, Response

from edge_node.access import Clerk, CounterHere
from edge_node.acts import collecting, drafting, readiness
from edge_node.routes.counter_guide import Limit, Offset
from wire.counter import BeginDraft, ChangeDraft, DraftBrief, DraftSaved, DraftView, Page, Slip, Summary

router = APIRouter()


@router.post("/drafts", status_code=201)
def begin(counter: CounterHere, who: Clerk, asked: BeginDraft) -> DraftView:
    """Begin an application."""
    return drafting.begin(counter, who, asked.item_id)


@router.get("/drafts")
def listed(counter: CounterHere, who: Clerk, offset: Offset = 0, limit: Limit = 20) -> Page[DraftBrief]:
    """The drafts of this clerk, and those that a closed one left."""
    return drafting.page(counter, who, offset, limit)


@router.get("/drafts/{draft_id}")
def show(counter: CounterHere, who: Clerk, draft_id: str) -> DraftView:
    """A draft as typed."""
    return drafting.show(counter, who, draft_id)


@router.patch("/drafts/{draft_id}")
def change(counter: CounterHere, who: Clerk, draft_id: str, asked: ChangeDraft) -> DraftSaved:
    """Save what was typed."""
    return drafting.change(
        counter, who, draft_id, values=asked.values, handed_in=asked.handed_in, answers=asked.answers
    )


@router.delete("/drafts/{draft_id}", status_code=204)
def remove(counter: CounterHere, who: Clerk, draft_id: str) -> Response:
    """Throw a draft away."""
    drafting.remove(counter, who, draft_id)
    return Response(status_code=204)


@router.get("/drafts/{draft_id}/summary")
def summary(counter: CounterHere, who: Clerk, draft_id: str) -> Summary:
    """Everything that is still missing."""
    return readiness.summary(counter, who, draft_id)


@router.post("/drafts/{draft_id}/take-over")
def take_over(counter: CounterHere, who: Clerk, draft_id: str) -> DraftView:
    """Go on with a draft that a closed clerk left."""
    return drafting.take_over(counter, who, draft_id)


@router.post("/drafts/{draft_id}/carry-over")
def carry_over(counter: CounterHere, who: Clerk, draft_id: str) -> DraftView:
    """Move the draft to the catalog in use."""
    return drafting.carry_over(counter, who, draft_id)


@router.post("/drafts/{draft_id}/collect")
def collect(counter: CounterHere, who: Clerk, draft_id: str) -> Slip:
    """Collect the draft, or hand the supplement in."""
    return collecting.collect(counter, who, draft_id)
