"""The private keys that edge_node holds: identity (signs the journal) and sealing (opens the feed).

Laws: private keys lie in the encrypted desk and nowhere else; a new key does not remove the old one, for mail sealed
to it may still be on its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from offline_store.desk.tables import KeyRow
from offline_store.errors import Unknown
from wire.keys import SealingKey, SigningKey, key_id

IDENTITY = "identity"
SEALING = "sealing"
APART = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The keys in use."""

    identity: SigningKey
    sealing: SealingKey


def keep(tx: Session, identity: SigningKey, sealing: SealingKey, at: datetime) -> None:
    """Keep a pair; from now on it is the one in use, however wrong the clock is."""
    newest = tx.exec(select(KeyRow.since).order_by(col(KeyRow.since).desc()).limit(1)).one_or_none()
    if newest is not None:
        at = max(at, newest.replace(tzinfo=at.tzinfo) + APART)
    for purpose, key in ((IDENTITY, identity), (SEALING, sealing)):
        row = KeyRow(
            key_id=key_id(key.public).hex(), purpose=purpose, since=at, public=key.public, secret=key.to_bytes()
        )
        tx.merge(row)


def load(tx: Session) -> NodeKeys:
    """The keys in use; Unknown when the node has none yet."""
    signing, sealing = _newest(tx, IDENTITY), _newest(tx, SEALING)
    if not signing or not sealing:
        raise Unknown("node_key", IDENTITY if not signing else SEALING)
    return NodeKeys(SigningKey.from_bytes(signing[0]), SealingKey.from_bytes(sealing[0]))


def sealing_keys(tx: Session) -> tuple[SealingKey, ...]:
    """Every key that mail to this node may be sealed to, the newest first."""
    return tuple(SealingKey.from_bytes(secret) for secret in _newest(tx, SEALING))


def _newest(tx: Session, purpose: str) -> Sequence[bytes]:
    rows = select(KeyRow.secret).where(KeyRow.purpose == purpose).order_by(col(KeyRow.since).desc())
    return tx.exec(rows).all()
