"""Speaking to the gateway's door of enrolment: its card, and a sealed request answered with a signed document.

Laws: a card is believed only through the code's fingerprint; whatever is not the gateway's own signed word is "not
reachable", never a refusal; redirects are not followed.
"""

from __future__ import annotations

from typing import Any

import httpx

from provisioning.errors import GatewayRefused, GatewayUnreachable
from wire.canonical import read_json
from wire.enrolment import Code, GatewayCard, read_card
from wire.errors import WireError, WrongGateway
from wire.messages import read_refusal
from wire.signed import SignedDocument


def address_of(gateway_url: str) -> str:
    """Where a gateway enrols."""
    return f"{gateway_url.rstrip('/')}/v1/enrol"


def card(client: httpx.Client, address: str, code: Code) -> GatewayCard:
    """What the gateway says of itself, proven by the code."""
    answer = _said(client, "GET", address)
    if answer.status_code != httpx.codes.OK:
        raise GatewayUnreachable(status=answer.status_code)
    try:
        return read_card(read_json(answer.content), code)
    except WrongGateway:
        raise
    except WireError as broken:
        raise GatewayUnreachable(status=answer.status_code) from broken


def ask(client: httpx.Client, address: str, sealed: bytes, gateway: GatewayCard) -> SignedDocument:
    """The document with which the gateway answers a request, not proven yet."""
    answer = _said(client, "POST", address, sealed)
    try:
        document: Any = read_json(answer.content)
        if answer.status_code == httpx.codes.OK and isinstance(document, dict):
            return document
        refusal = read_refusal(document, gateway.signing_public)
    except WireError as broken:
        raise GatewayUnreachable(status=answer.status_code) from broken
    raise GatewayRefused(refusal=refusal.code)


def _said(client: httpx.Client, method: str, address: str, body: bytes | None = None) -> httpx.Response:
    try:
        headers = {"content-type": "application/octet-stream"} if body is not None else None
        return client.request(method, address, content=body, headers=headers, follow_redirects=False)
    except httpx.HTTPError as broken:
        raise GatewayUnreachable(status=0) from broken
