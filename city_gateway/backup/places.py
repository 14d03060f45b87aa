"""Where a restored ledger goes, on either database: is it free, and taking it at once.

Laws: what is there is moved aside whole and stays readable (SQLite: a folder beside it; PostgreSQL: a schema); a ledger
without nodes and entries counts as free; nothing is moved while another program is connected.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import Connection, inspect, make_url
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2

from city_gateway.backup.errors import LedgerInUse, LedgerNotEmpty
from city_gateway.backup.snapshot import companions, file_ledger, load
from city_gateway.folder import flush_folder
from city_gateway.ledger.engines import engine_for
from city_gateway.ledger.schema import upgrade
from city_gateway.ledger.tables import METADATA

ASIDE = "before-restore"
KEPT_IN = ("nodes", "journal", "applications", "office_clerks")


class Place(Protocol):
    """Somewhere a ledger can be."""

    def must_be_free(self, *, replace: bool) -> None:
        """LedgerNotEmpty or LedgerInUse, when it cannot be taken."""

    def take(self, plain: Path) -> None:
        """Put this finished ledger there, at once, what was there moved aside."""


def of(url: str) -> Place:
    """The place that a URL names."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return FilePlace(Path(parsed.database or ""))
    return ServerPlace(url)


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A SQLite file."""

    path: Path

    def must_be_free(self, *, replace: bool) -> None:
        """Asks the file itself; one that cannot be read is not free either."""
        if not self.path.exists():
            return
        if not replace and not self._is_empty():
            raise LedgerNotEmpty(place=self.path.name)
        self._fold_in()

    def take(self, plain: Path) -> None:
        """Keep the old file under a second name, then one rename: at no moment is there no ledger at the place."""
        if self.path.exists():
            self._fold_in()
            aside = self._aside()
            aside.mkdir(mode=0o700, exist_ok=True)
            for beside in companions(self.path):
                if beside.exists():  # of a ledger too damaged to be folded in
                    beside.rename(aside / beside.name)
            (aside / self.path.name).hardlink_to(self.path)
            flush_folder(aside)
        plain.replace(self.path)
        flush_folder(self.path.parent)

    def _aside(self) -> Path:
        """The first folder that holds no ledger yet: one that a kill left half filled is filled on."""
        number = 1
        while (folder := self.path.with_name(f"{self.path.name}.{ASIDE}-{number}")) and (
            folder / self.path.name
        ).exists():
            number += 1
        return folder

    def _is_empty(self) -> bool:
        with file_ledger(self.path) as engine, suppress(sa.exc.DatabaseError), engine.connect() as tx:
            return _is_empty(tx)
        return False

    def _fold_in(self) -> None:
        """Bring the write-ahead log home, which succeeds only while nobody else has the file open."""
        connection = dbapi2.connect(str(self.path), timeout=1)
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        except dbapi2.OperationalError:
            raise LedgerInUse(place=self.path.name) from None
        except dbapi2.DatabaseError:
            return  # damaged: moved aside as it is
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """A PostgreSQL database."""

    url: str

    def must_be_free(self, *, replace: bool) -> None:
        """Asks the server who is connected and what is there."""
        engine = engine_for(self.url, poolclass=NullPool)
        try:
            with engine.begin() as tx:
                _alone(tx)
                if not replace and not _is_empty(tx):
                    raise LedgerNotEmpty(place=str(tx.scalar(sa.text("SELECT current_database()"))))
        finally:
            engine.dispose()

    def take(self, plain: Path) -> None:
        """One transaction: old tables into a schema of their own, new tables, every row."""
        engine = engine_for(self.url, poolclass=NullPool)
        try:
            with file_ledger(plain) as source, source.connect() as rows, engine.begin() as tx:
                _alone(tx)
                _move_aside(tx)
                upgrade(tx)
                load(rows, tx)
        finally:
            engine.dispose()


def _is_empty(tx: Connection) -> bool:
    present = set(inspect(tx).get_table_names())
    tables = [table for table in METADATA.sorted_tables if table.name in present & set(KEPT_IN)]
    return all(tx.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is None for table in tables)


def _alone(tx: Connection) -> None:
    others = tx.scalar(
        sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    )
    if others:
        raise LedgerInUse(place=str(tx.scalar(sa.text("SELECT current_database()"))))


def _move_aside(tx: Connection) -> None:
    tables = inspect(tx).get_table_names()
    if not tables:
        return
    schemas = set(inspect(tx).get_schema_names())
    number = next(n for n in range(1, len(schemas) + 2) if _schema(n) not in schemas)
    tx.exec_driver_sql(f"CREATE SCHEMA {_schema(number)}")
    ours = {table.name for table in METADATA.sorted_tables} | {"alembic_version"}
    for name in sorted(ours & set(tables)):
        tx.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA {_schema(number)}')


def _schema(number: int) -> str:
    return f"{ASIDE.replace('-', '_')}_{number}"
