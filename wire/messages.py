"""What node and gateway say: the exchange, the operation inside an envelope, the entry of the feed.

Laws:
- The body of a request or reply is a pack of frames; the first is JSON, the others are sealed envelopes, whole.
- An operation is immutable: its op_id was made when it was saved, and stays with it through re-chaining.
- Events are plain data here; `casework.record` gives them meaning. Unknown fields are kept by who stores the body
  and ignored by who reads it.
- A reader of the feed applies, for each entry: its own journaled events for its own op_id, otherwise the events of
  the enclosed envelope; then the entry's `events`. The city's order is the order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from wire.canonical import canonical_json, read_json
from wire.errors import MalformedMessage
from wire.fields import Bytes, Hash, Hex32, Key, Moment, Plain, Told
from wire.frames import pack, unpack
from wire.keys import SigningKey
from wire.signed import SignedDocument, read_message, sign_message, validated

__all__ = [
    "CONTENT_TYPE",
    "HOLD_MOST_S",
    "MAX_EXCHANGE_BYTES",
    "RATING_LABEL",
    "WAIT_MOST_S",
    "ExchangeHead",
    "ExchangeReply",
    "ExchangeRequest",
    "FeedEntry",
    "NodeReport",
    "Operation",
    "Reason",
    "Refusal",
    "Result",
    "Times",
    "body_of",
    "read_feed_entry",
    "read_operation",
    "read_refusal",
    "read_reply",
    "read_request",
    "sign_refusal",
    "write_reply",
    "write_request",
]

CONTENT_TYPE = "application/vnd.guangan.exchange"
REFUSAL_LABEL = "refusal"
RATING_LABEL = "rating"
MAX_EXCHANGE_BYTES = 16 * 1024 * 1024
MAX_ENVELOPES = 1000
WAIT_MOST_S, HOLD_MOST_S = 300, 3600


ALARMS_MOST = 40
AlarmCode = Annotated[str, Field(max_length=40)]


class NodeReport(Told):
    """What a node tells of itself for the console; no personal data."""

    catalog_version: int | None = None
    program_version: str = ""
    backlog_ops: int = 0
    backlog_scans: int = 0
    disk_free_mb: int | None = None
    clock_offset_s: int | None = None
    machine: str = Field(default="", max_length=64)
    alarms: list[AlarmCode] = Field(default_factory=list, max_length=ALARMS_MOST)


class ExchangeHead(Told):
    """The first frame of a request; `nonce` is also the nonce of its HTTP signature.

    `feed_hash` is the hash of the envelope at `feed_cursor`, by which a restored city sees where its feed parts ways.
    `hold_s` is for a city that can hold a question longer than the 300 seconds of `wait_s`; another one does not know
    it. `catalog_mark` is the mark of the catalog that this node has looked at, repeated from a receipt.
    `enrolled_until` is the end of the enrolment document that the node holds, by which the city sees whether to renew.
    """

    node: Hex32
    nonce: Hex32
    feed_cursor: int = Field(ge=0)
    feed_hash: Hash | None = None
    feed_limit: int = Field(default=100, ge=0, le=MAX_ENVELOPES)
    scans_asking: list[Hash] = Field(default_factory=list, max_length=500)
    wait_s: int = Field(default=0, ge=0, le=WAIT_MOST_S)
    hold_s: int = Field(default=0, ge=0, le=HOLD_MOST_S)
    catalog_mark: str | None = Field(default=None, max_length=64)
    enrolled_until: Moment | None = None
    report: NodeReport = Field(default_factory=NodeReport)


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """A request taken apart."""

    head: ExchangeHead
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ExchangeReply:
    """A reply taken apart; the receipt is not proven yet."""

    receipt: SignedDocument
    feed: tuple[bytes, ...]


class Times(Told):
    """When something was saved, as far as the machine could know."""

    wall: Moment
    monotonic: float
    boot_id: str
    confidence: Literal["confirmed", "estimated", "doubtful"]


class Operation(Told):
    """The body of an OPERATION or AUDIT envelope."""

    v: Literal[1] = 1
    op_id: Hex32
    application_id: Hex32 | None = None
    events: list[Plain] = Field(default_factory=list)
    audit: Plain | None = None
    clerk: str
    times: Times
    catalog_version: int | None = None
    basis: int = Field(default=0, ge=0)
    rating: Bytes | None = None


class Reason(Told):
    """Why the city refused an operation; a person at the node must see it."""

    code: str
    params: Plain = Field(default_factory=dict)


class Result(StrEnum):
    """What became of an operation at the city."""

    APPLIED = "applied"
    REFUSED = "refused"
    RECORDED = "recorded"  # it moves no application


class FeedEntry(Told):
    """The body of a FEED envelope: one step of one application in the city's order."""

    v: Literal[1] = 1
    application_id: Hex32 | None
    case_seq: int = Field(ge=0)
    op_id: Hex32 | None = None
    author_node: Hex32 | None = None
    author_role: str
    author_public: Key | None = None
    result: Result = Field(strict=False)
    refusal: Reason | None = None
    events: list[Plain] = Field(default_factory=list)
    envelope: Bytes | None = None
    wrap: Bytes | None = None
    scan_wraps: dict[Hash, Bytes] = Field(default_factory=dict)


