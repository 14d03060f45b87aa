"""Whatever becomes of the store of scans or of the road to it: no upload is acknowledged that the store does not hold,
operations go on without it, and no byte leaves the door that is not the scan's.

The negative control is a gateway that believes the store without its word; the same checks must find its lie.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from city_gateway.__main__ import app
from city_gateway.acts import arrival, parking
from city_gateway.scan_store.s3_road import Road
from tests.city_gateway.far_scans import adopted, road_to
from tests.city_gateway.gateway_fixtures import TOWNSHIP, City, EnrolledNode, SealedScan, city_in, results
from tests.simulators.scan_server import (
    BadRoad,
    Fault,
    ScanServer,
    answer_lost,
    busy,
    cut_in_the_put,
    garbled,
    new_address,
    scan_server_at,
    truncated,
)
from wire.canonical import read_json
from wire.enrolment import read_enrolment
from wire.enrolment_stick import FOLDER, answer_to
from wire.keys import SealingKey, SigningKey
from wire.messages import read_refusal

pytestmark = pytest.mark.fault


@pytest.fixture
def address(bad_road: BadRoad) -> str:
    return new_address(bad_road.endpoint)


@contextlib.asynccontextmanager
async def far_city_in(folder: Path, address: str) -> AsyncIterator[City]:
    adopted(address, folder / "gateway")
    async with city_in(folder / "gateway", f"sqlite:///{folder / 'ledger.db'}", scans=address) as made:
        yield made


@pytest.fixture
async def city(tmp_path: Path, address: str) -> AsyncIterator[City]:
    async with far_city_in(tmp_path, address) as made:
        yield made


def held(address: str, scan: SealedScan) -> bool:
    """Whether the server has the very bytes, asked on a road of its own."""
    try:
        return b"".join(road_to(address).pieces(f"whole/{scan.name}")) == scan.data
    except FileNotFoundError:
        return False


async def acknowledged(node: EnrolledNode, scan: SealedScan) -> bool:
    """Whether the door says, by any of its answers, that the whole scan is safe."""
    sent = await node.patch_scan(scan, 0, scan.data)
    asked = await node.scan_offset(scan)
    told = (await node.exchange(scans_asking=[scan.name])).receipt.scans_stored
    reached = asked.headers.get("upload-offset") == str(len(scan.data))
    return sent.status_code == 204 or (asked.status_code == 200 and reached) or scan.name in told


PUTTING: list[Fault] = [busy, cut_in_the_put, answer_lost]


@pytest.mark.parametrize("fault", PUTTING)
async def test_an_upload_is_acknowledged_only_after_the_store_confirmed_it(
    city: City, bad_road: BadRoad, address: str, fault: Fault
) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(100_000))
    await village.create_scan(scan)
    bad_road.fault = fault
    answer = await village.patch_scan(scan, 0, scan.data)
    said = read_refusal(read_json(answer.content), city.gateway.keys.signing.public)
    assert (answer.status_code, said.code, answer.headers["retry-after"]) == (503, "scan.store_away", "60")
    if fault is not answer_lost:  # there the store has it, and whoever asks the store may be told so
        asked = await village.scan_offset(scan)
        assert asked.status_code == 503
        assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == []
        assert not held(address.replace(bad_road.endpoint, f"http://127.0.0.1:{bad_road.upstream}"), scan)
    bad_road.fault = None
    asked = await village.scan_offset(scan)
    assert (asked.status_code, asked.headers["upload-offset"]) == (200, str(len(scan.data))), "nothing is sent again"
    assert held(address, scan)
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]
    assert list(road_to(address).keys("whole")) == [scan.name]


async def test_operations_are_taken_in_and_their_scans_shared_later_while_the_store_is_away(
    city: City, bad_road: BadRoad
) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP, "测试镇")
    scan = village.sealed_scan(os.urandom(50_000))
    await village.upload(scan)
    city.gateway.scans._headers.clear()  # as of a gateway that took the upload before it was started anew
    bad_road.fault = busy
    answer = await village.exchange(
        village.act(village.collected(scan), application_id=os.urandom(16).hex()), scans_asking=[scan.name]
    )
    assert (answer.receipt.hwm, answer.receipt.scans_stored) == (1, []), "left out is told later, never wrongly"
    first = await township.exchange()
    assert [bool(entry.scan_wraps) for entry in first.feed] == [False]
    bad_road.fault = None
    arrival.share_missed(city.gateway)
    assert [list(entry.scan_wraps) for entry in (await township.exchange()).feed] == [[scan.name]]
    assert (await township.send("GET", f"/v1/scans/{scan.name}")).content == scan.data


async def test_a_page_scanned_again_is_not_refused_for_good_because_the_store_was_away(
    city: City, bad_road: BadRoad
) -> None:
    """Whether it was needless only the store can say; the other page of the material is there, this one was lost."""
    village = await city.enrol()
    first, lost, anew = (village.sealed_scan(os.urandom(20_000)) for _ in range(3))
    application_id, sealed = village.collect(first, lost)
    await village.exchange(sealed)
    await village.upload(first)
    again = village.event("rescanned", scans=(first.as_scan(), anew.as_scan(page=2)))
    mail = (village.act(again, application_id=application_id), village.collect()[1])
    bad_road.fault = busy
    answer = await village.exchange(*mail)
    assert (answer.receipt.hwm, results(answer.feed)) == (3, ["applied"]), "it waits at the city, and nothing behind it"
    assert parking.unpark_missed(city.gateway) == 0
    bad_road.fault = None
    assert parking.unpark_missed(city.gateway) == 1
    assert results((await village.exchange()).feed) == ["applied"]


async def test_a_page_that_is_there_is_not_replaced_when_the_store_answers_again(city: City, bad_road: BadRoad) -> None:
    village = await city.enrol()
    scan, anew = village.sealed_scan(os.urandom(20_000)), village.sealed_scan(os.urandom(20_000))
    application_id, sealed = village.collect(scan)
    await village.exchange(sealed)
    await village.upload(scan)
    again = village.act(village.event("rescanned", scans=(anew.as_scan(),)), application_id=application_id)
    bad_road.fault = busy
    assert results((await village.exchange(again)).feed) == []
    bad_road.fault = None
    parking.unpark_missed(city.gateway)
    (told,) = (await village.exchange()).feed
    assert (told.result, told.refusal and told.refusal.code) == ("refused", "rescan.not_needed")


@pytest.mark.parametrize("fault", [truncated, garbled, busy])
@pytest.mark.parametrize("asked", [None, "bytes=0-99999999", "bytes=40000-"])
async def test_no_byte_leaves_the_door_as_the_last_of_a_scan_that_is_not_its_own(
    city: City, bad_road: BadRoad, fault: Fault, asked: str | None
) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP, "测试镇")
    scan = village.sealed_scan(os.urandom(50_000))
    await village.exchange(village.act(village.collected(scan), application_id=os.urandom(16).hex()))
    await village.upload(scan)
    bad_road.fault = fault
    headers = {} if asked is None else {"range": asked}
    answer = await township.send("GET", f"/v1/scans/{scan.name}", headers)
    assert answer.status_code == (404 if fault is garbled else 503)
    bad_road.fault = None
    if fault is garbled:  # twice another byte: it counts as rotten, and its village is asked
        assert (await village.exchange()).receipt.scans_again == [scan.name]
        await village.upload(scan)
    again = await township.send("GET", f"/v1/scans/{scan.name}")
    assert (again.status_code, again.content) == (200, scan.data)


async def test_a_township_enrolled_by_stick_reads_the_scans_that_lie_in_the_store(
    tmp_path: Path, city: City, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a new machine is told of earlier applications is told once; without the keys then it never reads them."""
    monkeypatch.setenv("GUANGAN_SCANS", address)
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(20_000))
    await village.exchange(village.collect(scan)[1])
    await village.upload(scan)
    arrival.share_missed(city.gateway)
    code = city.code("township", TOWNSHIP, "测试镇", hours=24 * 365)
    keys = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    stick = tmp_path / "stick"
    (stick / FOLDER).mkdir(parents=True)
    (stick / FOLDER / "0A1B2C3D.REQ").write_bytes(await city.enrolment_body(code, *keys))
    ledger = [f"--database=sqlite:///{tmp_path / 'ledger.db'}", f"--folder={tmp_path / 'gateway'}"]
    done = CliRunner().invoke(app, ["node-answer", *ledger, "--public-url=http://city.test", f"--stick={stick}"])
    assert done.exit_code == 0, done.output
    signed = read_json((stick / FOLDER / answer_to("0A1B2C3D.REQ")).read_bytes())
    township = EnrolledNode(city, read_enrolment(signed, city.gateway.keys.signing.public), *keys)
    city.clock.now = datetime.now(UTC)
    assert [list(entry.scan_wraps) for entry in (await township.exchange()).feed] == [[scan.name]]


