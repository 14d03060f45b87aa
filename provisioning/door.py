"""The city's door of enrolment as a machine sees it, whichever road leads there: a line, or a stick that is carried.

Law: a card is believed only through the code's fingerprint, an answer only with the gateway's signature.
"""

from __future__ import annotations

from typing import Any, Protocol

from provisioning.errors import GatewayRefused
from wire.canonical import read_json
from wire.enrolment import Code, EnrolmentRequest, GatewayCard, read_enrolment
from wire.errors import WireError
from wire.messages import read_refusal
from wire.signed import SignedDocument


class Door(Protocol):
    """Where a machine asks to become a node."""

    def card(self, code: Code) -> GatewayCard:
        """What the gateway says of itself, proven by the code."""

    def ask(self, request: EnrolmentRequest, gateway: GatewayCard) -> SignedDocument:
        """The enrolment document with which the gateway answers; GatewayRefused for its signed no."""


def document_in(answer: bytes, gateway: GatewayCard) -> SignedDocument:
    """The enrolment document that an answer is; GatewayRefused when it is a signed refusal, WireError when it is
    nothing of the gateway's."""
    document: Any = read_json(answer)
    try:
        read_enrolment(document, gateway.signing_public)
    except WireError:
        raise GatewayRefused(refusal=read_refusal(document, gateway.signing_public).code) from None
    return dict(document)
