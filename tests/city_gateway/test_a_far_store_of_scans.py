"""A store of scans that is spoken to: whose it is, what it may cost when it is away, and that nothing of it is lost."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from city_gateway.__main__ import app as gateway_commands
from city_gateway.acts import scan_shelf
from city_gateway.backup import restoring
from city_gateway.backup.restoring import Wish
from city_gateway.errors import (
    GatewayError,
    ScanStoreAway,
    ScanStoreForeign,
    ScanStoreKeysMissing,
    ScanStoreRefused,
    ScanStoreUrlWrong,
)
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.scan_store import opening
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.s3_place import Keys, read_keys, read_place
from city_gateway.scan_store.s3_road import Road
from city_gateway.scan_store.s3_store import S3ScanStore
from tests.city_gateway.backup_world import backed_up, workshop
from tests.city_gateway.far_scans import GATEWAY_ID, adopted, in_a_bucket, in_a_folder, road_to
from tests.city_gateway.gateway_fixtures import NOON, TOWNSHIP, City, city_in
from tests.simulators.scan_server import (
    KEYS,
    SECRET,
    BadRoad,
    Passing,
    ScanServer,
    busy,
    free_ports,
    garbled,
    is_scan,
    new_address,
)
from tests.simulators.whole_node import WholeNode

pytestmark = pytest.mark.node


@pytest.fixture
def address(bad_road: BadRoad) -> str:
    return new_address(bad_road.endpoint)


@pytest.fixture
async def far_city(tmp_path: Path, address: str) -> AsyncIterator[City]:
    """A city whose finished scans lie in the server."""
    adopted(address, tmp_path / "gateway")
    async with city_in(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}", scans=address) as made:
        yield made


def whole(address: str) -> set[str]:
    """Scans that lie whole in the server, each under the hash it has."""
    road = road_to(address)
    found = {name: b"".join(road.pieces(f"whole/{name}")) for name in road.keys("whole")}
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in found.items())
    return set(found)


# --- where it is and whose it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("s3://bucket/scans", "endpoint"),
        ("s3://bucket?endpoint=ftp://host", "endpoint"),
        ("s3:///prefix?endpoint=https://host", "s3"),
        ("https://host/bucket", "s3"),
        ("s3://bucket?endpoint=https://host&secret=x", "s3"),
        ("s3://me:secret@bucket?endpoint=https://host", "keys"),
        ("s3://bucket?endpoint=https://me:secret@host", "keys"),
        ("s3://bucket?endpoint=https://host&ca=/nowhere.pem", "ca"),
    ],
)
def test_an_address_that_is_wrong_or_carries_keys_is_refused(address: str, part: str) -> None:
    with pytest.raises(ScanStoreUrlWrong) as refused:
        read_place(address)
    assert refused.value.params == {"part": part}


def test_keys_come_from_a_credential_before_the_environment_and_without_any_nothing_is_tried(tmp_path: Path) -> None:
    assert read_keys(KEYS) == Keys(KEYS["AWS_ACCESS_KEY_ID"], SECRET)
    (tmp_path / "scans-access-key").write_text("mine\n")
    (tmp_path / "scans-secret-key").write_text("hidden\n")
    found = read_keys(KEYS | {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found == Keys("mine", "hidden")
    assert "hidden" not in repr(found)
    (tmp_path / "scans-access-key").unlink()
    for some in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, {"AWS_ACCESS_KEY_ID": "mine"}):
        with pytest.raises(ScanStoreKeysMissing):
            read_keys(some)


def test_a_store_that_says_nothing_or_another_name_is_not_touched(tmp_path: Path, address: str) -> None:
    own = GatewayFolder(tmp_path)
    own.create()
    road_to(address).put("whole/" + "a" * 64, b"of somebody")
    with pytest.raises(ScanStoreForeign):
        opening.open_store(address, own, GATEWAY_ID)
    store = S3ScanStore(road_to(address), GATEWAY_ID, own.scan_parts)
    store.adopt(FolderStore(own), lambda _: None)
    with pytest.raises(ScanStoreForeign):
        opening.open_store(address, own, "cd" * 16)
    with pytest.raises(ScanStoreForeign):
        S3ScanStore(road_to(address), "cd" * 16, own.scan_parts).adopt(FolderStore(own), lambda _: None)
    assert list(road_to(address).keys("whole")) == ["a" * 64]


def test_an_emptied_bucket_makes_no_scan_count_as_lost(tmp_path: Path, bad_road: BadRoad) -> None:
    kept = in_a_bucket(tmp_path, bad_road.endpoint)
    name = kept.put(b"sealed")
    road = kept.store._road  # type: ignore[attr-defined]
    road.delete([f"whole/{name}", "gateway"])
    with pytest.raises(ScanStoreForeign):
        kept.store.set_aside(name)
    assert list(road.keys("damaged")) == []


def test_wrong_keys_are_refused_and_said_by_code_alone(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with pytest.raises(ScanStoreRefused) as refused:
        opening.open_store(address, GatewayFolder(tmp_path), GATEWAY_ID)
    told = f"{refused.value}{refused.value.params}{refused.value.__cause__}"
    assert [word for word in ("another-secret", "127.0.0.1", KEYS["AWS_ACCESS_KEY_ID"]) if word in told] == []


def test_taking_a_store_over_brings_in_the_folder_first_and_may_be_cut(tmp_path: Path, bad_road: BadRoad) -> None:
    here, address = in_a_folder(tmp_path), new_address(bad_road.endpoint)
    names = {here.put(os.urandom(1000)) for _ in range(5)}
    rotten = here.put(b"sound")
    here.spoil(rotten, b"rotten")
    store = S3ScanStore(road_to(address), GATEWAY_ID, tmp_path)

    def cut(brought: int) -> None:
        if brought == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        store.adopt(here.store, cut)
    with pytest.raises(ScanStoreForeign):
        opening.open_store(address, GatewayFolder(tmp_path), GATEWAY_ID)
    assert store.adopt(here.store, lambda _: None) == (2, 1)
    assert whole(address) == names
    assert set(here.store.names()) == names | {rotten}, "the folder keeps its own"
    assert set(opening.open_store(address, GatewayFolder(tmp_path), GATEWAY_ID).names()) == names


def test_the_command_takes_a_store_over_with_keys_from_the_environment(tmp_path: Path, address: str) -> None:
    adopted(new_address(address.partition("endpoint=")[2]), tmp_path)  # makes the gateway's keys
    for said, code in ((address, 0), (address, 0), (f"s3://me:{SECRET}@bucket", 1), ("", 1)):
        done = CliRunner().invoke(gateway_commands, ["scans", "init", "--folder", str(tmp_path), "--scans", said])
        assert (done.exit_code, SECRET in done.output) == (code, False), done.output
    assert set(road_to(address).keys("")) >= {"gateway"}


# --- away -------------------------------------------------------------------------------------------------------------


def test_a_store_that_is_away_keeps_no_gateway_from_opening(tmp_path: Path, bad_road: BadRoad) -> None:
    (nowhere,) = free_ports(1)
    store = opening.open_store(f"s3://b/p?endpoint=http://127.0.0.1:{nowhere}", GatewayFolder(tmp_path), GATEWAY_ID)
    for ask in (lambda: store.lengths(["a" * 64]), lambda: store.sound("a" * 64), lambda: list(store.names())):
        with pytest.raises(ScanStoreAway) as away:
            ask()
        assert (away.value.status, away.value.retry_after > 0) == (503, True)
    assert list(store.lost()) == [], "an exchange does not wait for it"


def test_after_a_failure_it_is_let_be_for_a_moment(bad_road: BadRoad, address: str) -> None:
    now = [0.0]
    road = Road(read_place(address), read_keys(KEYS), lambda: now[0])
    bad_road.fault = busy
    rest = 5.0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("city_gateway.scan_store.s3_road.REST_S", rest)
        patched.setattr("city_gateway.scan_store.s3_road.SLOW_S", 0.0)
        with pytest.raises(ScanStoreAway):
            road.length("x")
        tried = len(bad_road.passed)
        assert tried > 1, "and again, but not for ever"
        with pytest.raises(ScanStoreAway):
            road.length("x")
        assert len(bad_road.passed) == tried, "nothing went over the road"
        bad_road.fault, now[0] = None, rest
        assert road.length("x") is None


def test_a_file_store_loads_no_client_of_a_far_one() -> None:
    program = "import sys, city_gateway.scan_store.opening; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- lost scans, backups ----------------------------------------------------------------------------------------------


@pytest.fixture
async def village(far_city: City, tmp_path: Path) -> AsyncIterator[WholeNode]:
    node = WholeNode.founded(far_city, tmp_path / "node")
    node.collect()
    await node.drain()
    yield node
    node.stop()


@pytest.mark.parametrize(
    "spoil",
    [lambda road, key: road.put(key, b"rotten"), lambda road, key: road.delete([key])],
    ids=["rots", "vanishes"],
)
async def test_what_rots_or_vanishes_is_not_given_out_and_its_village_sends_it_again(
    far_city: City, village: WholeNode, address: str, spoil: Callable[[Road, str], None]
) -> None:
    township = await far_city.enrol("township", TOWNSHIP, "测试镇")
    before = whole(address)
    name = min(before)
    spoil(road_to(address), f"whole/{name}")
    assert (await township.send("GET", f"/v1/scans/{name}", {"range": "bytes=0-99999999"})).status_code == 404
    assert scan_shelf.stored(far_city.gateway, [name]) == []
    await village.contact()
    await village.drain()
    assert whole(address) == before
    fetched = await township.send("GET", f"/v1/scans/{name}")
    assert (fetched.status_code, hashlib.sha256(fetched.content).hexdigest()) == (200, name)


async def test_a_backup_holds_the_scans_itself_and_brings_back_what_the_store_lost(
    far_city: City, village: WholeNode, address: str, tmp_path: Path
) -> None:
    at = workshop(far_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    backed_up(at)
    before, road = whole(address), road_to(address)
    assert {path.name for path in at.shelf.scans.glob("*/*")} == before
    with far_city.gateway.ledger.reading() as tx:
        assert tx.exec_driver_sql("SELECT hwm - stable_hwm FROM nodes WHERE hwm > 0").scalars().all() == [0]
    gone = min(before)
    road.delete([f"whole/{gone}"])
    backed_up(at)
    assert whole(address) == before, "from the shelf"
    assert list(road.keys("damaged")) == []


async def test_a_scan_that_the_store_lost_holds_the_stable_mark_back(
    far_city: City, village: WholeNode, address: str, tmp_path: Path
) -> None:
    road = road_to(address)
    road.delete([f"whole/{min(whole(address))}"])
    at = workshop(far_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    backed_up(at)
    with far_city.gateway.ledger.reading() as tx:
        held = tx.exec_driver_sql("SELECT hwm - stable_hwm FROM nodes").scalars().all()
    assert max(held) > 0, "what only the village has, it keeps"
    assert list(road.keys("damaged")) == [min(set(road.keys("damaged")))]


class GarbledOnce:
    """Each scan comes with another last byte the first time that it is read."""

    def __init__(self) -> None:
        self.spoilt: list[str] = []

    def __call__(self, passing: Passing) -> bool:
        if not is_scan(passing, "GET") or passing.path in self.spoilt:
            return False
        self.spoilt.append(passing.path)
        return garbled(passing)


def test_what_the_road_garbled_once_is_sound_at_the_second_look(tmp_path: Path, bad_road: BadRoad) -> None:
    kept = in_a_bucket(tmp_path, bad_road.endpoint)
    name = kept.put(b"sealed")
    bad_road.fault = once = GarbledOnce()
    assert b"".join(kept.store.sound(name) or ()) == b"sealed"
    assert len(once.spoilt) == 1


async def test_what_the_road_garbled_once_is_backed_up_all_the_same(
    far_city: City, village: WholeNode, address: str, bad_road: BadRoad, tmp_path: Path
) -> None:
    at = workshop(far_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    before, once = whole(address), GarbledOnce()
    bad_road.fault = once
    backed_up(at)
    assert len(once.spoilt) == len(before)
    assert {path.name for path in at.shelf.scans.glob("*/*")} == before
    assert list(road_to(address).keys("damaged")) == []


async def test_a_restore_brings_the_scans_into_an_empty_store(tmp_path: Path, bad_road: BadRoad) -> None:
    old, new = new_address(bad_road.endpoint), new_address(bad_road.endpoint)
    folder, url = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    adopted(old, folder)
    async with city_in(folder, url, scans=old) as city:
        node = WholeNode.founded(city, tmp_path / "node")
        node.collect()
        await node.drain()
        node.stop()
        generation = backed_up(workshop(city, url, tmp_path / "backups"))
    adopted(new, folder)
    own = GatewayFolder(folder)
    keys = load_keys(own.keys)
    into = opening.open_store(new, own, keys.gateway_id)
    wish = Wish(generation, f"sqlite:///{tmp_path / 'again.db'}", folder)
    restoring.restore(wish, keys, scans=into, now=NOON, randomness=os.urandom)
    assert whole(new) == whole(old) != set()
    assert list(FolderStore(own).names()) == []


async def test_a_backup_is_refused_while_the_store_is_away(
    far_city: City, village: WholeNode, bad_road: BadRoad, tmp_path: Path
) -> None:
    at = workshop(far_city, f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "backups")
    bad_road.fault = busy
    with pytest.raises(GatewayError) as refused:
        backed_up(at)
    assert isinstance(refused.value, ScanStoreAway)
    assert at.shelf.all() == []


def test_two_gateways_on_one_store_learn_what_the_other_set_aside(
    tmp_path: Path, scan_server: ScanServer, bad_road: BadRoad
) -> None:
    one = in_a_bucket(tmp_path / "one", scan_server.endpoint)
    name = one.put(b"sealed")
    road = one.store._road  # type: ignore[attr-defined]
    other = S3ScanStore(road, GATEWAY_ID, tmp_path)
    assert list(other.lost()) == []
    one.spoil(name, None)
    one.store.set_aside(name)
    assert other.look_for_lost() == 1
    assert list(other.lost()) == [name]
    one.put(b"sealed")
    assert (other.look_for_lost(), list(other.lost())) == (0, [])


def test_a_header_that_another_thread_forgets_meanwhile_is_asked_for_again(
    tmp_path: Path, scan_server: ScanServer
) -> None:
    class ForgottenBetween(dict[str, bytes]):
        def __contains__(self, name: object) -> bool:
            found = super().__contains__(name)
            self.clear()  # another thread came between the two looks
            return found

    kept = in_a_bucket(tmp_path, scan_server.endpoint)
    name = kept.put(os.urandom(1000))
    store = kept.store
    assert isinstance(store, S3ScanStore)
    store._headers = ForgottenBetween(store._headers)
    assert list(store.beginnings([name], 64)) == [name]
