"""What each node may rely on once this backup is the last that is left: the stable marks.

Laws
- A node's stable mark is its mark in the backup, but it stops before the first operation that names a scan which the
  backup does not hold: the node must go on keeping that scan, and keeps all that came after it as well.
- An operation that waits (parked) is looked into, for the ledger notes its scans only when it is applied.
- A scan counts as held when its file is in the backup and the backup's ledger knows whose it is; without an owner a
  restored gateway would ask the node for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.acts.opening import Received
from city_gateway.ledger import nodes
from city_gateway.ledger.journal import PARKED as WAITING
from city_gateway.ledger.nodes import Node
from city_gateway.ledger.tables import JOURNAL, NODES, SCAN_OWNERS, SCAN_REFERENCES
from wire.envelope import Kind

AT_ONCE = 200

Opened = Callable[[Node, bytes], Received]


@dataclass(slots=True)
class Reliance:
    """Stable marks by node, and why some stay below the mark."""

    stable: dict[str, int]
    waiting_for: dict[str, set[str]] = field(default_factory=dict)


def reliance(tx: Connection, held: Container[str], opened: Opened) -> Reliance:
    """Work out the stable marks from the backup's own ledger."""
    found = Reliance({row.node_id: int(row.hwm) for row in tx.execute(sa.select(NODES.c.node_id, NODES.c.hwm))})
    missing = _missing(tx, held)
    for one in _suspects(tx, sorted({application for _, application in missing}), opened):
        named = set(one.scan_hashes)
        lacking = {scan for scan, _ in missing} & named
        if one.parked:
            lacking |= {scan for scan in named if scan not in held}
        node_id, seq = one.author.node_id, one.header.seq
        if lacking and seq <= found.stable[node_id]:
            found.stable[node_id] = seq - 1
        if lacking:
            found.waiting_for.setdefault(node_id, set()).add(one.application_id or "")
    return found


def _missing(tx: Connection, held: Container[str]) -> set[tuple[str, str]]:
    refers, owner = SCAN_REFERENCES.c, SCAN_OWNERS.c
    asked = sa.select(refers.scan_hash, refers.application_id, owner.site).join(
        SCAN_OWNERS, owner.scan_hash == refers.scan_hash, isouter=True
    )
    rows = tx.execution_options(yield_per=1000).execute(asked)
    return {(row[0], row[1]) for row in rows if row[2] is None or row[0] not in held}


def _suspects(tx: Connection, application_ids: list[str], opened: Opened) -> Iterator[Received]:
    """Every operation on these applications, and every one that waits."""
    authors: dict[str, Node | None] = {}
    columns = sa.select(JOURNAL.c.node_id, JOURNAL.c.seq, JOURNAL.c.standing, JOURNAL.c.envelope)
    operations = JOURNAL.c.kind == int(Kind.OPERATION)
    touched = [application_ids[start : start + AT_ONCE] for start in range(0, len(application_ids), AT_ONCE)]
    waits = JOURNAL.c.standing == WAITING
    conditions = [waits, *(JOURNAL.c.application_id.in_(some) & ~waits for some in touched)]
    for condition in conditions:
        for row in tx.execute(columns.where(operations, condition).order_by(JOURNAL.c.node_id, JOURNAL.c.seq)):
            if row.node_id not in authors:
                authors[row.node_id] = nodes.find(tx, row.node_id)
            author = authors[row.node_id]
            if author is None:
                raise RuntimeError("the ledger names a node that it does not hold")
            one = opened(author, bytes(row.envelope))
            yield replace(one, parked=row.standing == WAITING)
