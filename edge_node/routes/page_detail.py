"""One application on the page, and its scans: the sheet with its tools, and the bytes behind it.

Laws
- A scan is opened in memory for this answer only, is never cached, and is served as nothing but a picture or a PDF.
- A scan is shown only as part of an application that the clerk may see; one that has not arrived is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from edge_node.access import CounterHere
from edge_node.acts import intake
from edge_node.counter.errors import ScanNotHere, UnknownScan
from edge_node.routes.page_file import PDF, Sheet
from edge_node.routes.page_headers import PDF_POLICY, SCAN_POLICY
from edge_node.routes.page_open import ApplicationId, Opened, open_file
from edge_node.routes.page_session import Looking
from edge_node.routes.page_words import page
from edge_node.wording import sentence

router = APIRouter(prefix="/review/{application_id}")

ScanHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
DONE: Final = frozenset(
    {
        "begun",
        "returned",
        "accepted",
        "provisionally_accepted",
        "declined",
        "not_required",
        "forwarded",
        "already",
    }
)
ZOOMS: Final = ("fit", "100", "150", "200")
TURNS: Final = (0, 90, 180, 270)
PICTURES: Final = frozenset({"image/webp", "image/jpeg", "image/png"})


@dataclass(frozen=True, slots=True)
class Tool:
    """One button over a sheet: a plain address, so that it works without script."""

    url: str
    words: str
    current: bool = False


@router.get("")
def show_application(counter: CounterHere, visitor: Looking, application_id: ApplicationId, done: str = "") -> Response:
    """One application."""
    opened = open_file(counter, visitor, application_id)
    return page(
        "application.html",
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        done=done if done in DONE else "",
    )


@router.get("/scans/{scan_hash}")
def show_scan(
    counter: CounterHere,
    visitor: Looking,
    application_id: ApplicationId,
    scan_hash: ScanHash,
    zoom: str = "fit",
    turn: str = "0",
) -> Response:
    """One sheet, to be looked at."""
    opened = open_file(counter, visitor, application_id)
    sheet = _sheet(opened, scan_hash)
    if not sheet.arrived:
        _ask_for(counter, visitor, scan_hash)
    zoomed = zoom if zoom in ZOOMS else "fit"
    turned = int(turn) if turn in {str(angle) for angle in TURNS} else 0
    here = f"/review/{application_id}/scans/{scan_hash}"
    return page(
        "scan.html",
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        here_sheet=sheet,
        bytes_url=f"{here}/bytes",
        zoom=zoomed,
        turn=turned,
        tools=_tools(here, zoomed, turned),
    )


@router.get("/scans/{scan_hash}/bytes")
def scan_bytes(counter: CounterHere, visitor: Looking, application_id: ApplicationId, scan_hash: ScanHash) -> Response:
    """The bytes of one sheet."""
    _sheet(open_file(counter, visitor, application_id), scan_hash)
    scan = intake.open_for_showing(counter, visitor.who, scan_hash)
    plain = b"".join(scan.plain)
    if scan.media_type == PDF:
        headers = {"Content-Security-Policy": PDF_POLICY, "Content-Disposition": 'inline; filename="scan.pdf"'}
        return Response(plain, media_type=PDF, headers=headers)
    kind = scan.media_type if scan.media_type in PICTURES else "application/octet-stream"
    return Response(plain, media_type=kind, headers={"Content-Security-Policy": SCAN_POLICY})


def _sheet(opened: Opened, scan_hash: str) -> Sheet:
    sheet = next((one for one in opened.view.all_sheets if one.scan_hash == scan_hash), None)
    if sheet is None:
        raise UnknownScan(scan_hash=scan_hash)
    return sheet


def _ask_for(counter: CounterHere, visitor: Looking, scan_hash: str) -> None:
    """Opening a scan that is on its way makes it urgent."""
    try:
        intake.open_for_showing(counter, visitor.who, scan_hash)
    except (ScanNotHere, UnknownScan):
        return


def _tools(here: str, zoom: str, turn: int) -> tuple[Tool, ...]:
    zooms = [
        Tool(f"{here}?zoom={value}&turn={turn}", sentence(f"page.scan.zoom.{value}"), current=value == zoom)
        for value in ZOOMS
    ]
    turns = [
        Tool(f"{here}?zoom={zoom}&turn={(turn + angle) % 360}", sentence(f"page.scan.turn_{side}"))
        for side, angle in (("left", 270), ("right", 90))
    ]
    return (*zooms, *turns)