async def test_a_gateway_that_died_between_store_and_ledger_repeats_it_safely(
    tmp_path: Path, bad_road: BadRoad, address: str
) -> None:
    """Every byte is here and in the store, and nobody was told: as a kill between the two leaves it."""
    async with far_city_in(tmp_path, address) as city:
        village = await city.enrol()
        scan = village.sealed_scan(os.urandom(20_000))
        await village.create_scan(scan)
        bad_road.fault = answer_lost
        await village.patch_scan(scan, 0, scan.data)
        part = next(city.gateway.folder.scan_parts.glob(f"*/{scan.name}.*"))
        assert part.read_bytes() == scan.data
    bad_road.fault = None
    async with city_in(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}", scans=address) as city:
        assert not part.exists(), "finished at start"
        assert held(address, scan)
        village.city = city
        assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]


async def test_what_was_acknowledged_outlives_a_kill_of_the_server_in_the_middle_of_puts(
    tmp_path: Path, bad_road: BadRoad
) -> None:
    with scan_server_at(tmp_path / "server") as server:
        address = new_address(server.endpoint)
        async with far_city_in(tmp_path, address) as city:
            village = await city.enrol()
            scans = [village.sealed_scan(os.urandom(120_000)) for _ in range(24)]
            for scan in scans:
                await village.create_scan(scan)
            done: list[SealedScan] = []

            async def send(scan: SealedScan) -> None:
                if (await village.patch_scan(scan, 0, scan.data)).status_code == 204:
                    done.append(scan)
                if len(done) == 6:
                    server.kill()

            await asyncio.gather(*(send(scan) for scan in scans))
            assert 6 <= len(done) < len(scans), "the kill came in the middle"
            told = (await village.exchange(scans_asking=[scan.name for scan in scans])).receipt.scans_stored
            assert told == []
            await asyncio.to_thread(server.start)
            assert [held(address, scan) for scan in done] == [True] * len(done)
            for scan in scans:
                await village.upload(scan)
            assert [held(address, scan) for scan in scans] == [True] * len(scans)


async def test_a_gateway_that_does_not_wait_for_the_stores_word_is_found_out(
    city: City, bad_road: BadRoad, scan_server: ScanServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""

    def hurried(self: Road, key: str, data: bytes, *, only_if_new: bool = False) -> bool:
        return True

    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(10_000))
    await village.create_scan(scan)
    monkeypatch.setattr(Road, "put", hurried)
    assert await acknowledged(village, scan)
    assert not held(address, scan), "what it acknowledged is nowhere"
    assert hashlib.sha256(scan.data).hexdigest() == scan.name
