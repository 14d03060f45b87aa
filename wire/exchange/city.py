"""The city's side of the exchange with one node.

Laws:
- The mark never covers a missing envelope (I4): what does not continue the chain ends the batch; a gap only asks.
- A known number with the same bytes is passed over; with other bytes, or a next one with another `prev`, it is a fork:
  what came before it in the batch is kept, the identity stops in the same transaction (I7).
- An envelope that the node's identity key did not sign is as if it had not come: anybody could have put it there. A
  batch that brings nothing else is refused.
- Nothing is said of what is not committed: between a question and its answer lies `Kept`.
- A feed of which the node has read more than the city holds, or whose link at the node's place is another one, was
  parted by a restore; the node is led back to the beginning, for nobody knows how far the two are the same.
- A backup that was verified never takes the stable mark back; a restore below it is told to people.
"""

from dataclasses import dataclass, replace

from wire.audit_chain import GENESIS, Head, Link, continue_with
from wire.errors import FORK, Duplicate, Fork, Gap
from wire.exchange.consequences import Answer, CityConsequence, LeadBack, Refuse, Stop, Store, Tell, TurnPage
from wire.exchange.happenings import Asked, BackedUp, Kept, Restored, StoodDown, Undone
from wire.exchange.phases import Phase

__all__ = [
    "FORGED",
    "STOPPED",
    "CityExchange",
    "CityOutcome",
    "asked",
    "backed_up",
    "feeds_part",
    "kept",
    "refused",
    "restored",
    "stood_down",
    "undone",
]

STOPPED = "node.stopped"
FORGED = "envelope.forged"
BELOW_STABLE = "ledger.below_stable"


@dataclass(frozen=True, slots=True)
class CityExchange:
    """What the city holds of one node. `taken` is the head that is being kept but not committed yet."""

    phase: Phase = Phase.SERVING
    head: Head = GENESIS
    stable: int = 0
    epoch: str = ""
    stopped_for: str | None = None
    taken: Head | None = None
    stopping: bool = False


CityOutcome = tuple[CityExchange, tuple[CityConsequence, ...]]


def asked(exchange: CityExchange, event: Asked) -> CityOutcome:
    """Take in what continues the chain and find the page."""
    new, head, forked, hole = _followed(exchange.head, event)
    if event.forged and not new and not forked and not hole:
        return exchange, (Refuse(FORGED),)
    keeping = replace(exchange, phase=Phase.KEEPING, taken=head, stopping=forked)
    done: list[CityConsequence] = [Store(new, head)]
    if forked:
        return keeping, (*done, Stop(FORK))
    done.append(LeadBack() if feeds_part(event) else TurnPage(event.feed_cursor))
    return keeping, tuple(done)


def _followed(head: Head, event: Asked) -> tuple[tuple[Link, ...], Head, bool, bool]:
    """The links that are new, the head after them, and what ended the batch: a fork, a hole."""
    new: dict[int, Link] = {}

    def hash_at(seq: int) -> bytes | None:
        return new[seq].hash if seq in new else event.hash_at(seq)

    for link in event.links:
        try:
            head = continue_with(head, link, hash_at)
        except Duplicate:
            continue
        except Gap:
            return tuple(new.values()), head, False, True
        except Fork:
            return tuple(new.values()), head, True, False
        new[link.seq] = link
    return tuple(new.values()), head, False, False


def feeds_part(event: Asked) -> bool:
    """Whether the node holds another feed than the city does."""
    if event.feed_cursor == 0:
        return False
    other = event.feed_hash is not None and event.own_feed_hash != event.feed_hash
    return other or event.feed_cursor > event.feed_head


def kept(exchange: CityExchange, _event: Kept) -> CityOutcome:
    """Now it may be said."""
    head = exchange.taken or exchange.head
    after = replace(exchange, phase=Phase.SERVING, head=head, taken=None, stopping=False)
    if exchange.stopping:
        return replace(after, phase=Phase.STOPPED, stopped_for=FORK), (Refuse(FORK),)
    return after, (Answer(head, exchange.stable, exchange.epoch),)


def undone(exchange: CityExchange, _event: Undone) -> CityOutcome:
    """As if the node had not asked."""
    return replace(exchange, phase=Phase.SERVING, taken=None, stopping=False), ()


def refused(exchange: CityExchange, _event: Asked) -> CityOutcome:
    """A stopped identity is told so, and nothing of what it sent is looked at."""
    return exchange, (Refuse(FORK if exchange.stopped_for == FORK else STOPPED),)


def backed_up(exchange: CityExchange, event: BackedUp) -> CityOutcome:
    """The stable mark rises."""
    return replace(exchange, stable=max(exchange.stable, min(event.hwm, exchange.head.seq))), ()


def stood_down(exchange: CityExchange, event: StoodDown) -> CityOutcome:
    """Stop; everything it sent stays."""
    return replace(exchange, phase=Phase.STOPPED, stopped_for=event.why), (Stop(event.why),)


def restored(exchange: CityExchange, event: Restored) -> CityOutcome:
    """Begin a new timeline from what the backup holds."""
    after = CityExchange(
        phase=Phase.STOPPED if event.stopped_for else Phase.SERVING,
        head=event.head,
        stable=min(exchange.stable, event.head.seq),
        epoch=event.epoch,
        stopped_for=event.stopped_for,
    )
    return after, (Tell(BELOW_STABLE),) if event.head.seq < exchange.stable else ()
