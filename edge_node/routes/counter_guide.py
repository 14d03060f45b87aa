"""What can be looked up offline: items, guides, forms, regions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from edge_node.access import Clerk, CounterHere
from edge_node.acts import catalogue_reading as reading
from wire.counter import DomainRow, ItemBrief, ItemGuide, Page, RegionRow

router = APIRouter(prefix="/counter")


@router.get("/items")
def items(  # noqa: PLR0913 - a search has this many sides
    counter: CounterHere,
    _who: Clerk,
    q: str = "",
    domain: str | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[ItemBrief]:
    """Items by title, alias or initials."""
    return reading.search(counter, q, domain=domain, offset=offset, limit=limit)


@router.get("/items/{item_id}")
def guide(counter: CounterHere, _who: Clerk, item_id: str) -> ItemGuide:
    """The guide of one item, the proxy rule applied."""
    return reading.guide(counter, item_id)


@router.get("/forms/{form_id}")
def form(counter: CounterHere, _who: Clerk, form_id: str, version: int | None = None) -> dict[str, Any]:
    """The form as it lies in the catalog."""
    return reading.form(counter, form_id, version)


@router.get("/regions")
def regions(counter: CounterHere, _who: Clerk, parent: str | None = None) -> list[RegionRow]:
    """The regions below one, or the top."""
    return reading.regions(counter, parent)


@router.get("/domains")
def domains(counter: CounterHere, _who: Clerk) -> list[DomainRow]:
    """The domains and how many items each has."""
    return reading.domains(counter)
