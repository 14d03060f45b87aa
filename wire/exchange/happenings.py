"""What happens to a conversation: the events of the exchange machine."""

from collections.abc import Callable
from dataclasses import dataclass, field

from wire.audit_chain import Head, Link
from wire.judgement import Accepted, NotNow, Refused

__all__ = [
    "Answered",
    "Ask",
    "Asked",
    "BackedUp",
    "Brought",
    "CityEvent",
    "Kept",
    "NodeEvent",
    "Restored",
    "Resume",
    "Silence",
    "StoodDown",
    "Undone",
]

HashAt = Callable[[int], bytes | None]


def _unknown(_seq: int) -> bytes | None:
    return None


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
    hash_at: HashAt = field(default=_unknown, repr=False)


@dataclass(frozen=True, slots=True)
class Brought:
    """An answer came by another road (a stick, a relay, the mailbox) and answers no question of this conversation: its
    signature and addressee were proven, there is no nonce to compare. `first` is the number of its first feed entry."""

    verdict: Accepted
    first: int = 1
    written: int | None = None
    hash_at: HashAt = field(default=_unknown, repr=False)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: the line broke, the time ran out."""

    why: str = "no_answer"


@dataclass(frozen=True, slots=True)
class Resume:
    """A person or a new enrolment cleared what halted the conversation."""


NodeEvent = Ask | Answered | Brought | Silence | Resume


# --- at the city ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A node asks. `links` are the proven places of the envelopes it sent, as far as they are proven: `forged` when the
    next one was not signed by the node. `hash_at` tells the hash of a link that is held. The feed that the city holds
    for the node ends at `feed_head` and has `own_feed_hash` where the node says it stands."""

    links: tuple[Link, ...] = ()
    forged: bool = False
    hash_at: HashAt = field(default=_unknown, repr=False)
    feed_cursor: int = 0
    feed_hash: bytes | None = None
    feed_head: int = 0
    own_feed_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What had to be kept is committed."""


@dataclass(frozen=True, slots=True)
class Undone:
    """It could not be kept; nothing of it is there."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A verified backup covers the chain up to this number."""

    hwm: int


@dataclass(frozen=True, slots=True)
class StoodDown:
    """A person stopped this identity."""

    why: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The ledger was restored: this is what it holds of the node, under a new epoch."""

    epoch: str
    head: Head
    stopped_for: str | None = None


CityEvent = Asked | Kept | Undone | BackedUp | StoodDown | Restored
