"""/office/figures: the assessment figures of the own region, as a page and as a table to take along."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.figures import Assessment
from city_gateway.access import gateway_of
from city_gateway.acts import office_audit
from city_gateway.acts.catalog_words import words_of
from city_gateway.acts.figure_tables import ITEM, SITE, TOGETHER, as_csv, names_of, rows
from city_gateway.acts.figures import OnlineItems, assessment, months, this_month
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.faults import OFFICE_HEADERS as HEADERS
from city_gateway.routes.office_frame import SomebodySignedIn, page_of

router = APIRouter(prefix="/office")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which figures."""

    first: str
    last: str
    by: str


def _wanted(gateway: Gateway, first: str, last: str, by: str) -> Wanted:
    now = this_month(gateway.clock())
    return Wanted(first.strip() or now, last.strip() or first.strip() or now, ITEM if by == ITEM else SITE)


@router.get("/figures")
def figures_page(
    request: Request, somebody: SomebodySignedIn, first: str = "", last: str = "", by: str = SITE
) -> Response:
    """The figures of some months, by site or by item."""
    gateway = gateway_of(request)
    wanted = _wanted(gateway, first, last, by)
    found, online = _assessed(gateway, somebody.clerk.region, wanted)
    return page_of(
        request,
        "figures.html",
        somebody,
        wanted=wanted,
        columns=TOGETHER,
        rows=rows(found, wanted.by, names_of(gateway, wanted.by)),
        online=online,
        region=words_of(gateway.folder.root).place(somebody.clerk.region),
        kinds=(SITE, ITEM),
    )


@router.get("/figures.csv")
def figures_csv(
    request: Request, somebody: SomebodySignedIn, first: str = "", last: str = "", by: str = SITE
) -> Response:
    """The same as a table; that it was taken along is kept."""
    gateway = gateway_of(request)
    wanted = _wanted(gateway, first, last, by)
    found, _ = _assessed(gateway, somebody.clerk.region, wanted)
    about = f"figures {wanted.first}..{wanted.last} {wanted.by}"
    office_audit.noted(gateway, somebody.clerk, OfficeAct.EXPORTED, about=about)
    name = f"figures-{wanted.by}-{wanted.first}-{wanted.last}.csv"
    headers = HEADERS | {"content-disposition": f'attachment; filename="{name}"'}
    content = as_csv(found, wanted.by, names_of(gateway, wanted.by))
    return Response(content.encode(), 200, headers, media_type="text/csv; charset=utf-8")


def _assessed(gateway: Gateway, region: str, wanted: Wanted) -> tuple[Assessment, OnlineItems]:
    return assessment(gateway, region, months(wanted.first, wanted.last))
