"""Whose a scan is: the site that sent its bytes; who only knows its name gets nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from city_gateway.acts import uploads
from city_gateway.ledger import scan_owners
from tests.city_gateway.gateway_fixtures import (
    OTHER_TOWNSHIP,
    TOWNSHIP,
    VILLAGE,
    City,
    EnrolledNode,
    SealedScan,
    city_in,
)

pytestmark = pytest.mark.node
SITE_OF_OTHER_TOWNSHIP = "511603105201"


def part_of(city: City, node: EnrolledNode, scan: SealedScan) -> Path:
    return city.gateway.folder.scan_parts / node.document.node_id / f"{scan.name}.{len(scan.data)}"


def owner_of(city: City, scan: SealedScan) -> str | None:
    with city.gateway.ledger.reading() as tx:
        return scan_owners.owners(tx, [scan.name]).get(scan.name)


@pytest.mark.parametrize("upload_first", [True, False])
async def test_naming_a_foreign_scan_gives_neither_its_key_nor_its_bytes(city: City, *, upload_first: bool) -> None:
    village, own_township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    stranger = await city.enrol("village", SITE_OF_OTHER_TOWNSHIP)
    township = await city.enrol("township", OTHER_TOWNSHIP)
    scan = village.sealed_scan(b"an invented paper" * 100)
    if upload_first:
        await village.upload(scan)
        await village.everything(village.collect(scan)[1])
    for spy in (stranger, township):
        [entry] = (await spy.exchange(spy.collect(scan)[1])).feed[-1:]
        assert entry.result == "applied"
    if not upload_first:
        await village.upload(scan)
        await village.everything(village.collect(scan)[1])
    later = await city.enrol("township", OTHER_TOWNSHIP)
    for spy in (stranger, township, later):
        assert [entry.scan_wraps for entry in await spy.everything() if entry.scan_wraps] == []
        assert (await spy.send("GET", f"/v1/scans/{scan.name}")).status_code == 403
    told = await own_township.everything()
    if not any(entry.scan_wraps for entry in told):
        told += (await own_township.exchange(wait_s=30)).feed
    assert {name for entry in told for name in entry.scan_wraps} == {scan.name}
    assert (await own_township.send("GET", f"/v1/scans/{scan.name}")).content == scan.data
    assert owner_of(city, scan) == VILLAGE


async def test_who_sends_the_same_bytes_later_does_not_own_them(city: City) -> None:
    village, stranger = await city.enrol(), await city.enrol("village", SITE_OF_OTHER_TOWNSHIP)
    scan = village.sealed_scan(b"paper")
    await village.create_scan(scan)
    await stranger.create_scan(scan)
    await village.upload(scan)
    await stranger.create_scan(scan)
    assert owner_of(city, scan) == VILLAGE


async def test_a_clerk_may_add_scans_to_an_application_of_a_village(city: City) -> None:
    village, clerk = await city.enrol(), await city.enrol("township", TOWNSHIP)
    other_clerk = await city.enrol("township", TOWNSHIP)
    application_id, envelope = village.collect()
    await village.exchange(envelope)
    paper = clerk.sealed_scan(b"paper brought to the township")
    await clerk.upload(paper)
    return_it = clerk.event("provisionally_accepted", deferred=("M1",), due=city.clock().date())
    acts = [clerk.event("pre_review_started"), return_it, clerk.event("supplemented", scans=(paper.as_scan(),))]
    own = await clerk.everything(*[clerk.act(act, application_id=application_id) for act in acts])
    assert [entry.refusal for entry in own if entry.refusal] == []
    assert list((await other_clerk.everything())[-1].scan_wraps) == [paper.name]
    assert (await other_clerk.send("GET", f"/v1/scans/{paper.name}")).content == paper.data


async def test_a_scan_that_a_restored_ledger_does_not_know_is_asked_for_again(city: City) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(b"paper")
    (city.gateway.folder.scans / scan.name).write_bytes(scan.data)
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == []
    assert (await village.create_scan(scan)).headers["upload-offset"] == "0"
    await village.upload(scan)
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]
    assert owner_of(city, scan) == VILLAGE


@pytest.mark.fault
@pytest.mark.parametrize("asked", ["create_scan", "scan_offset"])
async def test_an_upload_killed_before_it_was_finished_is_finished_when_asked_for(city: City, asked: str) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(1000))
    await village.create_scan(scan)
    part_of(city, village, scan).write_bytes(scan.data)  # flushed, and then the power failed
    said = await getattr(village, asked)(scan)
    assert said.headers["upload-offset"] == str(len(scan.data))
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]
    assert not part_of(city, village, scan).exists()


@pytest.mark.fault
async def test_an_upload_killed_before_it_was_finished_is_finished_at_the_next_start(
    tmp_path: Path, ledger_url: str
) -> None:
    async with city_in(tmp_path / "gateway", ledger_url) as city:
        village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
        scan = village.sealed_scan(b"paper")
        await village.exchange(village.collect(scan)[1])
        await village.create_scan(scan)
        await township.everything()
        part_of(city, village, scan).write_bytes(scan.data)
    async with city_in(tmp_path / "gateway", ledger_url) as restarted:
        village.city = township.city = restarted
        assert [list(entry.scan_wraps) for entry in await township.everything()] == [[scan.name]]
        assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]


@pytest.mark.fault
async def test_a_complete_part_with_wrong_bytes_begins_again(city: City) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(1000))
    await village.create_scan(scan)
    part_of(city, village, scan).write_bytes(bytes(len(scan.data)))
    uploads.finish_complete(city.gateway)
    assert (await village.create_scan(scan)).headers["upload-offset"] == "0"
    part_of(city, village, scan).write_bytes(bytes(len(scan.data) + 5))
    assert (await village.scan_offset(scan)).status_code == 404
    await village.upload(scan)
    assert owner_of(city, scan) == VILLAGE
