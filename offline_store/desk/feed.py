"""How far this node has followed the city's feed.

Laws: the cursor moves in the same transaction as what the entry caused; one entry at a time, none left out.
"""

from sqlmodel import Session

from offline_store.desk import state
from offline_store.errors import NotTheNextLink
from wire.audit_chain import GENESIS, Head

FEED_HEAD = "feed.head"
REWOUND = "feed.rewound"
"""Set while a restored city tells its feed anew: the number after which it begins."""


def head(tx: Session) -> Head:
    """The last feed entry that took effect here; its number is the cursor."""
    kept = state.get(tx, FEED_HEAD)
    return GENESIS if kept is None else Head(kept["seq"], bytes.fromhex(kept["hash"]))


def cursor(tx: Session) -> int:
    return head(tx).seq


def advance(tx: Session, new: Head) -> None:
    """Move on by exactly one entry."""
    current = head(tx)
    if new.seq != current.seq + 1:
        raise NotTheNextLink("feed", current.seq + 1, new.seq)
    state.put(tx, FEED_HEAD, {"seq": new.seq, "hash": new.hash.hex()})


def begin_anew(tx: Session) -> None:
    """Another identity reads a feed of its own from its first entry; what took effect here stays recognised."""
    state.put(tx, FEED_HEAD, None)
    state.put(tx, REWOUND, None)
