"""The township's door for bags of villages on the LAN: POST /relay/bags, GET /relay/answers/{node}.

Laws: nobody signs in here, because nothing here can be read and nothing decides; a refusal has the one shape of
`faults`, its code for the village's program and its sentence for whoever looks by hand; a body is bounded while it
comes and a slow one is given up.
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
from edge_node.counter.errors import ActRefused, RelayClosed, RelayFull, RelayRefused, RelaySlow, RelayTooLarge
from edge_node.faults import NO_STORE, error_of, params_of
from offline_store.errors import StoreError
from wire.bundle import BUNDLE_TYPE

SLOW_SECONDS: Final = 120.0
AT_ONCE: Final = 4
BODY_MAX_BYTES: Final = 2**62
"""The framework's own limit would answer without a code; the route bounds a bag while it comes."""
ACCEPTED, NOT_MODIFIED, NO_CONTENT = 202, 304, 204
BUSY = 503
STATUS: Final[dict[type[ActRefused], int]] = {
    RelayClosed: 404,
    RelaySlow: 408,
    RelayTooLarge: 413,
    RelayRefused: 422,
    RelayFull: 507,
}

router = APIRouter(prefix="/relay")
NodeId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_places = asyncio.Semaphore(AT_ONCE)


@router.post("/bags")
async def take_bag(request: Request, counter: CounterHere) -> Response:
    """Take a bag in; 202 says that it lies here, which no village believes to be more."""
    if _places.locked():
        return _refused(RelayFull(why="busy"), BUSY)
    async with _places:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                body = await _body(request)
            name = await run_in_threadpool(relaying.take_bag, counter, body)
        except TimeoutError:
            return _refused(RelaySlow(seconds=int(SLOW_SECONDS)))
        except ActRefused as refusal:
            return _refused(refusal)
        except (StoreError, OSError):
            return _refused(RelayFull(why="disk"))
    counter.nudge()
    return JSONResponse({"bag": name}, ACCEPTED)


@router.get("/answers/{node_id}")
def answer(request: Request, counter: CounterHere, node_id: NodeId) -> Response:
    """The newest answer of the city for this village; 304 when it is the one that the village has."""
    try:
        body = relaying.answer_for(counter, node_id)
    except ActRefused as refusal:
        return _refused(refusal)
    if body is None:
        return Response(status_code=NO_CONTENT)
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=NOT_MODIFIED, headers={"etag": tag})
    return Response(body, media_type=BUNDLE_TYPE, headers={"etag": tag})


async def _body(request: Request) -> bytes:
    """The whole body, refused as soon as it is larger than any bag."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        relaying.check_size(len(body))
    return bytes(body)


def _refused(refusal: ActRefused, status: int | None = None) -> Response:
    error = error_of(refusal.code, params_of(refusal))
    return JSONResponse({"error": error}, status or STATUS[type(refusal)], NO_STORE)
