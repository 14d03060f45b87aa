"""A statement that fails on a real ledger is printed with its trace by whoever runs the server: no person is in it."""

from __future__ import annotations

import traceback
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from city_gateway.ledger.engines import engine_for
from city_gateway.ledger.tables import NODES
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, City

pytestmark = pytest.mark.node
ROOM = Path(__file__).parents[2] / "city_gateway"
MARKER = "李标记"

NONE_TODAY = """
CREATE FUNCTION none_today() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'none_today' USING ERRCODE = 'disk_full', DETAIL = NEW.site_name; END $$ LANGUAGE plpgsql;
CREATE TRIGGER none_today BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION none_today()
"""


def take_no_node(tx: Connection) -> None:
    """Every new row fails as when the disk is full; PostgreSQL quotes the row in the detail of its answer."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(NONE_TODAY)
    else:
        tx.exec_driver_sql(
            "CREATE TRIGGER none_today BEFORE INSERT ON nodes BEGIN INSERT INTO none_today VALUES (1); END"
        )


async def test_an_insert_that_fails_behind_the_door_leaves_no_person_in_trace_or_log(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    with city.gateway.ledger.transaction() as tx:
        take_no_node(tx)
    code = city.code(name=MARKER)
    server = httpx.ASGITransport(app=city.app)  # raises what a server would print
    async with httpx.AsyncClient(transport=server, base_url=PUBLIC_URL) as city.client:
        with caplog.at_level(0), pytest.raises(DBAPIError) as failed:
            await city.enrol_with(code)
    printed = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert "none_today" in printed
    assert MARKER not in printed
    with city.gateway.ledger.reading() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(NODES)) == 0


def test_a_value_that_the_database_does_not_understand_is_not_quoted(postgresql_server: str) -> None:
    engine = engine_for(postgresql_server)
    with engine.connect() as tx, pytest.raises(DBAPIError) as failed:
        tx.execute(sa.text("SELECT CAST(CAST(:said AS TEXT) AS INTEGER)"), {"said": MARKER})
    engine.dispose()
    printed = "".join(traceback.format_exception(failed.value))
    assert "22P02" in printed
    assert MARKER not in printed


def test_every_engine_of_the_gateway_is_made_in_one_place() -> None:
    makers = {path.name for path in ROOM.rglob("*.py") if "create_engine(" in path.read_text()}
    assert makers == {"engines.py"}
