"""GET /v1/health: that the ledger answers, signed, with the server's time."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from casework.record import moment_to_text
from city_gateway.access import gateway_of
from city_gateway.ledger import nodes
from wire.signed import sign_document

HEALTH_LABEL = "health"

router = APIRouter()


@router.get("/v1/health")
def get_health(request: Request) -> Response:
    """Alive, and the ledger can be read."""
    gateway = gateway_of(request)
    with gateway.ledger.reading() as tx:
        nodes.find(tx, "")
    said = {
        "gateway": gateway.keys.gateway_id,
        "epoch": gateway.ledger.epoch,
        "server_time": moment_to_text(gateway.clock()),
    }
    return JSONResponse(sign_document(HEALTH_LABEL, said, gateway.keys.signing), headers={"cache-control": "no-store"})
