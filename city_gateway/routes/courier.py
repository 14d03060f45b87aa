"""POST /v1/courier: a bag of another node, brought by a node that has a line; the answer is for the other node."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from city_gateway.access import Signed, active_node, announced_length, gateway_of, read_body, signed_node
from city_gateway.acts.courier_relay import relayed
from city_gateway.admission import Admission
from wire.bundle import BUNDLE_TYPE
from wire.messages import MAX_EXCHANGE_BYTES

router = APIRouter(dependencies=[Depends(signed_node), Depends(active_node)])


@router.post("/v1/courier")
async def post_courier(request: Request, signed: Signed) -> Response:
    """Take one bag in; it waits in the line of exchanges, in the turn of the node that brings it."""
    admission: Admission = request.app.state.exchanges
    async with admission.inside(signed.node_id, announced_length(request, MAX_EXCHANGE_BYTES)) as here:
        body = await here.reading(read_body(request, MAX_EXCHANGE_BYTES))
        async with here.at_work():
            answer = await run_in_threadpool(relayed, gateway_of(request), body, MAX_EXCHANGE_BYTES)
    return Response(answer, media_type=BUNDLE_TYPE, headers={"cache-control": "no-store"})
