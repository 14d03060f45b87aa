"""What must be done after a step, in the order in which a step gives it."""

from dataclasses import dataclass, field

from wire.audit_chain import Head, Link
from wire.receipt import Receipt
from wire.signed import SignedDocument

__all__ = [
    "Answer",
    "CityConsequence",
    "DeliverFeed",
    "Doubt",
    "GoBack",
    "GoBackInFeed",
    "Halt",
    "KeepReceipt",
    "LeadBack",
    "NodeConsequence",
    "Refuse",
    "Send",
    "Stop",
    "Store",
    "Tell",
    "TurnPage",
    "WaitFor",
]


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
class Doubt:
    """The city was restored: what else it held (scans) has to be asked about again."""


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


NodeConsequence = Send | KeepReceipt | DeliverFeed | Doubt | GoBack | GoBackInFeed | WaitFor | Tell | Halt


# --- at the city ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Store:
    """Keep these envelopes, sort them, and move the mark to `head`: one transaction with what follows."""

    links: tuple[Link, ...]
    head: Head


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this identity, in the same transaction."""

    why: str


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Read the feed after this number, in the same transaction."""

    after: int


@dataclass(frozen=True, slots=True)
class LeadBack:
    """The node holds another feed: say nothing of this one but that it has to be read from its beginning."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Sign and send a receipt with these marks."""

    head: Head
    stable: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Sign and send a refusal."""

    code: str


CityConsequence = Store | Stop | TurnPage | LeadBack | Answer | Refuse | Tell
