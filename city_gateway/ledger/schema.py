"""Bringing a ledger's schema forward.

Laws: forward only; one transaction; a ledger written by a newer program is refused untouched; two processes that
start at once do it one after the other.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from city_gateway.errors import LedgerTooNew

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 0x6775616E67616E  # any constant; the same in every process of this program


def bring_up_to_date(engine: Engine) -> None:
    """Apply what is missing; nothing when nothing is."""
    with engine.begin() as connection:
        upgrade(connection)


def upgrade(connection: Connection) -> None:
    """The same inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
    config = _config(connection)
    script = ScriptDirectory.from_config(config)
    here = MigrationContext.configure(connection).get_current_revision()
    if here == script.get_current_head():
        return
    if here is not None and here not in {revision.revision for revision in script.walk_revisions()}:
        raise LedgerTooNew(revision=here)
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str:
    """Which form the tables have; empty when there are none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
