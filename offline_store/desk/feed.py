"""How far this node has followed the city's feed.

Laws: the cursor moves in the same transaction as what the entry caused; one entry at a time, none left out.
"""

from sqlmodel import Session

from offline_store.desk import state
from offline_store.errors import NotTheNextLink
from wire.audit_chain import GENESIS, Head

FEED_HEAD = "feed.head"
TELLING = "feed.telling"
"""The id of the telling that replaced an earlier feed; absent as long as there was but one."""
TOLD = "feed.told."
"""For each application, the telling in which it was mentioned last."""


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


def begin_anew(tx: Session, telling: str) -> None:
    """Another feed is read from its first entry: a restored city's, or that of another identity. Each application is
    told anew in it, too."""
    state.put(tx, FEED_HEAD, None)
    state.put(tx, TELLING, telling)


def is_told_anew(tx: Session, application_id: str) -> bool:
    """Whether this is the first mention of the application in a feed that began anew; the next one is not."""
    telling = state.get(tx, TELLING)
    if telling is None or state.get(tx, TOLD + application_id) == telling:
        return False
    state.put(tx, TOLD + application_id, telling)
    return True
