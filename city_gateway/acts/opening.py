"""Opening a node's envelopes: from sealed bytes to an operation, or to the reason why it stays shut.

A reason is an outcome, not an exception: the envelope is stored either way and delays nothing behind it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from casework.errors import CaseworkError
from casework.events import Event
from casework.record import event_from_plain
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger.nodes import Node
from wire.envelope import Header, Kind, Opened, envelope_hash, open_sealed, read_header
from wire.errors import UnknownDictionary, WireError
from wire.messages import Operation, Reason, read_operation

UNREADABLE = "operation.unreadable"
MALFORMED = "operation.malformed"


@dataclass(frozen=True, slots=True)
class Received:
    """An authentic envelope of a node; `reason` says why it cannot be applied, if so."""

    data: bytes
    header: Header
    hash: bytes
    body_hash: bytes
    content_key: bytes
    operation: Operation | None
    events: tuple[Event, ...]
    reason: Reason | None

    @property
    def op_id(self) -> str:
        """The id under which the operation is known for ever."""
        return self.header.op_id.hex()

    @property
    def readable(self) -> bool:
        """Whether the body could be opened and read."""
        return self.operation is not None


def receive(gateway: Gateway, node: Node, data: bytes) -> Received:
    """Open one envelope whose place in the chain was already checked."""
    header = read_header(data)
    try:
        opened = _open(gateway, node, data, header)
    except WireError as error:
        return _shut(data, header, Reason(code=UNREADABLE, params={"why": error.code}))
    body_hash = hashlib.sha256(opened.body).digest()
    try:
        operation = read_operation(opened.body)
        events = tuple(event_from_plain(plain) for plain in operation.events)
    except (WireError, CaseworkError) as error:
        reason = Reason(code=MALFORMED, params={"why": error.code})
        return _shut(data, header, reason, body_hash, opened.content_key)
    if operation.op_id != header.op_id.hex() or header.kind is Kind.FEED or (events and not operation.application_id):
        return _shut(data, header, Reason(code=MALFORMED, params={"why": "header"}), body_hash, opened.content_key)
    return Received(data, header, envelope_hash(data), body_hash, opened.content_key, operation, events, None)


def _open(gateway: Gateway, node: Node, data: bytes, header: Header) -> Opened:
    recipient = gateway.keys.sealing_for(header.recipients)

    def attempt() -> Opened:
        return open_sealed(
            data, recipient=recipient, signer_public=node.identity_public, dictionaries=gateway.dictionaries.known
        )

    try:
        return attempt()
    except UnknownDictionary:
        gateway.dictionaries.look_again()
        return attempt()


def _shut(data: bytes, header: Header, reason: Reason, body_hash: bytes = b"", content_key: bytes = b"") -> Received:
    known_by = body_hash or hashlib.sha256(data).digest()
    return Received(data, header, envelope_hash(data), known_by, content_key, None, (), reason)
