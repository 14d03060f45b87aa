"""Scans over HTTP: streamed in and out, in memory only.

Laws: who asks and where the scan belongs are checked before a byte of the body is read; the body is never spooled to
a file; a body that stops arriving is given up; at most two are received at a time, and one is worked on.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from edge_node.access import Clerk, CounterHere
from edge_node.acts import intake
from edge_node.counter.counter import MIB
from edge_node.counter.errors import ScanInterrupted, ScanTooLarge
from edge_node.counter.picture import SCAN_MAX_BYTES
from wire.counter import ScanView

router = APIRouter()

ROUTE_MAX_BYTES: Final = SCAN_MAX_BYTES + MIB
"""Above the act's own limit, so that the act's sentence is the one that is read."""

QUIET_SECONDS: Final = 30.0
RECEIVING_AT_ONCE: Final = 2
SHOWN: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


@router.post("/drafts/{draft_id}/scans", status_code=201, max_body_size=ROUTE_MAX_BYTES)
async def take_in(
    request: Request,
    counter: CounterHere,
    who: Clerk,
    draft_id: str,
    material_id: Annotated[str, Query(min_length=1, max_length=80)],
    page: Annotated[int | None, Query(ge=1, le=999)] = None,
) -> ScanView:
    """Take in one page."""
    await run_in_threadpool(intake.check_room, counter)
    await run_in_threadpool(intake.check_place, counter, who, draft_id, material_id)
    async with request.app.state.receiving:
        data = await received(request)
        return await run_in_threadpool(intake.take_in, counter, who, draft_id, material_id, page, data)


@router.get("/scans/{scan_hash}")
def show(counter: CounterHere, who: Clerk, scan_hash: str) -> Response:
    """Show one page, opened in memory."""
    scan = intake.open_for_showing(counter, who, scan_hash)
    return StreamingResponse(scan.plain, media_type=scan.media_type, headers=SHOWN)


@router.delete("/drafts/{draft_id}/scans/{scan_hash}", status_code=204)
def remove(counter: CounterHere, who: Clerk, draft_id: str, scan_hash: str) -> Response:
    """Throw one page away."""
    intake.remove(counter, who, draft_id, scan_hash)
    return Response(status_code=204)


async def received(request: Request) -> bytearray:
    """The body, held in memory and bounded."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > SCAN_MAX_BYTES:
        raise ScanTooLarge(max_bytes=SCAN_MAX_BYTES, max_mib=SCAN_MAX_BYTES // MIB)
    data = bytearray()
    pieces = request.stream()
    try:
        while True:
            piece = await asyncio.wait_for(anext(pieces), QUIET_SECONDS)
            data += piece
            if len(data) > SCAN_MAX_BYTES:
                raise ScanTooLarge(max_bytes=SCAN_MAX_BYTES, max_mib=SCAN_MAX_BYTES // MIB)
    except StopAsyncIteration:
        return data
    except (TimeoutError, ClientDisconnect):
        raise ScanInterrupted from None
