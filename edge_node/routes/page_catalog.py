"""What is in use on this node: version and age of the catalog, the alarms, and the items with their search."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from edge_node.access import CounterHere
from edge_node.acts import catalogue_reading, notice_reading, opening, status
from edge_node.counter.errors import NoCatalog
from edge_node.printing.figures import limit_view_words
from edge_node.routes.page_notices import notice_rows
from edge_node.routes.page_session import Looking
from edge_node.routes.page_views import Row, alarm_words, frame
from edge_node.routes.page_words import page
from edge_node.wording import sentence
from wire.counter import ItemBrief, Page, StatusBar

router = APIRouter()

CATALOG: Final = "/catalog"
PAGE_ROWS: Final = 20
TEXT_MAX: Final = 60
GUIDE_ONLY: Final = "guide"


@router.get(CATALOG)
def show_catalog(
    counter: CounterHere, visitor: Looking, q: Annotated[str, Query()] = "", offset: Annotated[str, Query()] = "0"
) -> Response:
    """The catalog in use."""
    text = q.strip()[:TEXT_MAX]
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 9 else 0
    bar = status.status(counter)
    try:
        found = catalogue_reading.search(counter, text, offset=start, limit=PAGE_ROWS)
        regions = opening.region_names(counter)
    except NoCatalog:
        found, regions = Page[ItemBrief](rows=[], total=0, offset=0, limit=PAGE_ROWS), {}

    def at(position: int) -> str:
        asked = {"offset": str(position), **({"q": text} if text else {})}
        return f"{CATALOG}?{urlencode(asked)}"

    return page(
        "catalog.html",
        bar=frame(bar),
        visitor=visitor,
        here="catalog",
        alarms=alarm_words(bar.alarms),
        notices=notice_rows(notice_reading.at_this_counter(counter)),
        facts=_facts(bar, opening.named(regions, bar.region) or bar.region),
        items=[_item_row(row) for row in found.rows],
        q=text,
        total=found.total,
        first=start + 1,
        last=start + len(found.rows),
        earlier=at(max(0, start - PAGE_ROWS)) if start else None,
        later=at(start + PAGE_ROWS) if start + len(found.rows) < found.total else None,
    )


def _facts(bar: StatusBar, region: str) -> tuple[Row, ...]:
    age = bar.catalog_age_days
    aged = "page.unknown" if age is None else "page.catalog.age.days" if age else "page.catalog.age.today"
    valid = "page.catalog.expiry.expired" if bar.catalog_expired else "page.catalog.expiry.valid"
    none = sentence("page.strip.catalog.none")
    return (
        Row(sentence("page.catalog.version"), none if bar.catalog_version is None else str(bar.catalog_version)),
        Row(sentence("page.catalog.age"), sentence(aged, {"days": age})),
        Row(sentence("page.catalog.expiry"), none if bar.catalog_version is None else sentence(valid)),
        Row(sentence("page.catalog.region"), region),
    )


def _item_row(row: ItemBrief) -> dict[str, str]:
    mode = GUIDE_ONLY if row.service_mode == GUIDE_ONLY else row.proxy_mode
    return {
        "item_id": row.item_id,
        "name": row.name,
        "domain": row.domain,
        "mode_words": sentence(f"page.mode.{mode}"),
        "promised_words": limit_view_words(row.promised),
    }
