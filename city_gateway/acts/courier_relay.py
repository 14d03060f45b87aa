"""A bag that a township brought over the line: taken in and answered in one act, like a stick that went both ways.

Law: the township proves who brings the bag, the bag proves whose mail it is; neither gives the other any right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from city_gateway.acts.courier_in import OpenPart, take_in
from city_gateway.acts.courier_out import answer_for
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import BagOfNobody, CourierGap, EnrolmentOver, Forked, NodeStopped, NodeUnknown
from city_gateway.ledger.journal import Road
from wire.bundle import Part, checked, claimed_node, open_body, write_body
from wire.errors import BundleIncomplete

ANSWER_BYTES = 8 * 1024 * 1024
FEED_BYTES = 2 * 1024 * 1024


def relayed(gateway: Gateway, body: bytes, limit: int) -> bytes:
    """Take the bag in; the answer is for its node, whoever brought it."""
    document, parts = open_body(body, limit)
    try:
        with suppress(CourierGap, EnrolmentOver, Forked, NodeStopped):  # proven its node's, which must hear of it
            take_in(gateway, document, _opener(parts), Road.RELAY)
    except NodeUnknown:
        raise BagOfNobody from None  # else the township would bring it for ever
    answer = answer_for(gateway, claimed_node(document), most_bytes=ANSWER_BYTES, most_feed=FEED_BYTES)
    return write_body(answer.document, [b"".join(chunks()) for _, chunks in answer.parts])


def _opener(parts: Sequence[bytes]) -> OpenPart:
    """The parts of a bundle in one piece, each checked when it is read."""

    def opened(place: int, part: Part) -> Iterator[bytes]:
        if place > len(parts):
            raise BundleIncomplete(place)
        return checked(part, [parts[place - 1]], f"part {place}")

    return opened
