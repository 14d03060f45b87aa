"""What happens to a conversation: the events of the exchange machine."""

from collections.abc import Callable
from dataclasses import dataclass, field

from wire.judgement import Accepted, NotNow, Refused

__all__ = ["Answered", "Ask", "Brought", "NodeEvent", "Resume", "Silence"]

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