class Refusal(Told):
    """What the gateway answers when it does not do what was asked; always signed."""

    code: str
    message: str = ""
    node: Hex32 | None = None
    nonce: Hex32 | None = None
    server_time: Moment
    retry_after: int | None = Field(default=None, ge=0)


def body_of(message: Operation | FeedEntry) -> bytes:
    """The bytes to seal."""
    return canonical_json(message.model_dump(mode="json", exclude_defaults=True) | {"v": message.v})


def read_operation(body: bytes) -> Operation:
    """The operation from an opened OPERATION or AUDIT envelope."""
    return validated(Operation, body, "operation")


def read_feed_entry(body: bytes) -> FeedEntry:
    """The entry from an opened FEED envelope."""
    return validated(FeedEntry, body, "feed entry")


def write_request(head: ExchangeHead, envelopes: Iterable[bytes]) -> bytes:
    """The body of POST /v1/exchange."""
    return pack([canonical_json(head.model_dump(mode="json", exclude_defaults=True)), *envelopes])


def read_request(body: bytes, limit: int = MAX_EXCHANGE_BYTES) -> ExchangeRequest:
    """Take a request apart; the envelopes are not looked at."""
    first, envelopes = _frames(body, limit, "exchange request")
    return ExchangeRequest(validated(ExchangeHead, first, "exchange head"), tuple(envelopes))


def write_reply(receipt: SignedDocument, feed: Iterable[bytes]) -> bytes:
    """The body of the answer."""
    return pack([canonical_json(receipt), *feed])


def read_reply(body: bytes, limit: int = MAX_EXCHANGE_BYTES) -> ExchangeReply:
    """Take an answer apart; nothing of it is proven yet."""
    first, feed = _frames(body, limit, "exchange reply")
    document = read_json(first, "receipt")
    if not isinstance(document, dict):
        raise MalformedMessage("receipt")
    return ExchangeReply(document, tuple(feed))


def sign_refusal(refusal: Refusal, key: SigningKey) -> SignedDocument:
    """Refuse as the gateway."""
    return sign_message(REFUSAL_LABEL, refusal, key)


def read_refusal(document: object, gateway_public: bytes) -> Refusal:
    """The refusal, proven to be the gateway's."""
    return read_message(REFUSAL_LABEL, document, gateway_public, Refusal)


def _frames(body: bytes, limit: int, message: str) -> tuple[bytes, Sequence[bytes]]:
    frames = unpack(body, limit)
    if not 1 <= len(frames) <= MAX_ENVELOPES + 1:
        raise MalformedMessage(message)
    return frames[0], frames[1:]
