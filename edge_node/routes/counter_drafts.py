"""Drafts: begin, save as typed, see what is missing, collect."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from edge_node.access import Clerk, CounterHere
from edge_node.acts import collecting, drafting, readiness
from wire.counter import BeginDraft, ChangeDraft, DraftBrief, DraftSaved, DraftView, Page, Slip, Summary

router = APIRouter(prefix="/counter/drafts")


@router.post("")
def begin(counter: CounterHere, who: Clerk, asked: BeginDraft) -> DraftView:
    """Begin a draft, pinned to the catalog in use."""
    return drafting.begin(counter, who, asked.item_id)


@router.get("")
def page(
    counter: CounterHere,
    who: Clerk,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[DraftBrief]:
    """This clerk's drafts."""
    return drafting.page(counter, who, offset, limit)


@router.get("/{draft_id}")
def show(counter: CounterHere, who: Clerk, draft_id: str) -> DraftView:
    """One draft as typed."""
    return drafting.show(counter, who, draft_id)


@router.patch("/{draft_id}")
def change(counter: CounterHere, who: Clerk, draft_id: str, asked: ChangeDraft) -> DraftSaved:
    """Save what was typed, right or wrong."""
    return drafting.change(
        counter, who, draft_id, values=asked.values, handed_in=asked.handed_in, answers=asked.answers
    )


@router.delete("/{draft_id}", status_code=204)
def remove(counter: CounterHere, who: Clerk, draft_id: str) -> Response:
    """Throw a draft away."""
    drafting.remove(counter, who, draft_id)
    return Response(status_code=204)


@router.get("/{draft_id}/summary")
def summary(counter: CounterHere, who: Clerk, draft_id: str) -> Summary:
    """Everything that is still missing, at once."""
    return readiness.summary(counter, who, draft_id)


@router.post("/{draft_id}/carry-over")
def carry_over(counter: CounterHere, who: Clerk, draft_id: str) -> DraftView:
    """Move to the catalog in use."""
    return drafting.carry_over(counter, who, draft_id)


@router.post("/{draft_id}/collect")
def collect(counter: CounterHere, who: Clerk, draft_id: str) -> Slip:
    """Collect, or hand in the answer to a return: saved when this returns."""
    return collecting.collect(counter, who, draft_id)
