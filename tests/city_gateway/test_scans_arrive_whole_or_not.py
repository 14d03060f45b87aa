"""The upload door: resume, conflicts, wrong hashes, and nothing stored for strangers."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from city_gateway.ledger import scan_owners
from tests.city_gateway.gateway_fixtures import (
    OTHER_TOWNSHIP,
    OTHER_VILLAGE,
    City,
    EnrolledNode,
    SealedScan,
    city_in,
    patch_headers,
)
from wire.canonical import read_json
from wire.messages import read_refusal
from wire.scan import open_scan, read_scan_header, unwrap_scan

pytestmark = pytest.mark.node


def parts(city: City) -> list[bytes]:
    return [path.read_bytes() for path in city.gateway.folder.scan_parts.rglob("*") if path.is_file()]


def stored(city: City, scan: SealedScan) -> bytes | None:
    path = city.gateway.folder.scans / scan.name
    return path.read_bytes() if path.exists() else None


def code_of(city: City, content: bytes) -> str:
    return read_refusal(read_json(content), city.gateway.keys.signing.public).code


@pytest.fixture
async def village(city: City) -> EnrolledNode:
    return await city.enrol()


async def test_a_scan_sent_in_pieces_is_stored_under_its_hash(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(200_000))
    await village.upload(scan, piece=64 * 1024)
    assert (stored(city, scan), parts(city)) == (scan.data, [])
    again = await village.create_scan(scan)
    assert (again.status_code, again.headers["upload-offset"]) == (201, str(len(scan.data)))
    receipt = (await village.exchange(scans_asking=[scan.name, "0" * 64])).receipt
    assert receipt.scans_stored == [scan.name]


async def test_a_small_scan_may_come_with_its_announcement(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(b"paper")
    name = base64.b64encode(scan.name.encode()).decode()
    headers = patch_headers(0, scan.data) | {"upload-length": str(len(scan.data)), "upload-metadata": f"hash {name}"}
    del headers["upload-offset"]
    answers = [await village.send("POST", "/v1/scans", headers, scan.data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert {answer.headers["upload-offset"] for answer in answers} == {str(len(scan.data))}
    assert (stored(city, scan), parts(city)) == (scan.data, [])


async def test_after_a_cut_the_upload_goes_on_where_the_gateway_says(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(100_000))
    await village.create_scan(scan)
    headers = village.signed("PATCH", f"/v1/scans/{scan.name}", patch_headers(0, scan.data), scan.data)
    await cut_request(city, f"/v1/scans/{scan.name}", headers, scan.data[:30_000])
    said = await village.scan_offset(scan)
    assert (said.headers["upload-offset"], said.headers["upload-length"]) == ("30000", str(len(scan.data)))
    rest = await village.patch_scan(scan, 30_000, scan.data[30_000:])
    assert (rest.status_code, stored(city, scan)) == (204, scan.data)


async def cut_request(city: City, path: str, headers: dict[str, str], sent: bytes) -> None:
    """A PATCH whose connection dies after `sent`."""
    messages = iter([{"type": "http.request", "body": sent, "more_body": True}, {"type": "http.disconnect"}])
    answers: list[object] = []

    async def receive():
        return next(messages)

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PATCH",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("city.test", 80),
        "state": {},
    }
    await city.app(scope, receive, send)


async def test_a_wrong_offset_is_a_conflict_and_changes_nothing(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(b"paper")
    await village.create_scan(scan)
    answer = await village.patch_scan(scan, 3, scan.data[3:])
    assert (answer.status_code, code_of(city, answer.content)) == (409, "scan.offset")
    assert parts(city) == [b""]


async def test_of_two_writers_at_once_one_is_turned_away(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(100_000))
    await village.create_scan(scan)
    going_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield scan.data[:1000]
        await going_on.wait()
        yield scan.data[1000:]

    path = f"/v1/scans/{scan.name}"
    headers = village.signed("PATCH", path, patch_headers(0, scan.data), scan.data)
    first = asyncio.create_task(city.client.patch(path, headers=headers, content=slowly()))
    await asyncio.sleep(0.1)
    second = await village.patch_scan(scan, 0, scan.data)
    going_on.set()
    assert (second.status_code, code_of(city, second.content)) == (423, "scan.busy")
    assert ((await first).status_code, stored(city, scan)) == (204, scan.data)


async def test_asking_for_the_offset_ends_a_writer_that_hangs(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(100_000))
    await village.create_scan(scan)

    async def hanging() -> AsyncIterator[bytes]:
        yield scan.data[:5000]
        await asyncio.sleep(100)

    path = f"/v1/scans/{scan.name}"
    headers = village.signed("PATCH", path, patch_headers(0, scan.data), scan.data)
    hung = asyncio.create_task(city.client.patch(path, headers=headers, content=hanging()))
    await asyncio.sleep(0.1)
    said = await village.scan_offset(scan)
    assert said.headers["upload-offset"] == "5000"
    assert (await hung).status_code == 423
    assert (await village.patch_scan(scan, 5000, scan.data[5000:])).status_code == 204
    assert stored(city, scan) == scan.data


async def test_a_piece_with_a_wrong_checksum_is_taken_back(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(10_000))
    await village.create_scan(scan)
    await village.patch_scan(scan, 0, scan.data[:4000])
    path = f"/v1/scans/{scan.name}"
    wrong = patch_headers(4000, b"something else")
    answer = await village.send("PATCH", path, wrong, scan.data[4000:])
    assert (answer.status_code, code_of(city, answer.content)) == (460, "scan.checksum")
    assert parts(city) == [scan.data[:4000]]


async def test_a_finished_scan_with_another_hash_is_dropped(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(10_000))
    await village.create_scan(scan)
    answer = await village.patch_scan(scan, 0, scan.data[:-1] + bytes([scan.data[-1] ^ 1]))
    assert (answer.status_code, code_of(city, answer.content)) == (422, "scan.hash")
    assert (stored(city, scan), parts(city)) == (None, [])
    assert (await village.create_scan(scan)).headers["upload-offset"] == "0"
    assert (await village.patch_scan(scan, 0, scan.data)).status_code == 204
    assert stored(city, scan) == scan.data


async def test_more_than_was_announced_is_taken_back(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(b"paper")
    await village.create_scan(scan)
    answer = await village.patch_scan(scan, 0, scan.data + b"more")
    assert (answer.status_code, parts(city)) == (413, [b""])


async def test_not_one_byte_of_a_stranger_is_stored(city: City, village: EnrolledNode) -> None:
    scan = village.sealed_scan(os.urandom(10_000))
    await village.create_scan(scan)
    path = f"/v1/scans/{scan.name}"
    unsigned = await city.client.patch(path, headers=patch_headers(0, scan.data), content=scan.data)
    assert (unsigned.status_code, parts(city)) == (401, [b""])
    headers = village.signed("PATCH", path, patch_headers(0, scan.data), scan.data)
    moved = await city.client.patch(path, headers=headers | {"upload-offset": "5"}, content=scan.data)
    assert (moved.status_code, parts(city)) == (401, [b""])
    other_body = await city.client.patch(path, headers=headers, content=bytes(len(scan.data)))
    assert (other_body.status_code, parts(city)) == (460, [b""])


async def test_a_body_is_not_read_before_the_node_is_known(city: City, village: EnrolledNode) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    answer = await city.client.post("/v1/exchange", content=body())
    assert answer.status_code == 401
    assert read == []


async def test_no_node_can_touch_the_part_of_another(city: City, village: EnrolledNode) -> None:
    other = await city.enrol(site=OTHER_VILLAGE)
    scan = village.sealed_scan(os.urandom(1000))
    await village.create_scan(scan)
    await village.patch_scan(scan, 0, scan.data[:100])
    assert (await other.scan_offset(scan)).status_code == 404
    deleted = await other.send("DELETE", f"/v1/scans/{scan.name}", {"tus-resumable": "1.0.0"})
    assert (deleted.status_code, parts(city)) == (404, [scan.data[:100]])
    own = await village.send("DELETE", f"/v1/scans/{scan.name}", {"tus-resumable": "1.0.0"})
    assert (own.status_code, parts(city)) == (204, [])


async def test_a_name_that_is_a_path_is_refused(city: City, village: EnrolledNode) -> None:
    scan = SealedScan(b"x", "../../keys/signing.key", b"")
    answer = await village.create_scan(scan)
    assert (answer.status_code, code_of(city, answer.content)) == (400, "scan.bad_request")


@pytest.mark.parametrize("scan_first", [True, False])
async def test_the_township_gets_the_keys_of_scans_that_come_before_or_after(
    city: City, village: EnrolledNode, *, scan_first: bool
) -> None:
    township = await city.enrol("township", "511603106000")
    content = b"an invented paper" * 9000
    scan = village.sealed_scan(content)
    if scan_first:
        await village.upload(scan)
    application_id, envelope = village.collect(scan)
    await village.exchange(envelope)
    if not scan_first:
        await village.upload(scan)
    feed = await township.everything()
    if not scan_first and len(feed) == 1:
        feed += (await township.exchange(wait_s=30)).feed
    assert [entry.result for entry in feed] == (["applied"] if scan_first else ["applied", "recorded"])
    assert {entry.application_id for entry in feed} == {application_id}
    wrap = feed[-1].scan_wraps[scan.name]
    got = b""
    while len(got) < len(scan.data):
        wanted = {"range": f"bytes={len(got)}-{len(got) + 49_999}"}
        answer = await township.send("GET", f"/v1/scans/{scan.name}", wanted)
        assert answer.status_code == 206
        assert answer.headers["content-range"].endswith(f"/{len(scan.data)}")
        got += answer.content
    key = unwrap_scan(read_scan_header(got[:2000]).encoded, wrap, township.sealing)
    assert b"".join(open_scan([got], key)) == content


async def test_a_scan_is_read_only_by_the_township_it_is_for(city: City, village: EnrolledNode) -> None:
    stranger = await city.enrol("township", OTHER_TOWNSHIP)
    scan = village.sealed_scan(b"paper")
    await village.upload(scan)
    await village.exchange(village.collect(scan)[1])
    for node in (stranger, village):
        answer = await node.send("GET", f"/v1/scans/{scan.name}")
        assert (answer.status_code, code_of(city, answer.content)) == (403, "scan.forbidden")
    township = await city.enrol("township", "511603106000")
    whole = await township.send("GET", f"/v1/scans/{scan.name}")
    assert (whole.status_code, whole.content) == (200, scan.data)
    beyond = await township.send("GET", f"/v1/scans/{scan.name}", {"range": "bytes=99999-"})
    assert beyond.status_code == 416


async def test_a_key_that_a_crash_kept_back_goes_out_at_the_next_start(tmp_path: Path, ledger_url: str) -> None:
    async with city_in(tmp_path / "gateway", ledger_url) as city:
        village, township = await city.enrol(), await city.enrol("township", "511603106000")
        scan = village.sealed_scan(b"paper")
        await village.exchange(village.collect(scan)[1])
        assert [entry.scan_wraps for entry in await township.everything()] == [{}]
        with city.gateway.ledger.transaction() as tx:
            scan_owners.claim(tx, {scan.name: village.document.site})
    (tmp_path / "gateway" / "scans" / scan.name).write_bytes(scan.data)  # whole and safe, and then the power failed
    async with city_in(tmp_path / "gateway", ledger_url) as restarted:
        township.city = restarted
        [entry] = await township.everything()
        assert (entry.result, list(entry.scan_wraps)) == ("recorded", [scan.name])
