"""Scans: streamed in, sealed before they touch the disk, shown from memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from edge_node.access import Clerk, CounterHere
from edge_node.acts import intake
from edge_node.acts.errors import ScanTooLarge
from edge_node.acts.picture import SCAN_MAX_BYTES
from wire.counter import ScanView

router = APIRouter(prefix="/counter", dependencies=[])

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@router.post("/drafts/{draft_id}/scans")
async def take_in(
    request: Request,
    counter: CounterHere,
    who: Clerk,
    draft_id: str,
    material_id: str,
    page: Annotated[int | None, Query(ge=1, le=999)] = None,
) -> ScanView:
    """Take one scan in. The body is read into memory and never spooled to the disk."""
    await run_in_threadpool(intake.check_room, counter)
    await run_in_threadpool(intake.check_place, counter, who, draft_id, material_id)
    received = bytearray()
    async for piece in request.stream():
        received += piece
        if len(received) > SCAN_MAX_BYTES:
            raise ScanTooLarge(max_mib=SCAN_MAX_BYTES // (1024 * 1024))
    return await run_in_threadpool(intake.take_in, counter, who, draft_id, material_id, page, received)


@router.delete("/drafts/{draft_id}/scans/{scan_hash}", status_code=204)
def remove(counter: CounterHere, who: Clerk, draft_id: str, scan_hash: str) -> Response:
    """Throw one scan of a draft away."""
    intake.remove(counter, who, draft_id, scan_hash)
    return Response(status_code=204)


@router.get("/scans/{scan_hash}")
def show(counter: CounterHere, who: Clerk, scan_hash: str) -> StreamingResponse:
    """The picture, opened in memory."""
    opened = intake.open_for_showing(counter, who, scan_hash)
    return StreamingResponse(opened.plain, media_type=opened.media_type, headers=NO_STORE)
