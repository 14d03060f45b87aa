"""A scan of which every byte is here, and whose last step finds no room: it is finished later, and not sent again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from city_gateway.acts import pieces, uploads
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, SealedScan, city_in
from wire.canonical import read_json
from wire.messages import Refusal, read_refusal

pytestmark = pytest.mark.fault

NoRoom = Callable[[Path], None]


@pytest.fixture
def no_room_for(monkeypatch: pytest.MonkeyPatch) -> NoRoom:
    """Whatever is renamed to this place finds no room, until `monkeypatch.undo`."""

    def begin(place: Path, number: int = errno.ENOSPC) -> None:
        real = Path.replace

        def replace(self: Path, target: Path) -> Path:
            if Path(target) == place:
                raise OSError(number, os.strerror(number))
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)

    return begin


def place_of(city: City, scan: SealedScan) -> Path:
    return city.gateway.folder.scans / scan.name


def refusal(city: City, content: bytes) -> Refusal:
    return read_refusal(read_json(content), city.gateway.keys.signing.public)


async def without_room(city: City, no_room_for: NoRoom) -> tuple[EnrolledNode, SealedScan]:
    """A village that sent all of a scan, and was told to come back."""
    village = await city.enrol()
    scan = village.sealed_scan(os.urandom(100_000))
    no_room_for(place_of(city, scan))
    await village.create_scan(scan)
    answer = await village.patch_scan(scan, 0, scan.data)
    said = refusal(city, answer.content)
    assert (answer.status_code, said.code, said.retry_after) == (503, "gateway.busy", uploads.COME_BACK_S)
    return village, scan


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_whoever_asks_next_finds_it_finished(
    city: City, no_room_for: NoRoom, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    village, scan = await without_room(city, lambda place: no_room_for(place, number))  # type: ignore[call-arg]
    assert not place_of(city, scan).exists()
    assert (await village.scan_offset(scan)).status_code == 503, "not held: the node goes on keeping it"
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == []
    monkeypatch.undo()
    asked = await village.scan_offset(scan)
    assert (asked.status_code, asked.headers["upload-offset"]) == (200, str(len(scan.data)))
    assert place_of(city, scan).read_bytes() == scan.data
    assert (await village.exchange(scans_asking=[scan.name])).receipt.scans_stored == [scan.name]


async def test_what_is_complete_needs_no_room_of_its_own(
    city: City, no_room_for: NoRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, scan = await without_room(city, no_room_for)
    monkeypatch.undo()
    usage = shutil.disk_usage(city.gateway.folder.scans)
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: usage._replace(free=uploads.RESERVE_BYTES))
    assert (await village.create_scan(scan)).headers["upload-offset"] == str(len(scan.data))
    assert place_of(city, scan).read_bytes() == scan.data
    other = village.sealed_scan(os.urandom(1000))
    assert (await village.create_scan(other)).status_code == 503


async def test_one_that_still_finds_no_room_keeps_no_gateway_from_starting_and_no_other_from_being_finished(
    tmp_path: Path, no_room_for: NoRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(folder, url) as city:
        village, scan = await without_room(city, no_room_for)
        other = village.sealed_scan(os.urandom(1000))
        await village.create_scan(other)
        parts = city.gateway.folder.scan_parts / village.document.node_id
        (parts / f"{other.name}.{len(other.data)}").write_bytes(other.data)
    async with city_in(folder, url) as city:
        assert not place_of(city, scan).exists()
        assert place_of(city, other).read_bytes() == other.data
        monkeypatch.undo()
        uploads.finish_complete(city.gateway)
        assert place_of(city, scan).read_bytes() == scan.data


async def test_a_node_that_comes_by_stick_is_told_to_bring_none_of_it_again(
    city: City, no_room_for: NoRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, scan = await without_room(city, no_room_for)
    assert pieces.held(city.gateway, village.document.node_id, scan.name) == len(scan.data)
    assert not place_of(city, scan).exists()
    monkeypatch.undo()
    assert pieces.held(city.gateway, village.document.node_id, scan.name) == len(scan.data)
    assert place_of(city, scan).read_bytes() == scan.data
