"""Opening a ledger: migrated, durable, of one timeline, or not opened at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from city_gateway.errors import LedgerTooNew, LedgerUnsafe
from city_gateway.ledger import database, outbox, scan_owners, scan_references, schema
from city_gateway.ledger.database import Ledger, open_ledger
from city_gateway.ledger.tables import METADATA, SCAN_REFERENCES
from tests.city_gateway.gateway_fixtures import NOON

pytestmark = pytest.mark.node


def opened(url: str) -> Ledger:
    return open_ledger(url, now=NOON, randomness=os.urandom)


def test_the_migrations_make_the_tables_of_this_program(ledger_url: str) -> None:
    ledger = opened(ledger_url)
    with ledger.reading() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), METADATA)
    ledger.close()
    assert differences == []


def test_a_ledger_keeps_its_epoch_and_a_new_one_has_another(ledger_url: str, tmp_path: Path) -> None:
    epochs = []
    for url in (ledger_url, ledger_url, f"sqlite:///{tmp_path / 'other.db'}"):
        ledger = opened(url)
        epochs.append(ledger.epoch)
        ledger.close()
    assert epochs[0] == epochs[1] != epochs[2]


def test_a_newer_ledger_is_refused_untouched(ledger_url: str) -> None:
    ledger = opened(ledger_url)
    with ledger.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerTooNew):
        opened(ledger_url)
    with ledger.reading() as tx:
        assert tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
    ledger.close()


def test_an_old_sqlite_and_a_database_in_memory_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(LedgerUnsafe):
        opened("sqlite://")
    monkeypatch.setattr(database.dbapi2, "sqlite_version_info", (3, 40, 1))
    with pytest.raises(LedgerUnsafe):
        opened(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_a_postgresql_that_does_not_wait_for_the_disk_is_refused(postgresql_server: str) -> None:
    name = "careless"
    engine = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine.dispose()
    with pytest.raises(LedgerUnsafe) as refused:
        opened(sa.make_url(postgresql_server).set(database=name).render_as_string(hide_password=False))
    assert refused.value.params == {"setting": "synchronous_commit", "value": "off"}


def test_records_that_an_earlier_ledger_promised_keep_the_name_they_had(ledger_url: str) -> None:
    engine = sa.create_engine(ledger_url)
    with engine.begin() as tx:
        schema.command.upgrade(schema._config(tx), "0005")
        for case_seq in (1, 2):
            tx.execute(
                sa.text(
                    "INSERT INTO platform_outbox (application_id, case_seq, record_set, row, body, recorded_at)"
                    " VALUES ('a', :seq, 'process', 0, '{}', '2026-11-23 04:00:00')"
                ),
                {"seq": case_seq},
            )
    engine.dispose()
    ledger = opened(ledger_url)
    with ledger.reading() as tx:
        named = [(one.act, one.application_id, one.body) for _, one in outbox.undelivered(tx, 10)]
    assert named == [("a:1", "a", {}), ("a:2", "a", {})]
    ledger.close()


def test_scans_of_an_earlier_ledger_belong_to_the_site_that_alone_refers_to_them(ledger_url: str) -> None:
    engine = sa.create_engine(ledger_url)
    with engine.begin() as tx:
        config = schema._config(tx)
        schema.command.upgrade(config, "0001")
        for application_id, site in (("a", "1"), ("b", "2")):
            tx.execute(
                sa.text(
                    "INSERT INTO applications VALUES (:id, '', '', :site, 'submitted', 1, '2026-11-23 04:00:00', '{}')"
                ),
                {"id": application_id, "site": site},
            )
        for scan, application_id in (("own", "a"), ("named by two", "a"), ("named by two", "b")):
            tx.execute(
                sa.text("INSERT INTO scan_references VALUES (:scan, :id, 1, :no)"),
                {"scan": scan, "id": application_id, "no": False},
            )
    engine.dispose()
    ledger = opened(ledger_url)
    with ledger.reading() as tx:
        assert scan_owners.owners(tx, ["own", "named by two"]) == {"own": "1"}
        assert (scan_references.scans_of(tx, "a"), scan_references.scans_of(tx, "b")) == ({"own"}, set())
        assert tx.scalar(sa.select(sa.func.count()).select_from(SCAN_REFERENCES)) == 3
    ledger.close()
