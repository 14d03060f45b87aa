"""The conversation between a node and the city, as a machine without sockets, disk, clock or chance.

Laws:
- One table, `TRANSITIONS`; a step that is not in it raises IllegalStep and changes nothing. It holds the phases of
  the node; the phases of the city join the same table when its side is driven by the machine too.
- The node obeys the city's mark even backwards, and sends from there. It never moves its own mark by itself.
- A mark beyond what the node has ever written, or a head that is not the node's own at that number, is a fork:
  this identity stops and people are told.
- A step gives the new state and what must be done, in order: keep first, speak afterwards.
- Receipts of an epoch that was left behind are not believed again.

The driver (sync_agent, a simulator, a test) does the consequences and feeds back what happened. When to ask is
not decided here: that is the rhythm of the driver.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from wire.errors import IllegalStep
from wire.judgement import Accepted, NotNow, Refused
from wire.receipt import Receipt
from wire.signed import SignedDocument

__all__ = [
    "TRANSITIONS",
    "Answered",
    "Ask",
    "Consequence",
    "DeliverFeed",
    "GoBack",
    "GoBackInFeed",
    "Halt",
    "KeepReceipt",
    "NodeExchange",
    "Phase",
    "Resume",
    "Send",
    "Silence",
    "Tell",
    "WaitFor",
    "advance",
]


class Phase(Enum):
    """Where the conversation stands."""

    READY = "ready"
    WAITING = "waiting"
    HALTED = "halted"


# --- what happens -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """The driver wants to speak; `nonce` is fresh, 32 hex digits."""

    nonce: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer came and was judged; `written` is the newest number of this node's own journal, if it is known,
    and `hash_at` tells the hash of an own envelope that is still at hand."""

    verdict: Accepted | NotNow | Refused
    written: int | None = None
    hash_at: Callable[[int], bytes | None] = field(default=lambda _seq: None, repr=False)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: the line broke, the time ran out."""

    why: str = "no_answer"


@dataclass(frozen=True, slots=True)
class Resume:
    """A person or a new enrolment cleared what halted the conversation."""


Event = Ask | Answered | Silence | Resume


# --- what must be done ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send the envelopes after this number, in order, with the feed cursor."""

    after: int
    feed_cursor: int
    nonce: str


@dataclass(frozen=True, slots=True)
class KeepReceipt:
    """Keep the signed receipt before anything else."""

    receipt: Receipt
    document: SignedDocument = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliverFeed:
    """Keep these feed envelopes; the first has number `first`."""

    first: int
    envelopes: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GoBack:
    """The city was restored: everything after `to` is needed again."""

    to: int


@dataclass(frozen=True, slots=True)
class GoBackInFeed:
    """The city was restored: what it said after `to` is said anew."""

    to: int


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Try again; not before `seconds`, if it is given."""

    why: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """A person must see this; the conversation goes on."""

    code: str


@dataclass(frozen=True, slots=True)
class Halt:
    """This identity stops speaking until a person or a new enrolment clears it."""

    code: str


Consequence = Send | KeepReceipt | DeliverFeed | GoBack | GoBackInFeed | WaitFor | Tell | Halt


@dataclass(frozen=True, slots=True)
class NodeExchange:
    """The node's side. Kept across restarts: hwm, stable, feed_cursor, epochs."""

    phase: Phase = Phase.READY
    hwm: int = 0
    stable: int = 0
    feed_cursor: int = 0
    epochs: tuple[str, ...] = ()
    nonce: str | None = None


Outcome = tuple[NodeExchange, tuple[Consequence, ...]]
Step = Callable[[NodeExchange, Event], Outcome]

HALTING_CODES = frozenset({"chain.fork"})


def advance(exchange: NodeExchange, event: Event) -> Outcome:
    """Take one step."""
    row = TRANSITIONS[exchange.phase]
    step = row.get(type(event))
    if step is None:
        raise IllegalStep(exchange.phase.value, type(event).__name__, tuple(sorted(kind.__name__ for kind in row)))
    return step(exchange, event)


def _ask(exchange: NodeExchange, event: Event) -> Outcome:
    assert isinstance(event, Ask)  # noqa: S101 - the table chose this step by the type
    waiting = replace(exchange, phase=Phase.WAITING, nonce=event.nonce)
    return waiting, (Send(exchange.hwm, exchange.feed_cursor, event.nonce),)


def _silence(exchange: NodeExchange, event: Event) -> Outcome:
    assert isinstance(event, Silence)  # noqa: S101 - the table chose this step by the type
    return _ready(exchange), (WaitFor(event.why),)


def _answered(exchange: NodeExchange, event: Event) -> Outcome:
    assert isinstance(event, Answered)  # noqa: S101 - the table chose this step by the type
    match event.verdict:
        case NotNow(why, seconds):
            return _ready(exchange), (WaitFor(why, seconds),)
        case Refused(code, refusal):
            if code in HALTING_CODES:
                return _halted(exchange), (Halt(code),)
            return _ready(exchange), (Tell(code), WaitFor(code, refusal.retry_after))
        case Accepted() as accepted:
            return _accepted(exchange, event, accepted)


def _accepted(exchange: NodeExchange, event: Answered, accepted: Accepted) -> Outcome:
    receipt = accepted.receipt
    if receipt.nonce != exchange.nonce:
        return _ready(exchange), (WaitFor("wire.replayed"),)
    if receipt.epoch in exchange.epochs[:-1]:
        return _ready(exchange), (WaitFor("receipt.abandoned_epoch"),)
    own = event.hash_at(receipt.hwm)
    if (event.written is not None and receipt.hwm > event.written) or (own is not None and own != receipt.head.hash):
        return _halted(exchange), (KeepReceipt(receipt, accepted.document), Halt("chain.fork"))
    done: list[Consequence] = [KeepReceipt(receipt, accepted.document)]
    if accepted.feed:
        done.append(DeliverFeed(exchange.feed_cursor + 1, accepted.feed))
    if receipt.hwm < exchange.hwm:
        done.append(GoBack(receipt.hwm))
    cursor = exchange.feed_cursor + len(accepted.feed)
    if receipt.feed_head < cursor:
        done.append(GoBackInFeed(receipt.feed_head))
        cursor = receipt.feed_head
    if receipt.retry_after is not None:
        done.append(WaitFor("receipt.busy", receipt.retry_after))
    known = exchange.epochs[-1:] == (receipt.epoch,)
    after = replace(
        _ready(exchange),
        hwm=receipt.hwm,
        stable=receipt.stable_hwm,
        feed_cursor=cursor,
        epochs=exchange.epochs if known else (*exchange.epochs, receipt.epoch),
    )
    return after, tuple(done)


def _resume(exchange: NodeExchange, event: Event) -> Outcome:  # noqa: ARG001 - every step has this form
    return _ready(exchange), ()


def _ready(exchange: NodeExchange) -> NodeExchange:
    return replace(exchange, phase=Phase.READY, nonce=None)


def _halted(exchange: NodeExchange) -> NodeExchange:
    return replace(exchange, phase=Phase.HALTED, nonce=None)


TRANSITIONS: Mapping[Phase, Mapping[type, Step]] = {
    Phase.READY: {Ask: _ask},
    Phase.WAITING: {Answered: _answered, Silence: _silence},
    Phase.HALTED: {Resume: _resume},
}
