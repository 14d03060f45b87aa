"""Bringing a desk to the form of this release.

Laws: forward only; one transaction for all steps, so a cut leaves the old desk or the new one; a copy is made first
when there is something to lose; a desk of a newer release is recognised before a single byte of it is changed.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2

from offline_store.desk.connection import Connection, connect, named, unlocked
from offline_store.errors import NewerDesk
from offline_store.placing import flush_folder, take_away

RELEASES: Final = ("0001", "0002", "0003")
"""Every form a desk ever had, oldest first; a test compares them with the migrations."""
VERSION_TABLE: Final = "desk_form"
MIGRATIONS: Final = Path(__file__).with_name("migrations")


def upgrade(path: Path, key: bytes) -> None:
    """Do nothing when the desk is of this release; else copy it aside and run the missing steps."""
    current = form_of(path, key)
    if current == RELEASES[-1]:
        return
    if current is not None and current not in RELEASES:
        raise NewerDesk(found=current, known=RELEASES[-1])
    if current is not None:
        connection = unlocked(path, key)
        try:
            copy(connection, copy_before(path, current))
        finally:
            connection.close()
    _run(path, key)


def form_of(path: Path, key: bytes) -> str | None:
    """The form of the desk in this file, None when it is still empty; writes nothing."""
    connection = unlocked(path, key)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if VERSION_TABLE not in tables:
            return None
        row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
        return str(row[0]) if row else None
    except dbapi2.Error as failure:
        raise named(failure) from None
    finally:
        connection.close()


def copy_before(path: Path, form: str) -> Path:
    """Where the copy of a desk of an older form lies."""
    return path.with_name(f"{path.name}.before-{form}")


def copy(connection: Connection, target: Path) -> None:
    """A whole copy under the same key, durable before it has its name; an older copy of that name is replaced."""
    unfinished = target.with_name(f".{target.name}.copying")
    take_away(unfinished)
    try:
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.chmod(0o600)
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(target)
        flush_folder(target.parent)
    except dbapi2.Error as failure:
        raise named(failure) from None
    finally:
        take_away(unfinished)


def _run(path: Path, key: bytes) -> None:
    # Imported here: a start that has nothing to migrate does not pay for it (0.1 s and 12 MiB).
    from alembic import command
    from alembic.config import Config

    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=lambda: connect(path, key, writing=True),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, RELEASES[-1])
    except DBAPIError as failure:
        raise named(failure.orig or failure) from None
    finally:
        engine.dispose()
