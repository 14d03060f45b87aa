"""What an HTTP answer means to a node: one table, and a signature behind every answer that changes anything.

Laws:
- Only what the gateway signed, for this node and this question, is believed. A captive portal, a proxy's error page,
  a redirect, an empty or truncated answer are all the same: not now.
- Final are only 400, 409, 413, 415 and 422, and only with the gateway's signed refusal.
- `Retry-After` is a wish. Unsigned it is obeyed up to an hour, so that nobody on the way can silence a node for long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from wire.canonical import read_json
from wire.envelope import Kind, read_header
from wire.errors import Tampered, WireError, WronglyAddressed
from wire.messages import CONTENT_TYPE, Refusal, read_refusal, read_reply
from wire.receipt import Receipt, read_receipt
from wire.signed import SignedDocument

__all__ = [
    "Accepted",
    "Expected",
    "Meaning",
    "NotNow",
    "Refused",
    "Verdict",
    "judge",
    "judge_refusal",
    "meaning_of",
]

RETRY_AFTER_MAX_S = 3600


class Meaning(Enum):
    """What a status may mean at most; the signed body decides whether it does."""

    ANSWER = "answer"
    FINAL = "final"
    PASSING = "passing"


MEANINGS: Mapping[int, Meaning] = {
    200: Meaning.ANSWER,
    400: Meaning.FINAL,
    409: Meaning.FINAL,
    413: Meaning.FINAL,
    415: Meaning.FINAL,
    422: Meaning.FINAL,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the question was, so that an answer to another question is known as such."""

    gateway_public: bytes
    node: str
    nonce: str
    feed_cursor: int = 0


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing changed; try again. `server_time` is set only when the gateway signed it."""

    why: str
    retry_after: int | None = None
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway refuses for good, with its signature; a person must see it."""

    code: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway's receipt and the page of feed that it covers."""

    receipt: Receipt
    document: SignedDocument = field(repr=False)
    feed: tuple[bytes, ...] = field(repr=False)


Verdict = NotNow | Refused | Accepted


def meaning_of(status: int) -> Meaning:
    """What this status may mean.

    >>> [meaning_of(status).value for status in (200, 302, 401, 409, 503)]
    ['answer', 'passing', 'passing', 'final', 'passing']
    """
    return MEANINGS.get(status, Meaning.PASSING)


def judge(status: int, headers: Mapping[str, str], body: bytes, expected: Expected) -> Verdict:
    """The verdict on the answer to an exchange."""
    if meaning_of(status) is not Meaning.ANSWER:
        return judge_refusal(status, headers, body, expected)
    if _header(headers, "content-type").partition(";")[0].strip().lower() != CONTENT_TYPE:
        return NotNow("not_the_gateway", _wish(headers))
    try:
        reply = read_reply(body)
        receipt = read_receipt(
            reply.receipt, expected.gateway_public, node=expected.node, nonce=expected.nonce, feed=reply.feed
        )
        _feed_continues(reply.feed, expected)
    except WireError as problem:
        return NotNow(problem.code, _wish(headers))
    return Accepted(receipt, reply.receipt, reply.feed)


def judge_refusal(status: int, headers: Mapping[str, str], body: bytes, expected: Expected) -> NotNow | Refused:
    """The verdict on an answer that is no receipt; also for scans, whose success needs no body."""
    try:
        refusal = read_refusal(read_json(body, "refusal"), expected.gateway_public)
    except WireError:
        return NotNow(f"http_{status}", _wish(headers))
    if refusal.node != expected.node or refusal.nonce != expected.nonce:
        return NotNow(f"http_{status}", _wish(headers))  # signed, but for somebody else or long ago
    if meaning_of(status) is Meaning.FINAL:
        return Refused(refusal.code, refusal)
    return NotNow(refusal.code, refusal.retry_after, refusal.server_time)


def _feed_continues(feed: tuple[bytes, ...], expected: Expected) -> None:
    """The page begins right after the cursor and has no holes; its signatures are checked where it is opened."""
    for seq, data in enumerate(feed, start=expected.feed_cursor + 1):
        header = read_header(data)
        header.must_be(Kind.FEED, node_id=bytes.fromhex(expected.node))
        if header.seq != seq:
            raise Tampered("feed order") if header.seq > expected.feed_cursor else WronglyAddressed("feed cursor")


def _wish(headers: Mapping[str, str]) -> int | None:
    text = _header(headers, "retry-after").strip()
    return min(int(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
