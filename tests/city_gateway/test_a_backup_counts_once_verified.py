"""A backup counts when it was restored on trial and found whole; only then do the nodes rely on it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from city_gateway.backup import making, trial
from city_gateway.backup.errors import BackupDamaged, BackupOtherGateway, BackupOtherTimeline, BackupUnverified
from city_gateway.backup.manifest import is_verified, read_manifest, read_verified
from city_gateway.backup.shelf import Shelf
from city_gateway.backup.snapshot import Snapshot, file_ledger
from city_gateway.backup.trial import files_must_be_whole
from city_gateway.backup.workshop import Workshop
from city_gateway.errors import GatewayError
from city_gateway.ledger import backups, nodes
from city_gateway.ledger.backups import Restored
from city_gateway.ledger.database import Ledger
from tests.city_gateway.backup_cut import KILLED, LIVED, dies_at
from tests.city_gateway.backup_world import backed_up, workshop, workshop_on
from tests.city_gateway.gateway_fixtures import FORM, OTHER_VILLAGE, City, EnrolledNode, city_in

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]


@pytest.fixture
async def sqlite_city(tmp_path: Path) -> AsyncIterator[City]:
    """Where the kind of database makes no difference."""
    async with city_in(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}") as made:
        yield made


def stable(city: City, node: EnrolledNode) -> int:
    with city.gateway.ledger.reading() as tx:
        found = nodes.find(tx, node.document.node_id)
    assert found is not None
    return found.stable_hwm


async def test_the_stable_mark_is_the_mark_inside_the_verified_backup(city: City, ledger_url: str, tmp_path: Path):
    village = await city.enrol()
    await village.everything(village.collect()[1], village.collect()[1])
    assert (await village.exchange()).receipt.stable_hwm == 0
    generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"))
    assert (await village.exchange()).receipt.stable_hwm == 2
    await village.everything(village.collect()[1])
    assert (await village.exchange()).receipt.stable_hwm == 2, "what came after the backup is in none"
    manifest = read_manifest(generation, city.gateway.keys)
    assert manifest.marks[village.document.node_id].hwm == 2
    assert manifest.rows["applications"] == 2


async def test_without_verification_nothing_is_published_and_nothing_can_be_restored(
    city: City, ledger_url: str, tmp_path: Path
):
    village = await city.enrol()
    await village.exchange(village.collect()[1])
    generation = backed_up(workshop(city, ledger_url, tmp_path / "backups"), verify=False)
    assert (await village.exchange()).receipt.stable_hwm == 0
    with city.gateway.ledger.reading() as tx:
        assert backups.newest(tx, city.clock()) is None
    with pytest.raises(BackupUnverified):
        read_verified(generation, city.gateway.keys)


async def test_the_mark_stops_before_the_first_operation_whose_scans_are_not_all_in_the_backup(
    city: City, ledger_url: str, tmp_path: Path
):
    village, other = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    here, on_the_way = village.sealed_scan(b"a page that arrived"), village.sealed_scan(b"a page that did not")
    await village.upload(here)
    await village.exchange(village.collect(here)[1])
    application_id, envelope = village.collect(on_the_way)
    await village.exchange(envelope, village.collect()[1])
    await other.exchange(other.collect()[1])
    at = workshop(city, ledger_url, tmp_path / "backups")
    generation = backed_up(at)
    assert (stable(city, village), stable(city, other)) == (1, 1)
    held_back = read_verified(generation, city.gateway.keys).held_back
    assert {node: why.applications for node, why in held_back.items()} == {village.document.node_id: [application_id]}
    await village.upload(on_the_way)
    assert stable(city, village) == 1, "arrived, and in no backup yet"
    backed_up(at)
    assert (stable(city, village), stable(city, other)) == (3, 1)


async def test_a_scan_that_rotted_in_the_live_store_is_left_out_and_its_sender_keeps_it(
    city: City, ledger_url: str, tmp_path: Path
):
    village = await city.enrol()
    scan = village.sealed_scan(b"a page")
    await village.upload(scan)
    await village.exchange(village.collect(scan)[1])
    live = city.gateway.folder.scans / scan.name
    live.write_bytes(live.read_bytes()[:-1] + bytes([live.read_bytes()[-1] ^ 1]))
    at = workshop(city, ledger_url, tmp_path / "backups")
    generation = backed_up(at)
    assert read_manifest(generation, city.gateway.keys).scans_damaged == [scan.name]
    assert stable(city, village) == 0
    live.write_bytes(scan.data)
    backed_up(at)
    assert stable(city, village) == 1
    live.unlink()
    backed_up(at)
    assert stable(city, village) == 1, "the shelf still has it from the backup before"


async def test_scans_of_an_operation_that_waits_hold_the_mark_back_too(city: City, ledger_url: str, tmp_path: Path):
    village = await city.enrol()
    application_id, collected = village.collect()
    scan = village.sealed_scan(b"a page of the supplement")
    supplement = village.event("supplemented", handed_in=(), scans=(scan.as_scan(),))
    waits = village.act(supplement, application_id=application_id, basis=7)
    await village.exchange(collected, waits)
    at = workshop(city, ledger_url, tmp_path / "backups")
    backed_up(at)
    assert stable(city, village) == 1
    await village.upload(scan)
    backed_up(at)
    assert stable(city, village) == 2


@pytest.mark.parametrize("what", ["ledger.sealed", "scans.list", "catalog.tar", "manifest.json", "a scan"])
async def test_one_changed_byte_anywhere_is_found_and_publishes_nothing(sqlite_city: City, tmp_path: Path, what: str):
    city, url = sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}"
    village = await city.enrol()
    scan = village.sealed_scan(b"a page")
    await village.upload(scan)
    await village.exchange(village.collect(scan)[1])
    at = workshop(city, url, tmp_path / "backups")
    generation = backed_up(at, verify=False)
    path = at.shelf.scan(scan.name) if what == "a scan" else generation / what
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with at.shelf.alone(), pytest.raises(GatewayError) as refused:
        trial.try_out(at, generation)
    assert isinstance(refused.value, BackupDamaged | BackupOtherGateway)
    assert not is_verified(generation, city.gateway.keys)
    assert stable(city, village) == 0
    assert list(city.gateway.folder.root.glob(".backup-scratch-*")) == [], "no plain copy stays behind"


async def test_a_scan_that_rotted_on_the_shelf_is_copied_anew_by_the_next_backup(sqlite_city: City, tmp_path: Path):
    city, url = sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}"
    village = await city.enrol()
    scan = village.sealed_scan(b"a page")
    await village.upload(scan)
    await village.exchange(village.collect(scan)[1])
    at = workshop(city, url, tmp_path / "backups")
    backed_up(at)
    at.shelf.scan(scan.name).write_bytes(b"rotten")
    with pytest.raises(BackupDamaged):
        backed_up(at)
    generation = backed_up(at)
    assert is_verified(generation, city.gateway.keys)
    assert at.shelf.scan(scan.name).read_bytes() == (city.gateway.folder.scans / scan.name).read_bytes()


@pytest.mark.parametrize("lost", ["journal", "case_entries", "operations", "feed_entries", "a mark"])
async def test_a_ledger_that_does_not_hold_together_is_not_verified(
    sqlite_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
):
    """The copy itself goes wrong while everything is hashed and signed afterwards: only a real restore can tell."""
    village = await sqlite_city.enrol()
    await village.exchange(village.collect()[1])
    copy = making.copy_ledger

    def badly(ledger: Ledger, target: Path) -> Snapshot:
        found = copy(ledger, target)
        with file_ledger(target) as engine, engine.begin() as tx:
            tx.exec_driver_sql("UPDATE nodes SET hwm = 0" if lost == "a mark" else f"DELETE FROM {lost}")
        return found

    monkeypatch.setattr(making, "copy_ledger", badly)
    at = workshop(sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    with pytest.raises(BackupDamaged):
        backed_up(at)
    assert stable(sqlite_city, village) == 0


async def test_whoever_finds_a_backup_reads_nothing_of_it(sqlite_city: City, tmp_path: Path):
    village = await sqlite_city.enrol()
    await village.exchange(village.collect()[1])
    at = workshop(sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    backed_up(at)
    names = [FORM[key].encode() for key in ("applicant_name", "applicant_id_no", "applicant_phone")]
    files = [path for path in at.shelf.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if any(name in path.read_bytes() for name in names)]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*at.shelf.all(), at.shelf.scans, at.shelf.root))
    assert any(
        name in (tmp_path / "ledger.db").read_bytes() + (tmp_path / "ledger.db-wal").read_bytes() for name in names
    )


async def test_a_newer_program_publishes_for_its_own_timeline_only(sqlite_city: City, tmp_path: Path):
    village = await sqlite_city.enrol()
    await village.exchange(village.collect()[1])
    at = workshop(sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    generation = backed_up(at, verify=False)
    trial.try_out(at, generation)
    with sqlite_city.gateway.ledger.transaction() as tx:
        left = backups.epoch(tx)
        backups.begin_timeline(tx, Restored("f" * 32, sqlite_city.clock(), left, None, None), None)
    with pytest.raises(BackupOtherTimeline):
        trial.publish(at, generation)
    assert stable(sqlite_city, village) == 0


async def test_old_generations_go_and_the_newest_verified_one_never(sqlite_city: City, tmp_path: Path):
    village = await sqlite_city.enrol()
    at = workshop(sqlite_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    made = []
    for number in range(4):
        scan = village.sealed_scan(bytes([number]))
        await village.upload(scan)
        await village.exchange(village.collect(scan)[1])
        made.append(backed_up(at, verify=number == 1))
        sqlite_city.clock.forward(hours=1)
    with at.shelf.alone():
        assert making.keep_only(at.shelf, at.keys, 1) == [made[0].name, made[2].name]
        assert at.shelf.all() == [made[1], made[3]]
        made.append(backed_up_alone(at))
        assert making.keep_only(at.shelf, at.keys, 1) == [made[1].name, made[3].name]
    assert at.shelf.all() == [made[4]]
    assert len(list(at.shelf.scans.glob("*/*"))) == 4, "the last one names them all"


def backed_up_alone(at: Workshop) -> Path:
    generation = making.make(at)
    trial.try_out(at, generation)
    return generation


async def test_a_making_that_was_cut_leaves_nothing_that_looks_like_a_backup(tmp_path: Path) -> None:
    """Killed at each call that changes the disk: the next making finds the shelf as it was and succeeds."""
    folder, url = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(folder, url) as city:
        village = await city.enrol()
        scan = village.sealed_scan(b"a page")
        await village.upload(scan)
        await village.exchange(village.collect(scan)[1])

    def work() -> None:
        backed_up(workshop_on(folder, url, tmp_path / "backups", city.clock))

    ended, calls = dies_at(work, 0)
    assert (ended, calls > 15) == (LIVED, True)
    shelf, keys = Shelf(tmp_path / "backups"), city.gateway.keys
    for at_call in range(1, calls + 1):
        shutil.rmtree(shelf.root, ignore_errors=True)
        assert dies_at(work, at_call)[0] == KILLED, at_call
        for generation in shelf.all():  # the rename had happened: it is whole
            files_must_be_whole(generation, read_manifest(generation, keys))
    assert shelf.all() == [] or at_call > calls // 2
    assert dies_at(work, 0)[0] == LIVED
    assert [path for path in shelf.all() if is_verified(path, keys)]
    assert [*shelf.root.glob(".making-*"), *folder.glob(".backup-scratch-*")] == []
