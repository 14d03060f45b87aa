"""POST /v1/exchange: a batch up, a signed receipt and the next page of the feed down, in one round trip.

A node that has nothing to say and for whom there is nothing may ask to be held (`wait_s`, `hold_s`) until there is.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from city_gateway.access import Signed, announced_length, gateway_of, read_body, signed_node
from city_gateway.acts.receive import exchange
from city_gateway.admission import Admission
from city_gateway.errors import Busy
from city_gateway.news import NewsDesk
from wire.messages import CONTENT_TYPE, MAX_EXCHANGE_BYTES, ExchangeRequest, read_request

LOOK_WHETHER_GONE_S = 10.0
AFTER_A_RESTART_S = 10

router = APIRouter(dependencies=[Depends(signed_node)])


@router.post("/v1/exchange")
async def post_exchange(request: Request, signed: Signed) -> Response:
    """One exchange."""
    admission: Admission = request.app.state.exchanges
    async with admission.inside(signed.node_id, announced_length(request, MAX_EXCHANGE_BYTES)) as here:
        asked = read_request(await here.reading(read_body(request, MAX_EXCHANGE_BYTES)))
        request.state.asked = (asked.head.node, asked.head.nonce)
        async with here.at_work(light=not asked.envelopes):
            answer = await run_in_threadpool(exchange, gateway_of(request), signed.node_id, asked)
    if answer.quiet and _hold_s(asked) > 0 and await _held(request, signed.node_id, asked):
        async with admission.inside(signed.node_id, was_held=True) as here, here.at_work(light=True):
            answer = await run_in_threadpool(exchange, gateway_of(request), signed.node_id, asked)
    return Response(answer.body, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


async def _held(request: Request, node_id: str, asked: ExchangeRequest) -> bool:
    """Hold; True when the ledger is to be asked again (news, or the time is over and the receipt is old)."""
    desk: NewsDesk = request.app.state.news
    if desk.is_full:
        return False
    head = asked.head
    ends_at = asyncio.get_running_loop().time() + _hold_s(asked)
    while (left := ends_at - asyncio.get_running_loop().time()) > 0:
        told = await desk.wait(node_id, head.feed_cursor, min(left, LOOK_WHETHER_GONE_S), head.catalog_mark)
        if desk.is_closed:  # the receipt in hand is old by now, and a new one would keep the gateway from ending
            raise Busy(1 + gateway_of(request).randomness(1)[0] % AFTER_A_RESTART_S)
        if told:
            return True
        if await request.is_disconnected():
            return False
    return True


def _hold_s(asked: ExchangeRequest) -> int:
    """How long this node wants to be held; one that knows `hold_s` says `wait_s` for cities that do not."""
    return max(asked.head.wait_s, asked.head.hold_s)
