"""Scans at the counter: sealed before they touch the disk, refused with their own reason, gone when thrown away."""

import asyncio
from contextlib import contextmanager

import httpx
import pytest

from edge_node.acts import collecting, drafting, intake
from edge_node.app import counter_app
from edge_node.counter.errors import (
    DiskReserveReached,
    ScanOfUnknownType,
    TooManyScans,
    UnknownMaterial,
    UnknownScan,
)
from edge_node.counter.picture import MIB, SCAN_MAX_BYTES
from edge_node.routes import counter_scans
from offline_store.desk import scans
from offline_store.errors import DeskWriteFailed
from tests.edge_node.test_pictures_are_cleaned import PDF, png_that_says
from tests.edge_node.village import CLERK, Village, photo, signed_in
from wire.scan import content_key_of, open_scan

pytestmark = pytest.mark.node

MATERIAL = "GA-YB-001-M01"
MARKER = "虚构的影像内容".encode()


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


@pytest.fixture
def draft_id(village):
    return drafting.begin(village.counter, village.who, "GA-YB-001").draft_id


def take(village, draft_id, data, material=MATERIAL, page=None):
    return intake.take_in(village.counter, village.who, draft_id, material, page, data)


def kept(village, draft_id):
    with village.counter.desk.reading() as tx:
        return scans.of_draft(tx, draft_id)


def everything(folder) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_lies_on_the_disk_is_sealed_and_the_city_can_open_it(village, draft_id):
    data = PDF + MARKER + b"\n%%EOF"
    scan = take(village, draft_id, data)
    assert MARKER not in everything(village.counter.paths.root)
    path = village.counter.vault.path(scan.scan_hash)
    key = content_key_of(path.read_bytes()[:4096], village.gateway.sealing)
    assert b"".join(open_scan(village.counter.vault.chunks(scan.scan_hash), key)) == data


def test_pages_count_themselves_for_each_material(village, draft_id):
    pages = [take(village, draft_id, photo(number)).page for number in range(3)]
    assert pages == [1, 2, 3]
    assert take(village, draft_id, photo(9), material="D-WT").page == 1


def test_the_same_picture_twice_is_two_scans(village, draft_id):
    one, two = take(village, draft_id, photo()), take(village, draft_id, photo())
    assert one.scan_hash != two.scan_hash
    assert len(kept(village, draft_id)) == 2


def test_a_scan_whose_row_may_lie_on_a_disk_that_refused_stays_until_the_next_start(village, draft_id, monkeypatch):
    desk, really = village.counter.desk, type(village.counter.desk).transaction

    @contextmanager
    def refused_at_the_flush():
        with really(desk) as tx:
            yield tx
        raise DeskWriteFailed

    monkeypatch.setattr(type(desk), "transaction", lambda _desk: refused_at_the_flush())
    with pytest.raises(DeskWriteFailed):
        take(village, draft_id, photo())
    monkeypatch.undo()
    (scan,) = kept(village, draft_id)
    assert village.counter.vault.has(scan.scan_hash), "the flush failed, the row is there all the same"


@pytest.mark.parametrize("data", [b"GIF89a.....", png_that_says(60_000, 60_000), photo()[:200], b""])
def test_a_refused_scan_leaves_nothing_behind(village, draft_id, data):
    with pytest.raises(Exception, match="scan"):
        take(village, draft_id, data)
    assert kept(village, draft_id) == []
    assert list(village.counter.paths.vault.iterdir()) == []


def test_a_scan_belongs_to_something_the_guide_asks_for(village, draft_id):
    with pytest.raises(UnknownMaterial):
        take(village, draft_id, photo(), material="of-my-own-invention")
    assert list(village.counter.paths.vault.iterdir()) == []


def test_below_the_reserve_scans_wait_and_everything_else_goes_on(village):
    ready = village.filled()
    draft = drafting.begin(village.counter, village.who, "GA-YB-001").draft_id
    village.counter.free_bytes = lambda _folder: 15 * MIB
    with pytest.raises(DiskReserveReached):
        take(village, draft, photo())
    assert "disk_reserve" in village.counter.alarms.now()
    drafting.change(village.counter, village.who, draft, values={"applicant_name": "张测试"})
    collecting.collect(village.counter, village.who, ready)
    village.mail.turn()
    assert village.posted()
    village.counter.free_bytes = lambda _folder: 500 * MIB
    take(village, draft, photo())
    assert "disk_reserve" not in village.counter.alarms.now()


