"""What nodes sent, as they sent it, and what became of each op_id.

Laws: an envelope is stored whatever the gateway thinks of it; the first body under an op_id is the one that counts, and
the primary key of `operations` says so even to two processes at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from city_gateway.ledger.tables import JOURNAL, OPERATIONS
from wire.messages import Result

EFFECTIVE = "effective"
REPEATED = "repeated"
CONFLICT = "conflict"
UNREADABLE = "unreadable"
PARKED = "parked"


class Road(StrEnum):
    """How an envelope came to the city."""

    LINE = "line"
    RELAY = "relay"
    STICK = "stick"


@dataclass(frozen=True, slots=True)
class Link:
    """One envelope of a node's chain."""

    node_id: str
    seq: int
    op_id: str
    kind: int
    envelope_hash: bytes
    standing: str
    application_id: str | None
    received_at: datetime
    road: Road
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an op_id; `refusal` is JSON {code, params}."""

    op_id: str
    body_hash: bytes
    node_id: str
    seq: int
    application_id: str | None
    case_seq: int
    result: Result
    refusal: str | None


def hashes_at(tx: Connection, node_id: str, seqs: Sequence[int]) -> dict[int, bytes]:
    """The hashes of links that are already held."""
    asked = sa.select(JOURNAL.c.seq, JOURNAL.c.envelope_hash).where(
        JOURNAL.c.node_id == node_id, JOURNAL.c.seq.in_(seqs)
    )
    return {row.seq: row.envelope_hash for row in tx.execute(asked)} if seqs else {}


def append(tx: Connection, links: Iterable[Link]) -> None:
    """Keep new links."""
    rows = [{name: getattr(link, name) for name in Link.__slots__} for link in links]
    if rows:
        tx.execute(sa.insert(JOURNAL), rows)


def envelope_at(tx: Connection, node_id: str, seq: int) -> bytes | None:
    """The sealed bytes of one link."""
    asked = sa.select(JOURNAL.c.envelope).where(JOURNAL.c.node_id == node_id, JOURNAL.c.seq == seq)
    found = tx.scalar(asked)
    return bytes(found) if found is not None else None


def outcomes(tx: Connection, op_ids: Sequence[str]) -> dict[str, Outcome]:
    """What became of those op_ids that were seen before."""
    if not op_ids:
        return {}
    rows = tx.execute(sa.select(OPERATIONS).where(OPERATIONS.c.op_id.in_(op_ids))).mappings()
    return {row["op_id"]: _outcome(row) for row in rows}


def remember(tx: Connection, found: Iterable[Outcome]) -> None:
    """Keep the outcomes of op_ids seen for the first time."""
    rows = [
        {name: getattr(outcome, name) for name in Outcome.__slots__} | {"result": outcome.result.value}
        for outcome in found
    ]
    if rows:
        tx.execute(sa.insert(OPERATIONS), rows)


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(**{name: row[name] for name in Outcome.__slots__} | {"result": Result(row["result"])})
