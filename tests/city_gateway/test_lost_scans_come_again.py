"""A scan that rots or vanishes in the city's store is not given out; its village sends it again, unasked by people, or
the next backup brings it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from city_gateway.acts import arrival, lost_scans
from offline_store.desk import scans
from offline_store.desk.scans import ScanStatus
from tests.city_gateway.backup_world import backed_up, workshop
from tests.city_gateway.gateway_fixtures import TOWNSHIP, City, EnrolledNode
from tests.simulators.whole_node import WholeNode

pytestmark = pytest.mark.node

PIECE = 256 * 1024


def rots(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


LOSSES: list[Callable[[Path], None]] = [rots, Path.unlink, lambda path: path.write_bytes(b"")]
losses = pytest.mark.parametrize("lose", LOSSES, ids=["rots", "vanishes", "emptied"])


@pytest.fixture
async def village(city: City, tmp_path: Path) -> AsyncIterator[WholeNode]:
    node = WholeNode.founded(city, tmp_path / "node")
    node.collect()
    await node.drain()
    yield node
    node.stop()


def stored(city: City) -> list[Path]:
    return sorted(path for path in city.gateway.folder.scans.iterdir() if path.is_file())


async def fetched(reader: EnrolledNode, name: str) -> httpx.Response:
    """As a township's courier asks: a range."""
    return await reader.send("GET", f"/v1/scans/{name}", {"range": f"bytes=0-{PIECE - 1}"})


def standing(village: WholeNode, name: str) -> ScanStatus:
    with village.village.counter.desk.reading() as tx:
        return scans.load(tx, name).status


@losses
async def test_it_is_not_given_out_and_its_village_sends_it_again(
    city: City, village: WholeNode, lose: Callable[[Path], None]
) -> None:
    township = await city.enrol("township", TOWNSHIP, "测试镇")
    lost, *others = stored(city)
    whole = lost.read_bytes()
    lose(lost)
    assert (await fetched(township, lost.name)).status_code == 404
    assert not lost.exists()
    await village.contact()
    assert standing(village, lost.name) is ScanStatus.OUTGOING, "it is to be seen that it is under way"
    await village.drain()
    assert standing(village, lost.name) is ScanStatus.STORED
    assert lost.read_bytes() == whole
    assert (await fetched(township, lost.name)).content == whole
    assert [path.name for path in stored(city)] == sorted([lost.name, *(path.name for path in others)])
    await village.contact()
    assert standing(village, lost.name) is ScanStatus.STORED, "asked for once"


async def test_a_village_that_is_not_asked_sends_nothing(
    city: City, village: WholeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_scans, "sent_again", lambda *_: [])
    township = await city.enrol("township", TOWNSHIP, "测试镇")
    lost = stored(city)[0]
    rots(lost)
    await fetched(township, lost.name)
    await village.contact()
    await village.drain()
    assert not lost.exists()


async def test_what_rotted_on_the_villages_own_disk_too_is_said_to_be_lost_and_stops_nothing(
    city: City, village: WholeNode
) -> None:
    township = await city.enrol("township", TOWNSHIP, "测试镇")
    lost = stored(city)[0]
    rots(lost)
    rots(next(village.paths.vault.rglob(f"{lost.name}*")))
    await fetched(township, lost.name)
    for _ in range(4):
        await village.contact()
    assert standing(village, lost.name) is ScanStatus.DAMAGED
    village.collect()
    await village.drain()


async def test_only_the_site_that_owns_it_is_asked(city: City, village: WholeNode) -> None:
    other = await city.enrol(site="511603106001")
    township = await city.enrol("township", TOWNSHIP, "测试镇")
    lost = stored(city)[0]
    rots(lost)
    await fetched(township, lost.name)
    assert (await other.exchange()).receipt.scans_again == []
    assert (await township.exchange()).receipt.scans_again == []


async def test_a_backup_finds_it_and_the_next_one_brings_back_what_an_earlier_one_holds(
    city: City, village: WholeNode, ledger_url: str, tmp_path: Path
) -> None:
    at = workshop(city, ledger_url, tmp_path / "backups")
    rotten, vanished = stored(city)[:2]
    kept = {path.name: path.read_bytes() for path in (rotten, vanished)}
    rots(rotten)
    vanished.unlink()
    backed_up(at)
    assert not rotten.exists()
    await village.contact()
    await village.drain()
    assert {path.name: path.read_bytes() for path in (rotten, vanished)} == kept, "the village was asked"
    backed_up(at)
    rotten.unlink()
    backed_up(at)
    assert rotten.read_bytes() == kept[rotten.name], "from the shelf"


async def test_a_township_that_came_while_a_scan_was_lost_gets_its_key_when_it_is_back(
    city: City, village: WholeNode
) -> None:
    arrival.share_missed(city.gateway)
    lost = stored(city)[0]
    data = lost.read_bytes()
    lost.unlink()
    township = await city.enrol("township", TOWNSHIP, "测试镇")
    told = await township.everything()
    assert lost.name not in [name for entry in told for name in entry.scan_wraps]
    assert (await fetched(township, lost.name)).status_code == 404
    await village.contact()
    await village.drain()
    assert lost.read_bytes() == data, "the village was asked"
    arrival.share_missed(city.gateway)
    assert [name for entry in await township.everything() for name in entry.scan_wraps] == [lost.name]
    assert (await fetched(township, lost.name)).status_code == 206
