"""Back from a backup: the same city on another timeline, on either database, from either database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from city_gateway.acts.outline import outline
from city_gateway.backup import key_export, restoring
from city_gateway.backup.errors import (
    BackupDamaged,
    BackupOlder,
    BackupUnverified,
    KeyExportNotOpened,
    KeysDiffer,
    LedgerInUse,
    LedgerNotEmpty,
)
from city_gateway.backup.restoring import Wish
from city_gateway.keys import load_keys, make_keys
from city_gateway.ledger import backups, nodes
from city_gateway.ledger.database import open_ledger
from city_gateway.ledger.tables import METADATA, PLATFORM_OUTBOX
from tests.city_gateway.backup_cut import KILLED, LIVED, dies_at
from tests.city_gateway.backup_world import backed_up, restored, workshop
from tests.city_gateway.gateway_fixtures import NOON, TOWNSHIP, City, EnrolledNode, city_in

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]


async def busy(city: City) -> tuple[EnrolledNode, EnrolledNode]:
    """A village and a township with one application between them, a scan, an open sign-in code."""
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    scan = village.sealed_scan(b"a page")
    await village.upload(scan)
    application_id, collected = village.collect(scan)
    await village.everything(collected)
    begun = township.act(township.event("pre_review_started"), application_id=application_id, basis=1)
    await township.everything(begun)
    await village.everything()
    city.code()
    return village, township


def rows_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    ledger = open_ledger(url, now=NOON, randomness=os.urandom)
    with ledger.reading() as tx:
        found = {
            table.name: sorted((tuple(row) for row in tx.execute(sa.select(table))), key=repr)
            for table in METADATA.sorted_tables
        }
    ledger.close()
    return found


def outline_of(url: str) -> list[dict[str, object]]:
    ledger = open_ledger(url, now=NOON, randomness=os.urandom)
    try:
        return list(outline(ledger))
    finally:
        ledger.close()


CHANGED = {"ledger_identity", "restores", "verified_backups", "enrolment_codes", "nodes"}


async def test_everything_comes_back_under_a_new_epoch_on_the_same_and_on_the_other_database(
    ledger_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "gateway"
    async with city_in(folder, ledger_url) as city:
        village, _ = await busy(city)
        generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"))
        before, told = rows_of(ledger_url), list(outline(city.gateway.ledger))
        await village.everything(village.collect()[1])
    elsewhere = await other_database(ledger_url, tmp_path, request)
    for url, replace in ((ledger_url, True), (elsewhere, False)):
        place = tmp_path / f"new-{replace}"
        key_export.export_keys(folder, tmp_path / "city.keys", "an invented passphrase", os.urandom)
        keys = key_export.import_keys(place, tmp_path / "city.keys", "an invented passphrase")
        done = restoring.restore(Wish(generation, url, place, replace), keys, now=NOON, randomness=os.urandom)
        after = rows_of(url)
        assert {name: after[name] for name in before if name not in CHANGED} == {
            name: before[name] for name in before if name not in CHANGED
        }
        async with city_in(place, url) as again:
            assert (again.gateway.ledger.epoch, done.left_epoch) == (done.epoch, city.gateway.ledger.epoch)
            assert list(outline(again.gateway.ledger)) == told
            with again.gateway.ledger.reading() as tx:
                last = backups.last_restore(tx)
                assert last is not None
                assert (last.backup_id, last.as_of) == (done.backup_id, NOON)
            village.city = again
            got = await village.exchange()
            assert (got.receipt.epoch, got.receipt.hwm, got.receipt.stable_hwm) == (done.epoch, 1, 1)
            assert [path.name for path in again.gateway.folder.scans.iterdir() if path.is_file()]
            answered = await village.exchange(*village.journal[got.receipt.hwm :])
            assert answered.receipt.hwm == len(village.journal)
            with again.gateway.ledger.reading() as tx:
                numbers = list(tx.execute(sa.select(PLATFORM_OUTBOX.c.id)).scalars())
            assert len(set(numbers)) > len(before["platform_outbox"]), "promises are numbered on from the restored ones"


async def other_database(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if not url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'elsewhere.db'}"
    server = sa.make_url(request.getfixturevalue("postgresql_server"))
    name = f"elsewhere_{os.urandom(4).hex()}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


async def test_a_restore_is_refused_where_it_would_lose_something(ledger_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    async with city_in(folder, ledger_url) as city:
        await busy(city)
        at = workshop(city, ledger_url, tmp_path / "backups")
        first = backed_up(at)
        city.clock.forward(hours=1)
        second = backed_up(at)
        city.clock.forward(hours=1)
        unverified = backed_up(at, verify=False)
        with pytest.raises(LedgerInUse):
            restored(folder, ledger_url, second, city)
    before = rows_of(ledger_url)
    keys = load_keys(folder / "keys")
    with pytest.raises(LedgerNotEmpty):
        restoring.restore(Wish(second, ledger_url, folder), keys, now=NOON, randomness=os.urandom)
    with pytest.raises(BackupUnverified):
        restored(folder, ledger_url, unverified, city)
    with pytest.raises(BackupOlder) as older:
        restored(folder, ledger_url, first, city)
    assert older.value.params["newer"] == second.name
    sealed = second / "ledger.sealed"
    data = sealed.read_bytes()
    sealed.write_bytes(data[:-1])
    with pytest.raises(BackupDamaged):
        restored(folder, ledger_url, second, city)
    sealed.write_bytes(data)
    assert rows_of(ledger_url) == before, "nothing that was refused has changed anything"
    assert restored(folder, ledger_url, first, city, yes_older=True).backup_id
    assert restored(folder, ledger_url, second, city).backup_id


async def test_what_was_there_is_moved_aside_and_stays_readable(ledger_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    async with city_in(folder, ledger_url) as city:
        village, _ = await busy(city)
        generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"))
        await village.everything(village.collect()[1])
    before = rows_of(ledger_url)
    for _ in range(2):
        restored(folder, ledger_url, generation, city)
    if ledger_url.startswith("sqlite"):
        aside = tmp_path / "ledger.db.before-restore-1" / "ledger.db"
        assert rows_of(f"sqlite:///{aside}") == before
        assert (tmp_path / "ledger.db.before-restore-2" / "ledger.db").is_file()
        return
    engine = sa.create_engine(ledger_url)
    with engine.connect() as tx:
        count = tx.exec_driver_sql("SELECT count(*) FROM before_restore_1.journal").scalar()
        assert (
            tx.exec_driver_sql("SELECT count(*) FROM before_restore_2.journal").scalar() == len(before["journal"]) - 1
        )
    engine.dispose()
    assert count == len(before["journal"])


async def test_a_restore_killed_anywhere_has_changed_nothing_or_is_done_and_can_be_run_again(
    ledger_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    async with city_in(folder, ledger_url) as city:
        village, _ = await busy(city)
        generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"))
        told = list(outline(city.gateway.ledger))
        await village.everything(village.collect()[1])
    place = tmp_path / "place"
    place.mkdir()
    (place / "keys").mkdir(mode=0o700)
    for path in (folder / "keys").iterdir():
        (place / "keys" / path.name).write_bytes(path.read_bytes())

    def work() -> None:
        restored(place, ledger_url, generation, city)

    ended, calls = dies_at(work, 0)
    assert (ended, calls > 8) == (LIVED, True)
    for at_call in range(1, calls + 1):
        for path in (place / "scans").glob("?*"):
            if path.is_file():
                path.unlink()  # so that there is as much to do as the first time
        ended, _ = dies_at(work, at_call)
        assert ended == KILLED, at_call
        assert outline_of(ledger_url) == told, "whole: what was restored before, or this one"
    assert dies_at(work, 0)[0] == LIVED
    assert outline_of(ledger_url) == told


async def test_unused_codes_and_open_sessions_do_not_come_back_to_life(ledger_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    async with city_in(folder, ledger_url) as city:
        code = city.code(hours=24)
        generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"))
    restored(folder, ledger_url, generation, city)
    async with city_in(folder, ledger_url) as again:
        with pytest.raises(Exception, match="code_refused"):
            await again.enrol_with(code)


async def test_a_database_set_back_by_its_own_means_begins_a_new_timeline(city: City) -> None:
    village = await city.enrol()
    await village.everything(*[village.collect()[1] for _ in range(3)])
    ledger = city.gateway.ledger
    with ledger.transaction() as tx:
        left = backups.epoch(tx)
        backups.begin_timeline(tx, backups.Restored("f" * 32, city.clock(), left, None, None), None)
        found = nodes.find(tx, village.document.node_id)
        assert found is not None
        assert found.stable_hwm == 0
        assert (backups.epoch(tx), backups.last_restore(tx) is not None) == ("f" * 32, True)


def test_a_key_export_opens_by_its_passphrase_alone_and_overwrites_nothing(tmp_path: Path) -> None:
    make_keys(tmp_path / "city" / "keys", os.urandom)
    export = tmp_path / "city.keys"
    key_export.export_keys(tmp_path / "city", export, "an invented passphrase", os.urandom)
    own = load_keys(tmp_path / "city" / "keys")
    assert own.signing.to_bytes().hex().encode() not in export.read_bytes()
    assert export.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyExportNotOpened):
        key_export.import_keys(tmp_path / "new", export, "another passphrase")
    assert not (tmp_path / "new").exists()
    for _ in range(2):
        brought = key_export.import_keys(tmp_path / "new", export, "an invented passphrase")
    assert (brought.gateway_id, brought.signing.public) == (own.gateway_id, own.signing.public)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "keys").iterdir()] == [0o600] * 3
    make_keys(tmp_path / "other" / "keys", os.urandom)
    with pytest.raises(KeysDiffer):
        key_export.import_keys(tmp_path / "other", export, "an invented passphrase")
    assert key_export.exports_of(own, tmp_path) == [export]
    changed = bytearray(export.read_bytes())
    changed[-20] ^= 1
    export.write_bytes(changed)
    with pytest.raises(KeyExportNotOpened):
        key_export.import_keys(tmp_path / "third", export, "an invented passphrase")
