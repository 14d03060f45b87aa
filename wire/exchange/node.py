"""The node's side of the exchange.

Laws:
- The node obeys the city's mark even backwards, and sends from there. It never moves its own mark by itself.
- A mark beyond what the node has ever written, or a head that is not the node's own at that number, is a fork:
  this identity stops and people are told.
- A timeline that another one, which this node has believed, says to have left is over: its receipts are not believed,
  whoever answers. Between two timelines of which neither has left the other (two restores from one backup) a fresh
  answer decides, for only the living answer; what merely a carrier tells must be newer than the last word obeyed.
- A receipt that answers no question of this conversation may be a replay. Of the present epoch it is obeyed when it is
  newer than the last one obeyed, or says nothing less: within an epoch the city's marks never fall, so no clock is
  needed for that. A shorter feed alone makes only what was carried old: from the line it leads back into another feed.
- A feed that is shorter than what the node has read is another feed. A node knows only its last link, so it reads from
  the beginning; what it has applied, it recognises.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from wire.errors import FORK_CODES, Fork
from wire.exchange.consequences import (
    DeliverFeed,
    Doubt,
    GoBack,
    GoBackInFeed,
    Halt,
    KeepReceipt,
    NodeConsequence,
    Send,
    Tell,
    WaitFor,
)
from wire.exchange.happenings import Answered, Ask, Brought, HashAt, Resume, Silence
from wire.exchange.phases import Phase
from wire.judgement import Accepted, NotNow, Refused
from wire.receipt import Receipt

__all__ = ["Epoch", "NodeExchange", "NodeOutcome", "answered", "ask", "brought", "resume", "silence"]

ABANDONED = "receipt.abandoned_epoch"
REPLAYED = "wire.replayed"


@dataclass(frozen=True, slots=True)
class Epoch:
    """A timeline of the gateway, the server time of its last receipt that was obeyed, and the timelines it has left."""

    name: str
    last_word: datetime
    left: tuple[str, ...] = ()

    @classmethod
    def of(cls, receipt: Receipt) -> "Epoch":
        """The timeline that this receipt belongs to."""
        return cls(receipt.epoch, receipt.server_time, tuple(receipt.epochs_left))


@dataclass(frozen=True, slots=True)
class NodeExchange:
    """The node's side. Kept across restarts: hwm, stable, feed_cursor, epochs (the last one is the present one).
    `asked_after` is the feed cursor of the open question."""

    phase: Phase = Phase.READY
    hwm: int = 0
    stable: int = 0
    feed_cursor: int = 0
    epochs: tuple[Epoch, ...] = ()
    nonce: str | None = None
    asked_after: int = 0

    @property
    def epoch(self) -> Epoch | None:
        """The present timeline; None before the first receipt."""
        return self.epochs[-1] if self.epochs else None


NodeOutcome = tuple[NodeExchange, tuple[NodeConsequence, ...]]


def ask(exchange: NodeExchange, event: Ask) -> NodeOutcome:
    """Ask, with what the city does not have."""
    waiting = replace(exchange, phase=Phase.WAITING, nonce=event.nonce, asked_after=exchange.feed_cursor)
    return waiting, (Send(exchange.hwm, exchange.feed_cursor, event.nonce),)


def silence(exchange: NodeExchange, event: Silence) -> NodeOutcome:
    """Nothing is known; everything stays."""
    return _ready(exchange), (WaitFor(event.why),)


def resume(exchange: NodeExchange, _event: Resume) -> NodeOutcome:
    """Speak again."""
    return _ready(exchange), ()


def answered(exchange: NodeExchange, event: Answered) -> NodeOutcome:
    """Do what the answer to this question says."""
    match event.verdict:
        case NotNow(why, seconds):
            return _ready(exchange), (WaitFor(why, seconds),)
        case Refused(code, refusal):
            if code in FORK_CODES:
                return _halted(exchange), (Halt(code),)
            return _ready(exchange), (Tell(code), WaitFor(code, refusal.retry_after))
        case Accepted() as accepted:
            receipt = accepted.receipt
            doubt = REPLAYED if receipt.nonce != exchange.nonce else _not_believed(exchange, receipt)
            if doubt is not None:
                return _ready(exchange), (WaitFor(doubt),)
            obeyed, done = _obey(exchange, accepted, exchange.asked_after + 1, event.written, event.hash_at)
            return (obeyed if obeyed.phase is Phase.HALTED else _ready(obeyed)), done


def brought(exchange: NodeExchange, event: Brought) -> NodeOutcome:
    """Do what a receipt says that came by another road; a question of this conversation stays open."""
    receipt = event.verdict.receipt
    why = _not_believed(exchange, receipt) or (REPLAYED if _is_old(exchange, receipt) else None)
    if why is not None:
        return exchange, (WaitFor(why),)
    return _obey(exchange, event.verdict, event.first, event.written, event.hash_at)


def _not_believed(exchange: NodeExchange, receipt: Receipt) -> str | None:
    """Why a receipt of this epoch is not believed, if so."""
    present = exchange.epoch
    if any(receipt.epoch in epoch.left for epoch in exchange.epochs):
        return ABANDONED
    if present is None or present.name == receipt.epoch or present.name in receipt.epochs_left:
        return None
    return REPLAYED if receipt.carried and receipt.server_time <= present.last_word else None


def _is_old(exchange: NodeExchange, receipt: Receipt) -> bool:
    present = exchange.epoch
    if present is None or present.name != receipt.epoch or receipt.server_time > present.last_word:
        return False
    marks = [(receipt.hwm, exchange.hwm), (receipt.stable_hwm, exchange.stable)]
    if receipt.carried:  # from the line it means that the feed is another one, and costs a reading at most
        marks.append((receipt.feed_head, exchange.feed_cursor))
    return any(said < known for said, known in marks)


def _obey(exchange: NodeExchange, accepted: Accepted, first: int, written: int | None, hash_at: HashAt) -> NodeOutcome:
    receipt = accepted.receipt
    own = hash_at(receipt.hwm)
    if (written is not None and receipt.hwm > written) or (own is not None and own != receipt.head.hash):
        return _halted(exchange), (KeepReceipt(receipt, accepted.document), Halt(Fork.code))
    done: list[NodeConsequence] = [KeepReceipt(receipt, accepted.document)]
    cursor = exchange.feed_cursor
    if accepted.feed and first <= cursor + 1 <= first + len(accepted.feed):
        done.append(DeliverFeed(first, accepted.feed))
        cursor = first + len(accepted.feed) - 1
    restored = exchange.epoch is not None and exchange.epoch.name != receipt.epoch
    if restored or receipt.hwm < exchange.hwm:
        done.append(Doubt())
    if receipt.hwm < exchange.hwm:
        done.append(GoBack(receipt.hwm))
    if receipt.feed_head < cursor:
        done.append(GoBackInFeed(0))
        cursor = 0
    if receipt.retry_after is not None:
        done.append(WaitFor("receipt.busy", receipt.retry_after))
    others = tuple(epoch for epoch in exchange.epochs if epoch.name != receipt.epoch)
    after = replace(
        exchange,
        hwm=receipt.hwm,
        stable=receipt.stable_hwm,
        feed_cursor=cursor,
        epochs=(*others, Epoch.of(receipt)),
    )
    return after, tuple(done)


def _ready(exchange: NodeExchange) -> NodeExchange:
    return replace(exchange, phase=Phase.READY, nonce=None, asked_after=0)


def _halted(exchange: NodeExchange) -> NodeExchange:
    return replace(exchange, phase=Phase.HALTED, nonce=None, asked_after=0)