def test_one_application_carries_so_many_scans_and_no_more(village, draft_id, monkeypatch):
    monkeypatch.setattr(intake, "MAX_SCANS", 2)
    take(village, draft_id, photo(1))
    take(village, draft_id, photo(2))
    with pytest.raises(TooManyScans):
        take(village, draft_id, photo(3))
    assert len(village.counter.vault.hashes()) == 2


def test_throwing_a_draft_away_throws_its_scans_away(village, draft_id):
    scan = take(village, draft_id, photo())
    drafting.remove(village.counter, village.who, draft_id)
    assert not village.counter.vault.has(scan.scan_hash)
    with pytest.raises(UnknownScan):
        intake.open_for_showing(village.counter, village.who, scan.scan_hash)


def test_a_scan_whose_row_was_never_written_is_swept_at_the_next_start(village, draft_id, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(scans, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patched.setattr(village.counter.vault, "remove", lambda _hash: False)  # killed before it could
        with pytest.raises(KeyboardInterrupt):
            take(village, draft_id, photo())
    assert len(village.counter.vault.hashes()) == 1
    assert village.restarted().counter.vault.hashes() == []


def test_a_collected_scan_is_shown_to_those_who_may_see_it_alone(village):
    application_id = village.collected()
    with village.counter.desk.reading() as tx:
        scan = scans.of_application(tx, application_id)[0]
    shown = intake.open_for_showing(village.counter, village.who, scan.scan_hash)
    assert (shown.media_type, b"".join(shown.plain)[:4]) == ("image/webp", b"RIFF")
    assert village.noted().count("scan_viewed") == 1
    draft = drafting.begin(village.counter, village.who, "GA-YB-001").draft_id
    mine = take(village, draft, photo())
    with pytest.raises(UnknownScan):
        intake.open_for_showing(village.counter, signed_in(village.counter, CLERK), mine.scan_hash)


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def client(village):
    token = village.counter.sessions.begin(village.who.actor, village.who.name)[0]
    transport = httpx.ASGITransport(app=counter_app(village.counter), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://counter", headers=headers) as made:
        yield made


def url(draft_id: str) -> str:
    return f"/counter/drafts/{draft_id}/scans?material_id={MATERIAL}"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"GIF89a" + bytes(64), 415, "scan.unknown_type"),
        (png_that_says(60_000, 60_000), 413, "scan.too_many_pixels"),
        (photo()[:300], 409, "scan.broken"),
        (b"", 409, "scan.empty"),
        (PDF + bytes(11 * MIB), 413, "scan.too_large"),
        (photo() + bytes(SCAN_MAX_BYTES), 413, "scan.too_large"),
        (bytes(SCAN_MAX_BYTES + 2 * MIB), 413, "scan.too_large"),
    ],
)
async def test_every_refusal_has_its_own_code(village, client, draft_id, data, status, code):
    answer = await client.post(url(draft_id), content=data)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code, answer.text
    assert kept(village, draft_id) == []


async def test_a_stream_without_an_end_is_cut_at_the_cap(village, client, draft_id):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += MIB
            yield bytes(MIB)

    answer = await client.post(url(draft_id), content=endless())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "scan.too_large")
    assert sent <= SCAN_MAX_BYTES + 2 * MIB


async def test_who_asks_is_checked_before_a_byte_is_read(village, client, draft_id):
    read = 0

    async def watched():
        nonlocal read
        read += 1
        yield photo()

    answer = await client.post(url(draft_id), content=watched(), headers={"Authorization": "Bearer x"})
    assert (answer.status_code, read) == (401, 0)
    answer = await client.post(url("0" * 32), content=watched())
    assert (answer.status_code, read) == (404, 0)


async def test_a_scan_that_stops_arriving_is_given_up(village, client, draft_id, monkeypatch):
    monkeypatch.setattr(counter_scans, "QUIET_SECONDS", 0.05)

    async def stalls():
        yield photo()[:100]
        await asyncio.sleep(5)
        yield b""

    answer = await client.post(url(draft_id), content=stalls())
    assert answer.json()["error"]["code"] == "scan.interrupted"
    assert kept(village, draft_id) == []


def test_a_content_type_that_lies_changes_nothing(village, draft_id):
    assert take(village, draft_id, photo()).media_type == "image/webp"
    with pytest.raises(ScanOfUnknownType):
        take(village, draft_id, b"%!PS-Adobe")
