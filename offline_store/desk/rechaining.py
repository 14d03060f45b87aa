"""Beginning the journal anew under another identity: what is not safe at the city is sealed again, the rest is filed.

Laws
- Runs inside the caller's transaction: afterwards the whole journal is the new chain, or everything is as before.
- op_id, kind, body and time of saving of an entry never change; only number, link and sealed bytes do. What goes on
  has no outcome: the caller has it wait again (`answering.await_again_after`) for the answer to its new identity.
- Sealed again is what the city could still lose or has not answered: everything beyond the stable mark, and every
  operation without an outcome. What is stable and answered is only filed.
- The old chain is filed whole, sealed bytes alone; nothing reads it to post it. Plain bodies are not kept twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, literal, or_, select, update
from sqlmodel import Session, col

from offline_store.desk import journal
from offline_store.desk.journal import Link
from offline_store.desk.tables import ArchivedLinkRow, JournalRow
from offline_store.errors import NotTheNextLink
from wire.audit_chain import GENESIS, Head
from wire.envelope import Kind, envelope_hash, read_header

AT_ONCE = 200
OPERATION = Kind.OPERATION.name.lower()

_FILED = ("seq", "op_id", "kind", "application_id", "at", "outcome", "refusal", "prev", "link", "envelope")
_TABLE = JournalRow.__table__  # type: ignore[attr-defined]
_MOVE = (
    update(_TABLE)
    .where(_TABLE.c.seq == bindparam("old"))
    .values(
        seq=bindparam("new"),
        prev=bindparam("new_prev"),
        link=bindparam("new_link"),
        envelope=bindparam("new_envelope"),
        posted=False,
    )
)

Seal = Callable[[Head, Link], bytes]


@dataclass(frozen=True, slots=True)
class Rechained:
    """How many entries were filed in the archive, and how many of them go on in the new chain."""

    filed: int
    renewed: int


def rechain(tx: Session, *, old_node: str, stable: int, seal: Seal) -> Rechained:
    """File the chain of `old_node` and begin anew; `seal` makes the envelope that follows a head from an entry."""
    filed = _file(tx, old_node)
    unsettled = and_(col(JournalRow.kind) == OPERATION, col(JournalRow.outcome).is_(None))
    going_on = and_(or_(col(JournalRow.seq) > stable, unsettled), func.length(col(JournalRow.body)) > 0)
    tx.execute(delete(JournalRow).where(~going_on))
    head, after = GENESIS, 0
    while links := journal.after(tx, after, AT_ONCE):
        moves = []
        for link in links:
            envelope = seal(head, link)
            new = _checked(head, link, envelope)
            moves.append(
                {
                    "old": link.seq,
                    "new": new.seq,
                    "new_prev": head.hash,
                    "new_link": new.hash,
                    "new_envelope": envelope,
                }
            )
            head = new
        # In order, and never upwards: the number an entry moves to was left or deleted before.
        tx.connection().execute(_MOVE, moves)
        after = links[-1].seq
        tx.expire_all()
    return Rechained(filed, head.seq)


def archived(tx: Session, node_id: str) -> list[bytes]:
    """The sealed bytes of a chain that was left behind, in order, for an audit."""
    rows = select(col(ArchivedLinkRow.envelope)).where(col(ArchivedLinkRow.node_id) == node_id)
    return [bytes(row[0]) for row in tx.execute(rows.order_by(col(ArchivedLinkRow.seq)))]


def archived_hashes(tx: Session) -> set[bytes]:
    """The names of all envelopes of all chains that were left behind."""
    return {bytes(row[0]) for row in tx.execute(select(col(ArchivedLinkRow.link)))}


def _file(tx: Session, old_node: str) -> int:
    columns: list[Any] = [literal(old_node), *(_TABLE.c[name] for name in _FILED)]
    rows = select(*columns)
    tx.execute(insert(ArchivedLinkRow).from_select(["node_id", *_FILED], rows))
    count = select(func.count()).select_from(ArchivedLinkRow).where(col(ArchivedLinkRow.node_id) == old_node)
    return int(tx.execute(count).scalar_one())


def _checked(head: Head, link: Link, envelope: bytes) -> Head:
    header = read_header(envelope)
    if (header.seq, header.prev, header.op_id.hex()) != (head.seq + 1, head.hash, link.op_id):
        raise NotTheNextLink("journal", head.seq + 1, header.seq)
    return Head(header.seq, envelope_hash(envelope))
