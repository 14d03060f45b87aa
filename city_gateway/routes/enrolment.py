"""GET /v1/enrol: the gateway's card. POST /v1/enrol: a sealed request with a one-time code, answered with a document.

The code is the only credential here; nothing is told to who has none.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from city_gateway.access import gateway_of, limited
from city_gateway.acts.enrol import card, enrol
from city_gateway.admission import GuessLimit
from city_gateway.errors import CodeRefused

MAX_REQUEST_BYTES = 16 * 1024
NO_STORE = {"cache-control": "no-store"}

router = APIRouter()


@router.get("/v1/enrol")
def get_card(request: Request) -> Response:
    """What this gateway is; believed only through a code's fingerprint."""
    return JSONResponse(card(gateway_of(request)), headers=NO_STORE)


@router.post("/v1/enrol")
async def post_enrol(request: Request) -> Response:
    """Make a node."""
    gateway, guesses = gateway_of(request), _guesses(request)
    guesses.check(gateway.clock())
    body = b"".join([piece async for piece in limited(request, MAX_REQUEST_BYTES)])
    try:
        document = await run_in_threadpool(enrol, gateway, body)
    except CodeRefused:
        guesses.wrong(gateway.clock())
        raise
    return JSONResponse(document, headers=NO_STORE)


def _guesses(request: Request) -> GuessLimit:
    guesses: GuessLimit = request.app.state.guesses
    return guesses
