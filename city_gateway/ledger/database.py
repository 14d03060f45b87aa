"""Opening the ledger: SQLite (demo, a small county) or PostgreSQL (a city), by one URL.

Laws: a commit that was answered survives a power cut, so the settings are read back and asserted; SQLite is the build
bundled with sqlcipher3 (without a key), because older builds have the WAL-reset race; writers on SQLite begin
IMMEDIATE; a ring of waiting transactions is broken by the database and the act is run again from the start, a
bounded number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from city_gateway.errors import LedgerUnsafe
from city_gateway.ledger.engines import engine_for
from city_gateway.ledger.schema import bring_up_to_date
from city_gateway.ledger.tables import LEDGER_IDENTITY, RESTORES

SQLITE_AT_LEAST = (3, 51, 3)
SQLITE_WAIT_MS = 30_000
CONNECTIONS = 10
RETRIES_AFTER_A_RING = 4
RING_CODES = {"40P01", "40001"}
READERS_LOCK = 0x72656164657273  # any constant; the same in every process of this program
_READING = "ledger_reading"

Result = TypeVar("Result")


class Ledger:
    """An open ledger: where transactions begin."""

    def __init__(self, engine: Engine, epoch: str, epochs_left: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self.epoch = epoch
        self.epochs_left = epochs_left
        self.dialect = engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that happens inside is committed together at the end, or not at all."""
        with self._engine.begin() as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent look that takes no write lock."""
        with self._engine.connect().execution_options(**{_READING: True}) as tx:
            yield tx

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A look in which everything is as of one moment, however long it takes."""
        with self.reading() as tx:
            if self.dialect == "postgresql":
                tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield tx

    def run(self, act: Callable[[Connection], Result]) -> Result:
        """Run an act in one transaction; again from the start when the database had to break a ring."""
        for attempt in range(RETRIES_AFTER_A_RING + 1):
            try:
                with self.transaction() as tx:
                    return act(tx)
            except OperationalError as error:
                broken = getattr(error.orig, "sqlstate", None) in RING_CODES
                if not broken or attempt == RETRIES_AFTER_A_RING:
                    raise
        raise RuntimeError("unreachable: the last attempt returns or raises")

    def readers_stay(self, tx: Connection) -> None:
        """No node is enrolled while this transaction decides who is told."""
        if self.dialect == "postgresql":
            tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({READERS_LOCK})")

    def readers_change(self, tx: Connection) -> None:
        """Wait until nobody is deciding who is told, and keep others from it."""
        if self.dialect == "postgresql":
            tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({READERS_LOCK})")

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()


def open_ledger(url: str, *, now: datetime, randomness: Callable[[int], bytes]) -> Ledger:
    """Open, check, migrate, and learn (or create) the epoch."""
    parsed = make_url(url)
    engine = _sqlite(parsed.database) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        with engine.connect() as probe:
            _assert_durable(probe)
        bring_up_to_date(engine)
        with engine.begin() as tx:
            epoch = tx.scalar(sa.select(LEDGER_IDENTITY.c.epoch))
            if epoch is None:
                epoch = randomness(16).hex()
                tx.execute(sa.insert(LEDGER_IDENTITY).values(id=1, epoch=epoch, created_at=now))
            left = tx.execute(sa.select(RESTORES.c.left_epoch).order_by(RESTORES.c.restored_at)).scalars().all()
    except BaseException:
        engine.dispose()
        raise
    return Ledger(engine, str(epoch), tuple(dict.fromkeys(left)))


def _sqlite(database: str | None) -> Engine:
    if dbapi2.sqlite_version_info < SQLITE_AT_LEAST:
        raise LedgerUnsafe(setting="sqlite_version", value=dbapi2.sqlite_version)
    if not database or database == ":memory:":
        raise LedgerUnsafe(setting="database", value=database or "")
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)

    def connect() -> Any:  # noqa: ANN401 - the driver is untyped
        connection = dbapi2.connect(str(path), timeout=SQLITE_WAIT_MS / 1000, check_same_thread=False)
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={SQLITE_WAIT_MS}"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = engine_for(
        "sqlite://", module=dbapi2, creator=connect, poolclass=QueuePool, pool_size=CONNECTIONS, max_overflow=0
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: sa.URL) -> Engine:
    return engine_for(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True)


def _assert_durable(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        wanted = {"journal_mode": "wal", "synchronous": "2"}
        found = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in wanted}
        wrong = {name: value for name, value in found.items() if value != wanted[name]}
    else:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        found = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names}
        wrong = {name: value for name, value in found.items() if value in {"off", "local"}}
    for name, value in wrong.items():
        raise LedgerUnsafe(setting=name, value=value)
