"""Whether a restored ledger is whole in itself and is the one the manifest speaks of.

Laws: asked of the restored tables by the same questions on either database; nothing is repaired; the first thing that
does not fit is named.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from city_gateway.backup.errors import BackupDamaged
from city_gateway.backup.manifest import Manifest
from city_gateway.backup.reliance import Opened
from city_gateway.backup.snapshot import look
from city_gateway.ledger import nodes
from city_gateway.ledger.journal import EFFECTIVE
from city_gateway.ledger.tables import CASE_ENTRIES, FEED_ENTRIES, JOURNAL, SCAN_OWNERS
from wire.envelope import Kind, envelope_hash, read_header
from wire.errors import WireError

OPENED_ON_TRIAL = 50


def must_be_sound(tx: Connection, manifest: Manifest) -> None:
    """Counts, marks, chains and feeds are those of the manifest and hold together, or BackupDamaged."""
    if tx.dialect.name == "sqlite":
        said = str(tx.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
        _must(said == "ok", "integrity_check")
    found = look(tx)
    _must(found.epoch == manifest.epoch, "epoch")
    for table, count in manifest.rows.items():
        _must(found.rows.get(table) == count, table)
    _must(found.marks == manifest.marks, "marks")
    journals = _ends(tx, JOURNAL)
    feeds = _ends(tx, FEED_ENTRIES)
    for node_id, mark in manifest.marks.items():
        _must(journals.get(node_id, (0, 0)) == (mark.hwm, mark.hwm), f"journal {node_id}")
        _must(feeds.get(node_id, (0, 0)) == (mark.feed, mark.feed), f"feed {node_id}")
        if mark.hwm:
            _must(_last(tx, node_id, mark.hwm) == (mark.hwm, mark.head_hash), f"head {node_id}")
    author, entry = JOURNAL.c, CASE_ENTRIES.c
    orphans = (
        sa.select(sa.func.count())
        .select_from(CASE_ENTRIES)
        .join(JOURNAL, (author.node_id == entry.author_node) & (author.seq == entry.author_seq), isouter=True)
        .where(entry.author_node.is_not(None), author.seq.is_(None))
    )
    _must(tx.scalar(orphans) == 0, "case_entries")


def must_open(tx: Connection, opened: Opened) -> int:
    """The newest operations that took effect can be opened with the keys at hand; how many were tried."""
    newest = (
        sa.select(JOURNAL.c.node_id, JOURNAL.c.envelope)
        .where(JOURNAL.c.standing == EFFECTIVE, JOURNAL.c.kind == int(Kind.OPERATION))
        .order_by(JOURNAL.c.received_at.desc())
        .limit(OPENED_ON_TRIAL)
    )
    tried = 0
    for row in tx.execute(newest):
        author = nodes.find(tx, row.node_id)
        _must(author is not None and opened(author, bytes(row.envelope)).readable, "envelope")
        tried += 1
    return tried


def owned_scans(tx: Connection) -> list[str]:
    """Every scan that this ledger knows to be somebody's, in order."""
    return list(tx.execute(sa.select(SCAN_OWNERS.c.scan_hash).order_by(SCAN_OWNERS.c.scan_hash)).scalars())


def _ends(tx: Connection, table: sa.Table) -> dict[str, tuple[int, int]]:
    """For each node the last number and how many there are: equal, when none is missing."""
    asked = sa.select(table.c.node_id, sa.func.max(table.c.seq), sa.func.count()).group_by(table.c.node_id)
    return {row[0]: (int(row[1]), int(row[2])) for row in tx.execute(asked)}


def _last(tx: Connection, node_id: str, seq: int) -> tuple[int, str]:
    asked = sa.select(JOURNAL.c.envelope).where(JOURNAL.c.node_id == node_id, JOURNAL.c.seq == seq)
    envelope = bytes(tx.scalar(asked) or b"")
    try:
        return read_header(envelope).seq, envelope_hash(envelope).hex()
    except WireError:
        return 0, ""


def _must(holds: bool, what: str) -> None:  # noqa: FBT001 - a condition, as in an assertion
    if not holds:
        raise BackupDamaged(what=what)
