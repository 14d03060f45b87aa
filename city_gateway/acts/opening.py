"""Opening a node's envelopes: from sealed bytes to an operation, or to the reason why it stays shut.

A reason is an outcome, not an exception: the envelope is stored either way and delays nothing behind it. Whatever
else a body makes go wrong is such a reason, too; only a disk that does not answer is not the sender's doing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from casework.errors import CaseworkError
from casework.events import Event, scans_of
from casework.record import event_from_plain
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger.journal import Road
from city_gateway.ledger.nodes import Node
from wire.envelope import Header, Kind, Opened, envelope_hash, open_proven, open_sealed, read_header
from wire.errors import UnknownDictionary, WireError
from wire.messages import Operation, Reason, read_operation

UNREADABLE = "operation.unreadable"
MALFORMED = "operation.malformed"
MOST_EVENTS = 50
MOST_SCANS = 500


@dataclass(frozen=True, slots=True)
class Received:
    """An authentic envelope of a node; `reason` says why it cannot be applied, if so; `parked` when it was stored
    before and waited, `overdue` when it has waited long enough, `decided` when a person said that it shall not wait
    any longer."""

    author: Node
    data: bytes
    header: Header
    hash: bytes
    body_hash: bytes
    content_key: bytes
    operation: Operation | None
    events: tuple[Event, ...]
    reason: Reason | None
    parked: bool = False
    overdue: bool = False
    decided: bool = False
    road: Road = Road.LINE

    @property
    def op_id(self) -> str:
        """The id under which the operation is known for ever."""
        return self.header.op_id.hex()

    @property
    def readable(self) -> bool:
        """Whether the body could be opened and read."""
        return self.operation is not None

    @property
    def application_id(self) -> str | None:
        """The application it is about."""
        return self.operation.application_id if self.operation else None

    @property
    def basis(self) -> int:
        """The last step of the application that its author had seen confirmed."""
        return self.operation.basis if self.operation else 0

    @property
    def scan_hashes(self) -> list[str]:
        """The scans it refers to."""
        return [scan.scan_hash for scan in scans_of(self.events)]

    def shut(self, why: str) -> Received:
        """The same envelope, refused for something that only showed while it was applied."""
        return replace(self, operation=None, events=(), reason=Reason(code=MALFORMED, params={"why": why}))


def receive(
    gateway: Gateway,
    node: Node,
    data: bytes,
    *,
    proven: bool = False,
    parked: bool = False,
    decided: bool = False,
    road: Road = Road.LINE,
) -> Received:
    """Open one envelope whose place in the chain was already checked; `proven` when its signature was just now, too."""
    header = read_header(data)
    named, whole = envelope_hash(data), hashlib.sha256(data).digest()
    one = Received(node, data, header, named, whole, b"", None, (), None, parked, decided=decided, road=road)
    try:
        opened = _open(gateway, None if proven else node.identity_public, data, header)
    except WireError as error:
        return replace(one, reason=Reason(code=UNREADABLE, params={"why": error.code}))
    except (OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - the sender chose these bytes; nothing in them may stop its line
        return replace(one, reason=Reason(code=UNREADABLE, params={"why": type(error).__name__}))
    one = replace(one, body_hash=hashlib.sha256(opened.body).digest(), content_key=opened.content_key)
    try:
        operation = read_operation(opened.body)
        events = tuple(event_from_plain(plain) for plain in operation.events[: MOST_EVENTS + 1])
    except (WireError, CaseworkError) as error:
        return one.shut(error.code)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return one.shut(type(error).__name__)
    if operation.op_id != one.op_id or header.kind is Kind.FEED or (events and not operation.application_id):
        return one.shut("header")
    read = replace(one, operation=operation, events=events)
    if len(events) > MOST_EVENTS or len(read.scan_hashes) > MOST_SCANS:
        return one.shut("size")
    return read


def _open(gateway: Gateway, signer_public: bytes | None, data: bytes, header: Header) -> Opened:
    recipient = gateway.keys.sealing_for(header.recipients)

    def attempt() -> Opened:
        known = gateway.dictionaries.known
        if signer_public is None:
            return open_proven(data, recipient=recipient, dictionaries=known)
        return open_sealed(data, recipient=recipient, signer_public=signer_public, dictionaries=known)

    try:
        return attempt()
    except UnknownDictionary:
        gateway.dictionaries.look_again()
        return attempt()
