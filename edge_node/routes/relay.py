"""The township's door for bags of villages on the LAN: POST /relay/bags, GET /relay/answers/{node}.

Laws: nobody signs in here, because nothing here can be read and nothing decides; the answers are codes, not sentences,
for a program; a body is bounded while it comes and a slow one is given up.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from edge_node.access import CounterHere
from edge_node.acts import relaying
from edge_node.counter.errors import ActRefused, RelayClosed, RelayFull
from offline_store.errors import StoreError
from wire.bundle import BUNDLE_TYPE

SLOW_SECONDS: Final = 120.0
AT_ONCE: Final = 4
ACCEPTED, NOT_MODIFIED, NO_CONTENT = 202, 304, 204

router = APIRouter(prefix="/relay")
NodeId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_places = asyncio.Semaphore(AT_ONCE)


@router.post("/bags")
async def take_bag(request: Request, counter: CounterHere) -> Response:
    """Take a bag in; 202 says that it lies here, which no village believes to be more."""
    if _places.locked():
        return _refused("relay.full", 503)
    async with _places:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return _refused("relay.slow", 408)
        if body is None:
            return _refused("relay.full", 413)
        try:
            name = await run_in_threadpool(relaying.take_bag, counter, body)
        except ActRefused as refusal:
            return _refused(refusal.code, _status(refusal))
        except (StoreError, OSError):
            return _refused("relay.full", 507)
    counter.nudge()
    return JSONResponse({"bag": name}, ACCEPTED)


@router.get("/answers/{node_id}")
def answer(request: Request, counter: CounterHere, node_id: NodeId) -> Response:
    """The newest answer of the city for this village; 304 when it is the one that the village has."""
    try:
        body = relaying.answer_for(counter, node_id)
    except ActRefused as refusal:
        return _refused(refusal.code, _status(refusal))
    if body is None:
        return Response(status_code=NO_CONTENT)
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=NOT_MODIFIED, headers={"etag": tag})
    return Response(body, media_type=BUNDLE_TYPE, headers={"etag": tag})


async def _body(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > relaying.BAG_MAX_BYTES:
            return None
    return bytes(body)


def _status(refusal: ActRefused) -> int:
    if isinstance(refusal, RelayClosed):
        return 404
    return 507 if isinstance(refusal, RelayFull) else 422


def _refused(code: str, status: int) -> Response:
    return JSONResponse({"error": {"code": code}}, status)
