"""The door of enrolment over a line: the gateway's card, and a sealed request answered with a signed document.

Laws: whatever is not the gateway's own signed word is "not reachable", never a refusal; redirects are not followed.
"""

from __future__ import annotations

import httpx

from provisioning.door import document_in
from provisioning.errors import GatewayUnreachable
from wire.canonical import read_json
from wire.enrolment import Code, EnrolmentRequest, GatewayCard, read_card, seal_request
from wire.errors import WireError, WrongGateway
from wire.signed import SignedDocument


class GatewayDoor:
    """`/v1/enrol` of one gateway."""

    def __init__(self, client: httpx.Client, gateway_url: str) -> None:
        self._client, self._address = client, f"{gateway_url.rstrip('/')}/v1/enrol"

    def card(self, code: Code) -> GatewayCard:
        """What the gateway says of itself, proven by the code."""
        answer = self._said("GET")
        if answer.status_code != httpx.codes.OK:
            raise GatewayUnreachable(status=answer.status_code)
        try:
            return read_card(read_json(answer.content), code)
        except WrongGateway:
            raise
        except WireError as broken:
            raise GatewayUnreachable(status=answer.status_code) from broken

    def ask(self, request: EnrolmentRequest, gateway: GatewayCard) -> SignedDocument:
        """Ask now."""
        answer = self._said("POST", seal_request(request, gateway.sealing_publics[0]))
        try:
            return document_in(answer.content, gateway)
        except WireError as broken:
            raise GatewayUnreachable(status=answer.status_code) from broken

    def _said(self, method: str, body: bytes | None = None) -> httpx.Response:
        try:
            headers = {"content-type": "application/octet-stream"} if body is not None else None
            return self._client.request(method, self._address, content=body, headers=headers, follow_redirects=False)
        except httpx.HTTPError as broken:
            raise GatewayUnreachable(status=0) from broken
