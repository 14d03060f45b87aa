"""Which backup is the newest does not depend on what the clock said when it was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from city_gateway.acts.standing import Backing, backing
from city_gateway.backup import making, trial
from city_gateway.backup.errors import BackupOlder
from city_gateway.backup.manifest import read_manifest, write_manifest
from city_gateway.backup.workshop import Workshop
from city_gateway.ledger import backups
from city_gateway.ledger.backups import VerifiedBackup
from tests.city_gateway.backup_world import backed_up, restored, workshop
from tests.city_gateway.gateway_fixtures import NOON, City, city_in

pytestmark = pytest.mark.node
ASTRAY = datetime(2050, 1, 1, tzinfo=UTC)


def two_backups(city: City, at: Workshop) -> tuple[Path, Path]:
    """One made while the clock was astray, one after it was put right."""
    city.clock.now = ASTRAY
    astray = backed_up(at)
    city.clock.now = NOON
    return astray, backed_up(at)


def as_an_earlier_program_left_it(at: Workshop, generation: Path) -> Path:
    """The same backup without a number, in manifest and name, verified."""
    manifest = read_manifest(generation, at.keys)
    write_manifest(generation, manifest.model_copy(update={"number": 0}), at.keys)
    trial.try_out(at, generation)
    return generation.rename(generation.with_name(generation.name.partition("-")[2]))


async def test_what_was_just_made_stays_though_an_older_one_bears_a_later_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(tmp_path / "gateway", url) as city:
        await city.enrol()
        at = workshop(city, url, tmp_path / "backups")
        astray, right = two_backups(city, at)
        assert at.shelf.newest() == right
        assert making.keep_only(at.shelf, at.keys, 1) == [astray.name]
    assert at.shelf.all() == [right]


async def test_the_true_newest_is_restored_and_the_one_with_the_later_time_is_called_older(tmp_path: Path) -> None:
    folder, url = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(folder, url) as city:
        await city.enrol()
        astray, right = two_backups(city, workshop(city, url, tmp_path / "backups"))
    with pytest.raises(BackupOlder) as older:
        restored(folder, url, astray, city)
    assert older.value.params["newer"] == right.name
    assert restored(folder, url, right, city).as_of == NOON


async def test_a_backup_that_bears_a_time_to_come_is_not_fresh_and_hides_no_other(city: City) -> None:
    def verified(made_at: datetime) -> VerifiedBackup:
        return VerifiedBackup(f"{made_at:%Y%m%d}", city.gateway.ledger.epoch, made_at, made_at, "", 0, 0, 0)

    def standing() -> tuple[str, Backing]:
        with city.gateway.ledger.reading() as tx:
            newest = backups.newest(tx, city.clock())
        assert newest is not None
        return newest.backup_id, backing(newest, None, city.clock()).state

    with city.gateway.ledger.transaction() as tx:
        backups.keep(tx, verified(ASTRAY))
    assert standing() == ("20500101", Backing.OLD)
    assert "比现在还晚" in backing(verified(ASTRAY), None, city.clock()).sentence
    with city.gateway.ledger.transaction() as tx:
        backups.keep(tx, verified(NOON - timedelta(hours=1)))
    assert standing() == ("20261123", Backing.FRESH)
    city.clock.forward(days=3)
    assert standing() == ("20261123", Backing.OLD)


async def test_backups_of_an_earlier_program_keep_their_order_below_all_numbered(tmp_path: Path) -> None:
    folder, url = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(folder, url) as city:
        await city.enrol()
        at = workshop(city, url, tmp_path / "backups")
        first = as_an_earlier_program_left_it(at, backed_up(at))
        city.clock.forward(hours=1)
        second = as_an_earlier_program_left_it(at, backed_up(at))
        assert at.shelf.newest() == second
        city.clock.now -= timedelta(days=1)
        third = backed_up(at)
        assert at.shelf.all() == [first, second, third]
        assert read_manifest(third, at.keys).number == 1
    for old in (first, second):
        with pytest.raises(BackupOlder):
            restored(folder, url, old, city)
    assert restored(folder, url, third, city).backup_id
