"""/office/nodes, /office/catalog, /office/audit: fleet, catalog, and who looked at an application; for administrators.

Laws: an administrator sees nodes and applications' access histories of the own region, and no papers; a look at a
history is an entry of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.identifiers import region_covers
from city_gateway.access import gateway_of
from city_gateway.acts import office_audit
from city_gateway.acts.adoption import catalog_view
from city_gateway.acts.audit_words import act_of, stood_for
from city_gateway.acts.fleet import Asked, fleet
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office import SignedIn
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.acts.standing import backing, timeline_line
from city_gateway.catalog.wording import stage_line
from city_gateway.ledger import backups, cases
from city_gateway.ledger.office_audit import AuditRow
from city_gateway.routes.office_frame import Administrator, page_of
from city_gateway.wording import say

PAGE = 50
TEXT_MOST = 64

router = APIRouter(prefix="/office")


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry as it is shown."""

    row: AuditRow
    department: str
    act: str


@router.get("/nodes")
def nodes_page(
    request: Request, somebody: Administrator, which: str = "all", text: str = "", page: int = 1
) -> Response:
    """The fleet, and whether the gateway itself is backed up."""
    gateway = gateway_of(request)
    now = gateway.clock()
    with gateway.ledger.reading() as tx:
        standing = backing(backups.newest(tx, now), backups.last_restore(tx), now)
    restored = timeline_line(standing.restored) if standing.restored is not None else ""
    asked = Asked(region=somebody.clerk.region, which=which, text=_searched(text))
    found = fleet(gateway, asked)
    pages = max(1, -(-len(found.lines) // PAGE))
    page = max(1, min(page, pages))
    return page_of(
        request,
        "nodes.html",
        somebody,
        lines=found.lines[(page - 1) * PAGE : page * PAGE],
        total=len(found.lines),
        counts=found.counts,
        which=found.which,
        text=asked.text,
        page=page,
        pages=pages,
        standing=standing,
        restored=restored,
    )


@router.get("/catalog")
def catalog_page(request: Request, somebody: Administrator) -> Response:
    """Releases, their stage, who has them; revocations and notices."""
    view = catalog_view(gateway_of(request), somebody.clerk.region)
    stages = {one.version: stage_line(one.stage, say) for one in view.releases if one.stage is not None}
    return page_of(request, "catalog.html", somebody, view=view, stages=stages)


@router.get("/audit")
def audit_page(request: Request, somebody: Administrator, text: str = "") -> Response:
    """Who had to do with one application."""
    text = _searched(text)
    gateway = gateway_of(request)
    application_id = _found(gateway, somebody, text) if text else None
    history: list[HistoryLine] = []
    if application_id is not None:
        office_audit.noted(gateway, somebody.clerk, OfficeAct.HISTORY_READ, application_id)
        rows = office_audit.history(gateway, application_id)
        history = [HistoryLine(row, stood_for(row), act_of(row)) for row in rows]
    return page_of(
        request, "audit.html", somebody, text=text, searched=bool(text), application_id=application_id, history=history
    )


def _searched(text: str) -> str:
    return text.replace("\0", "").strip()[:TEXT_MOST]


def _found(gateway: Gateway, somebody: SignedIn, text: str) -> str | None:
    """The one application of this receipt number or id in the own region."""
    with gateway.ledger.reading() as tx:
        found = cases.only(tx, text)
    mine = found is not None and region_covers(somebody.clerk.region, found.application.site)
    return found.application.application_id if found is not None and mine else None
