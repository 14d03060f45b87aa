"""A consistent copy of a running ledger as a SQLite file, and such a copy loaded into any ledger.

Laws
- One transaction sees everything that is copied and counted; the gateway goes on meanwhile.
- SQLite is copied page by page by its online backup, PostgreSQL row by row in one REPEATABLE READ, READ ONLY
  transaction; in both cases the copy is a ledger that this program opens like any other.
- Loading fills a ledger that has this program's tables and no rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2

from city_gateway.backup.manifest import Mark
from city_gateway.ledger import backups
from city_gateway.ledger.database import Ledger
from city_gateway.ledger.engines import engine_for
from city_gateway.ledger.schema import bring_up_to_date, revision_of
from city_gateway.ledger.tables import FEED_HEADS, METADATA, NODES, PLATFORM_OUTBOX

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the copied transaction saw."""

    epoch: str
    revision: str
    rows: dict[str, int]
    marks: dict[str, Mark]


def copy_ledger(ledger: Ledger, target: Path) -> Snapshot:
    """Copy the ledger into a new SQLite file."""
    with ledger.snapshot() as tx:
        found = look(tx)
        if ledger.dialect == "sqlite":
            _copy_pages(tx, target)
        else:
            new_file(target)
            with file_ledger(target) as engine:
                bring_up_to_date(engine)
                with engine.begin() as copy:
                    load(tx, copy)
    settle(target)
    return found


def look(tx: Connection) -> Snapshot:
    """Count and note what this transaction sees."""
    rows = {table.name: int(tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0) for table in _tables()}
    asked = sa.select(NODES.c.node_id, NODES.c.hwm, NODES.c.head_hash, FEED_HEADS.c.seq).join(
        FEED_HEADS, FEED_HEADS.c.node_id == NODES.c.node_id
    )
    marks = {
        row.node_id: Mark(hwm=row.hwm, head_hash=bytes(row.head_hash).hex(), feed=row.seq) for row in tx.execute(asked)
    }
    return Snapshot(backups.epoch(tx), revision_of(tx), rows, marks)


def load(source: Connection, target: Connection) -> None:
    """Every row of one ledger into another one without rows."""
    for table in _tables():
        streamed = source.execution_options(yield_per=ROWS_AT_ONCE).execute(sa.select(table))
        for rows in streamed.mappings().partitions():
            target.execute(sa.insert(table), [dict(row) for row in rows])
    if target.dialect.name == "postgresql":
        last = target.scalar(sa.select(sa.func.max(PLATFORM_OUTBOX.c.id)))
        if last is not None:
            target.exec_driver_sql("SELECT setval(pg_get_serial_sequence('platform_outbox', 'id'), %s)", (last,))


@contextmanager
def file_ledger(path: Path) -> Iterator[Engine]:
    """A ledger in a SQLite file that nobody else uses, without the live one's settings."""

    def connect() -> object:
        connection = dbapi2.connect(str(path), check_same_thread=False)
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    engine = engine_for("sqlite://", module=dbapi2, creator=connect, poolclass=NullPool)
    sa.event.listen(engine, "begin", _begin)
    try:
        yield engine
    finally:
        engine.dispose()


def new_file(path: Path) -> None:
    """An empty file that only its owner reads, in place of whatever was there."""
    for name in (path, *companions(path)):
        name.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def companions(path: Path) -> tuple[Path, Path, Path]:
    """The files that SQLite keeps beside a database."""
    return tuple(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))  # type: ignore[return-value]


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _tables() -> list[Table]:
    return METADATA.sorted_tables


def _copy_pages(tx: Connection, target: Path) -> None:
    new_file(target)
    copy = dbapi2.connect(str(target))
    try:
        source = tx.connection.driver_connection
        source.backup(copy, pages=-1)  # type: ignore[union-attr]  # one step: the transaction's own view of every page
    finally:
        copy.close()


def settle(path: Path) -> None:
    """One file, nothing beside it, durable."""
    connection = dbapi2.connect(str(path))
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
