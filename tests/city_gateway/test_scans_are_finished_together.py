"""Finishing uploads in groups: one transaction for many, each with its own outcome, and nothing answered that is not
on the disk."""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from city_gateway.acts import uploads
from city_gateway.acts.uploads import Complete, Upload
from city_gateway.errors import ScanHashWrong, ScanUnknown
from city_gateway.finishing import FinishingDesk
from city_gateway.ledger import scan_owners
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, VILLAGE, City, EnrolledNode, SealedScan
from wire.canonical import read_json
from wire.messages import read_refusal

pytestmark = pytest.mark.node


def an_upload(number: int) -> Upload:
    return Upload("a" * 32, f"{number:064x}", 10, 10, Path("none"), whole=False)


def part_of(city: City, node: EnrolledNode, scan: SealedScan) -> Path:
    return city.gateway.folder.scan_parts / node.document.node_id / f"{scan.name}.{len(scan.data)}"


def code_of(city: City, content: bytes) -> str:
    return read_refusal(read_json(content), city.gateway.keys.signing.public).code


async def laid(city: City, node: EnrolledNode, data: bytes | None = None) -> tuple[SealedScan, Upload]:
    """A complete part that is not finished, with its own bytes or others."""
    scan = node.sealed_scan(os.urandom(1000))
    assert (await node.create_scan(scan)).status_code == 201
    path = part_of(city, node, scan)
    path.write_bytes(scan.data if data is None else data)
    length = len(scan.data)
    return scan, Upload(node.document.node_id, scan.name, length, length, path, whole=False)


async def test_each_of_a_group_has_its_own_outcome(city: City) -> None:
    village, other = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    good, good_upload = await laid(city, village)
    wrong, wrong_upload = await laid(city, village, b"other bytes")
    theirs, their_upload = await laid(city, other)
    gone, gone_upload = await laid(city, village)
    gone_upload.path.unlink()
    group = [Complete(one) for one in (good_upload, wrong_upload, their_upload, gone_upload)]
    outcomes = uploads.finish_all(city.gateway, group)
    assert [type(one) for one in outcomes] == [Upload, ScanHashWrong, Upload, ScanUnknown]
    with city.gateway.ledger.reading() as tx:
        owners = scan_owners.owners(tx, [good.name, wrong.name, theirs.name, gone.name])
    assert owners == {good.name: VILLAGE, theirs.name: OTHER_VILLAGE}
    here = {path.name for path in city.gateway.folder.scans.iterdir() if path.is_file()}
    assert here == {good.name, theirs.name}


async def test_what_another_process_writes_is_left_to_it(city: City) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(1000))
    await village.create_scan(scan)
    with part_of(city, village, scan).open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = await village.patch_scan(scan, 0, scan.data)
        assert (answer.status_code, code_of(city, answer.content)) == (423, "scan.busy")
        assert part_of(city, village, scan).read_bytes() == b""
    assert (await village.patch_scan(scan, 0, scan.data)).status_code == 204


@pytest.mark.fault
@pytest.mark.parametrize("sent", [1.0, 0.5], ids=["the whole", "a part"])
async def test_bytes_that_could_not_be_flushed_are_not_answered_and_begin_anew(
    city: City, monkeypatch: pytest.MonkeyPatch, sent: float
) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(1000))
    await village.create_scan(scan)
    real = uploads.flush

    def broken(_descriptor: int) -> None:
        raise OSError(5, "the disk")

    monkeypatch.setattr(uploads, "flush", broken)
    answer = await village.patch_scan(scan, 0, scan.data[: int(len(scan.data) * sent)])
    assert (answer.status_code, code_of(city, answer.content)) == (500, "gateway.internal")
    monkeypatch.setattr(uploads, "flush", real)
    assert (await village.create_scan(scan)).headers["upload-offset"] == "0"
    await village.upload(scan)
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]


async def test_who_comes_while_others_are_finished_is_in_the_next_group() -> None:
    groups: list[int] = []
    loop, begun, going_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def finish(group: Sequence[Complete]) -> list[Upload | Exception]:
        groups.append(len(group))
        loop.call_soon_threadsafe(begun.set)
        assert going_on.wait(30)
        return [one.upload for one in group]

    desk = FinishingDesk(finish)
    first = asyncio.create_task(desk.finish(Complete(an_upload(1))))
    await begun.wait()
    late = [asyncio.create_task(desk.finish(Complete(an_upload(number)))) for number in range(2, 21)]
    await asyncio.sleep(0)
    going_on.set()
    found = await asyncio.gather(first, *late)
    assert [one.scan_hash for one in found] == [f"{number:064x}" for number in range(1, 21)]
    assert groups == [1, 16, 3]


async def test_one_who_is_cut_off_takes_nobody_along() -> None:
    going_on = threading.Event()

    def finish(group: Sequence[Complete]) -> list[Upload | Exception]:
        assert going_on.wait(30)
        return [one.upload for one in group]

    desk = FinishingDesk(finish)
    cut = asyncio.create_task(desk.finish(Complete(an_upload(1))))
    await asyncio.sleep(0.05)
    stays = asyncio.create_task(desk.finish(Complete(an_upload(2))))
    await asyncio.sleep(0.05)
    cut.cancel()
    going_on.set()
    assert (await stays).scan_hash == f"{2:064x}"
    assert cut.cancelled()


async def test_what_breaks_all_of_a_group_is_told_to_each_and_the_desk_goes_on() -> None:
    broken = [True]

    def finish(group: Sequence[Complete]) -> list[Upload | Exception]:
        if broken.pop() if broken else False:
            raise OSError(5, "the disk")
        return [one.upload for one in group]

    desk = FinishingDesk(finish)
    with pytest.raises(OSError, match="disk"):
        await desk.finish(Complete(an_upload(1)))
    assert (await desk.finish(Complete(an_upload(1)))).scan_hash == f"{1:064x}"
