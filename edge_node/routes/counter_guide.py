"""The catalog as the screen reads it; only for somebody who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from edge_node.access import CounterHere, clerk_at
from edge_node.acts import catalogue_reading
from wire.counter import DomainRow, ItemBrief, ItemGuide, Page, RegionRow
from wire.fields import Plain

router = APIRouter(dependencies=[Depends(clerk_at)])

Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Version = Annotated[int | None, Query(ge=1)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/items")
def search(
    counter: CounterHere,
    q: Annotated[str, Query(max_length=100)] = "",
    domain: Annotated[str | None, Query(max_length=50)] = None,
    offset: Offset = 0,
    limit: Limit = 20,
) -> Page[ItemBrief]:
    """Find service items by title, alias or initials."""
    return catalogue_reading.search(counter, q, domain=domain or None, offset=offset, limit=limit)


@router.get("/items/{item_id}")
def guide(counter: CounterHere, item_id: str, version: Version = None) -> ItemGuide:
    """The guide of one item."""
    return catalogue_reading.guide(counter, item_id, version)


@router.get("/forms/{form_id}")
def form(counter: CounterHere, form_id: str, version: Version = None) -> Plain:
    """A form as it lies in the catalog."""
    return catalogue_reading.form(counter, form_id, version)


@router.get("/regions")
def regions(counter: CounterHere, parent: Annotated[str | None, Query(max_length=12)] = None) -> list[RegionRow]:
    """The regions below one."""
    return catalogue_reading.regions(counter, parent)


@router.get("/domains")
def domains(counter: CounterHere) -> list[DomainRow]:
    """The subject areas."""
    return catalogue_reading.domains(counter)
