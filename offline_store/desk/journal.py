"""The node's journal: every sealed operation in order, and what became of it.

Laws: numbers have no gap and every link names the last one, both read from the sealed bytes themselves; an envelope
never changes; outcome and posting are notes beside it. What was purged keeps number, op_id, links and its clear
header, so that the chain can still be followed from end to end; nothing of it can be posted again. `posted` says that
the envelope lies in the mailbox: it is marked after the file is durable, so a crash in between costs one identical
file. The mailbox can always be filled again from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from offline_store.desk.tables import ArchivedLinkRow, JournalRow
from offline_store.errors import NotTheNextLink
from wire.audit_chain import GENESIS, Head, follow
from wire.canonical import canonical_json, read_json
from wire.envelope import Kind, envelope_hash, read_cut_header, read_header
from wire.errors import Fork, WireError

OPERATION = Kind.OPERATION.name.lower()
FOLLOWED_AT_ONCE = 200

# Statements of the save are made once: building and hashing one costs more than SQLite needs to run it.
_LAST = select(JournalRow.seq, JournalRow.link).order_by(col(JournalRow.seq).desc()).limit(1)
_APPEND = JournalRow.__table__.insert()  # type: ignore[attr-defined]
_BY_OP = select(JournalRow).where(JournalRow.op_id == bindparam("op_id"))


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the journal."""

    seq: int
    op_id: str
    kind: str
    application_id: str | None
    at: datetime
    posted: bool
    outcome: str | None
    refusal: dict[str, Any] | None
    envelope: bytes
    body: bytes

    @property
    def purged(self) -> bool:
        """Nothing is left of it but its place in the chain."""
        return not self.body


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the city does not hold yet."""

    ops: int
    bytes: int


def head(tx: Session) -> Head:
    """The last link, from which the next envelope is sealed."""
    return _current(tx)


def _current(tx: Session) -> Head:
    last = tx.exec(_LAST).first()
    return GENESIS if last is None else Head(*last)


def append(
    tx: Session,
    *,
    head: Head,
    op_id: str,
    kind: str,
    application_id: str | None,
    envelope: bytes,
    body: bytes,
    at: datetime,
) -> None:
    """Add a sealed envelope; `head` is the new head that it makes, `body` what was sealed in it.

    The header is compared with the journal: what was sealed from a stale head is refused here and not at the city.
    """
    current, header = _current(tx), read_header(envelope)
    follows = header.seq == head.seq == current.seq + 1 and header.prev == current.hash
    if not follows or header.op_id.hex() != op_id or envelope_hash(envelope) != head.hash:
        raise NotTheNextLink("journal", current.seq + 1, header.seq)
    columns = {
        "seq": head.seq,
        "op_id": op_id,
        "kind": kind,
        "application_id": application_id,
        "at": at,
        "posted": False,
        "prev": current.hash,
        "link": head.hash,
        "envelope": envelope,
        "body": body,
    }
    tx.connection().execute(_APPEND, columns)


def by_op(tx: Session, op_id: str) -> Link | None:
    row = tx.exec(_BY_OP, params={"op_id": op_id}).one_or_none()
    return None if row is None else _link(row)


def after(tx: Session, seq: int, limit: int = 100) -> list[Link]:
    """The links that follow `seq`, in order."""
    return _links(tx, select(JournalRow).where(JournalRow.seq > seq).order_by(col(JournalRow.seq)).limit(limit))


def of_application(tx: Session, application_id: str) -> list[Link]:
    """What this node itself did to an application, in order."""
    mine = select(JournalRow).where(JournalRow.application_id == application_id).order_by(col(JournalRow.seq))
    return _links(tx, mine)


def unposted(tx: Session, limit: int = 100) -> list[Link]:
    """Links whose envelope is not known to lie in the mailbox, in order."""
    waiting = select(JournalRow).where(col(JournalRow.posted) == False)  # noqa: E712
    return _links(tx, waiting.order_by(col(JournalRow.seq)).limit(limit))


def mark_posted(tx: Session, seqs: Iterable[int]) -> None:
    tx.execute(update(JournalRow).where(col(JournalRow.seq).in_(list(seqs))).values(posted=True))


def repost_after(tx: Session, seq: int) -> int:
    """The mailbox lost its files, or the gateway's mark went back: everything after `seq` is to be posted again.

    What was purged cannot be; how many that are is returned. It is 0 as long as no gateway is restored to a state
    older than the stable mark it has given.
    """
    after_it, whole = col(JournalRow.seq) > seq, func.length(JournalRow.body) > 0
    tx.execute(update(JournalRow).where(after_it, whole).values(posted=False))
    return int(tx.execute(select(func.count()).select_from(JournalRow).where(after_it, ~whole)).scalar_one())


def purge(tx: Session, application_id: str) -> int:
    """Forget what this node's acts on an application said, in the clear and sealed; how many acts is returned.

    The caller has made sure that each is within the stable mark and answered.
    """
    acts = [link for link in of_application(tx, application_id) if link.kind == OPERATION and not link.purged]
    for link in acts:
        header = read_header(link.envelope).encoded
        kept = {"envelope": header, "body": b"", "refusal": None}
        tx.execute(update(JournalRow).where(col(JournalRow.seq) == link.seq).values(**kept))
    filed = select(ArchivedLinkRow).where(ArchivedLinkRow.application_id == application_id)
    for row in tx.exec(filed.where(ArchivedLinkRow.kind == OPERATION)):
        row.envelope, row.refusal = read_cut_header(row.envelope).encoded, None
        tx.add(row)
    tx.flush()
    return len(acts)


def broken_at(tx: Session, signer_public: bytes) -> int | None:
    """The first number at which the chain does not hold, None when it holds from end to end.

    A whole envelope is followed by its signature and hash; of a purged one the header's links are compared with its
    neighbours', and the next whole envelope signs for its hash.
    """
    at = GENESIS
    while links := tx.exec(
        select(JournalRow).where(JournalRow.seq > at.seq).order_by(col(JournalRow.seq)).limit(FOLLOWED_AT_ONCE)
    ).all():
        for row in links:
            try:
                at = _followed(row, at, signer_public)
            except WireError:
                return at.seq + 1
        tx.expunge_all()
    return None


def _followed(row: JournalRow, at: Head, signer_public: bytes) -> Head:
    if row.body:
        found = follow(at, row.envelope, signer_public)
    else:
        header = read_cut_header(row.envelope)
        if header.seq != at.seq + 1 or header.prev != at.hash or header.op_id.hex() != row.op_id:
            raise Fork(header.seq)
        found = Head(header.seq, row.link)
    if (found.seq, found.hash) != (row.seq, row.link):
        raise Fork(row.seq)
    return found


def forget_outcomes_after(tx: Session, seq: int) -> list[str]:
    """The city lost what follows `seq` and what it had made of it: unanswered again. The applications concerned."""
    whole = func.length(JournalRow.body) > 0
    lost = update(JournalRow).where(col(JournalRow.seq) > seq, col(JournalRow.outcome).is_not(None), whole)
    rows = tx.execute(lost.values(outcome=None, refusal=None).returning(col(JournalRow.application_id)))
    return sorted({application_id for (application_id,) in rows if application_id is not None})


def unanswered(tx: Session, limit: int = 100) -> list[Link]:
    """Links for which no outcome came down yet, in order."""
    waiting = select(JournalRow).where(col(JournalRow.outcome).is_(None))
    return _links(tx, waiting.order_by(col(JournalRow.seq)).limit(limit))


def last_answered(tx: Session, kind: str) -> int:
    """The newest link of this kind that has an outcome; 0 when none has."""
    answered = select(JournalRow.seq).where(JournalRow.kind == kind, col(JournalRow.outcome).is_not(None))
    return tx.exec(answered.order_by(col(JournalRow.seq).desc()).limit(1)).first() or 0


def settle(tx: Session, op_id: str, outcome: str, refusal: dict[str, Any] | None = None) -> bool:
    """Note what the city made of an operation; False when this node's journal does not hold it."""
    kept = None if refusal is None else canonical_json(refusal).decode()
    mine = update(JournalRow).where(col(JournalRow.op_id) == op_id).values(outcome=outcome, refusal=kept)
    return tx.execute(mine.returning(col(JournalRow.seq))).first() is not None


def backlog(tx: Session, hwm: int) -> Backlog:
    """How much lies beyond the gateway's mark."""
    size = func.coalesce(func.sum(func.length(JournalRow.envelope)), 0)
    ops, sealed = tx.execute(select(func.count(), size).where(col(JournalRow.seq) > hwm)).one()
    return Backlog(ops, sealed)


def hash_at(tx: Session, seq: int) -> bytes | None:
    """The hash of an earlier link; with it a fork is told from a duplicate."""
    if seq == GENESIS.seq:
        return GENESIS.hash
    return tx.exec(select(JournalRow.link).where(JournalRow.seq == seq)).one_or_none()


def _links(tx: Session, statement: Any) -> list[Link]:  # noqa: ANN401 - a select of JournalRow
    rows: Sequence[JournalRow] = tx.exec(statement).all()
    return [_link(row) for row in rows]


def _link(row: JournalRow) -> Link:
    return Link(
        seq=row.seq,
        op_id=row.op_id,
        kind=row.kind,
        application_id=row.application_id,
        at=row.at,
        posted=row.posted,
        outcome=row.outcome,
        refusal=None if row.refusal is None else read_json(row.refusal.encode(), "refusal"),
        envelope=row.envelope,
        body=row.body,
    )
