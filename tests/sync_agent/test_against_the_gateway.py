"""The courier's rounds against the real gateway application, over good roads and bad ones.

Whatever happens on the way, nothing is believed that the gateway did not sign: nothing counts as sent, nothing is
marked or taken away; and when the road is good again everything arrives once, resumed where it was cut.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from city_gateway.acts.outline import outline
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import City, city_in
from tests.simulators import flaky_road
from tests.simulators.flaky_road import Mishap
from tests.simulators.post import EXCHANGE, SCAN_BYTES, SCANS, SETTINGS, Post, effects, posted, stored_at
from wire.envelope import read_header

pytestmark = pytest.mark.node


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts within one pass follow one another at once, and nothing rests between passes."""
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", 0.0)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


async def test_what_was_saved_goes_up_and_signed_words_come_down(post: Post) -> None:
    post.file(os.urandom(SCAN_BYTES), b"small")
    post.file()
    await post.drain()
    post.everything_arrived_once()
    line = post.incoming.line()
    assert line is not None
    assert (line.up, line.last_error, line.backlog_ops, line.backlog_scans) == (True, None, 0, 0)


async def test_envelopes_go_before_scans_and_small_scans_before_large_ones(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"connections": 1}))
    post.restart()
    post.file(os.urandom(60_000), os.urandom(5_000))
    post.file(os.urandom(20_000))
    await post.drain()
    paths = [one.path for one in post.road.passed if one.method in {"POST", "PATCH"}]
    first_scan = next(place for place, path in enumerate(paths) if path.startswith(SCANS))
    assert paths[:first_scan] == [EXCHANGE] * first_scan
    lengths = {ticket.scan_hash: ticket.length for ticket in post.outgoing.scan_tickets()}
    begun = [one.length for one in post.road.passed if one.path == SCANS]
    first_pieces = [min(length, post.settings.piece_bytes) for length in sorted(lengths.values())]
    assert begun == first_pieces


MISLEADING: dict[str, Mishap] = {
    **{str(status): flaky_road.answers(status) for status in (401, 403, 404, 408, 425, 429, 500, 502, 503, 504)},
    **{f"unsigned {status}": flaky_road.answers(status, text='{"ok":true}') for status in (400, 409, 413, 415, 422)},
    "portal": flaky_road.portal(),
    "redirect": flaky_road.answers(302, headers={"location": "http://portal.invalid/"}),
    "empty 200": flaky_road.answers(200),
    "empty 204": flaky_road.answers(204),
    "right type, wrong content": flaky_road.answers(
        200, text="{}", headers={"content-type": "application/vnd.guangan.exchange"}
    ),
    "not what it says it is": flaky_road.answers(200, text="no gzip", headers={"content-encoding": "gzip"}),
    "no line": flaky_road.no_line(),
    "lost answer": flaky_road.loses_the_answer(),
    **{f"answer of {keep} bytes": flaky_road.truncates_the_answer(keep) for keep in (0, 1, 100, 700, -1)},
    "cut in the head": flaky_road.cuts_the_request(3),
    "cut before the end": flaky_road.cuts_the_request(500),
}


@pytest.mark.parametrize("name", MISLEADING)
async def test_a_misleading_answer_to_an_exchange_is_only_not_now(post: Post, name: str) -> None:
    post.file(b"one page")
    before = post.believed()
    post.road.always(quietly(MISLEADING[name]))
    heard = await post.rounds.make_one()
    assert not heard.ok
    assert post.believed() == before
    line = post.incoming.line()
    assert line is not None
    assert (line.up, line.backlog_ops, line.backlog_scans) == (False, 1, 1)
    assert line.last_error
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


def quietly(mishap: Mishap) -> Mishap:
    """The client's own complaint about nonsense is a failure of the line, like in production."""

    async def wrapped(request: httpx.Request, forward: flaky_road.Forward) -> httpx.Response:
        try:
            return await mishap(request, forward)
        except httpx.DecodingError as broken:
            raise httpx.ReadError(str(broken), request=request) from broken

    return wrapped


@pytest.mark.parametrize("status", [429, 503])
async def test_a_wish_to_wait_is_heard(post: Post, status: int) -> None:
    post.file()
    post.road.expect(flaky_road.answers(status, headers={"retry-after": "77"}))
    assert (await post.rounds.make_one()).retry_after == 77
    post.road.expect(flaky_road.answers(status, headers={"retry-after": "99999999"}))
    heard = await post.rounds.make_one()
    assert heard.retry_after == 3600, "nobody on the way can silence a node for long"


@pytest.mark.parametrize("name", [name for name in MISLEADING if not name.startswith("answer of")])
async def test_a_misleading_answer_about_a_scan_marks_nothing_as_stored(post: Post, name: str) -> None:
    post.file(os.urandom(SCAN_BYTES))
    post.road.expect(quietly(MISLEADING[name]), path=SCANS, times=6)
    while post.road.still_expected:
        await post.rounds.make_one()
        assert set(post.incoming.stored_scans()) <= stored_at(post.city)
        assert len(post.outgoing.scan_tickets()) == len(post.vault.hashes()) == 1
    await post.drain()
    post.everything_arrived_once()


async def test_a_lost_answer_costs_one_duplicate_and_brings_the_same_mark(post: Post) -> None:
    post.file()
    post.road.expect(flaky_road.loses_the_answer(), times=3)
    assert not (await post.rounds.make_one()).ok
    assert post.receipt() is None
    committed = effects(post.city.gateway.ledger)
    assert len(committed) == 1
    await post.drain()
    post.everything_arrived_once()
    assert effects(post.city.gateway.ledger) == committed


async def test_an_answer_lost_twenty_times_has_one_effect(post: Post) -> None:
    post.file()
    post.road.expect(flaky_road.loses_the_answer(), times=20)
    while post.road.still_expected:
        await post.rounds.make_one()
        assert post.receipt() is None or not post.road.still_expected
    await post.drain()
    post.everything_arrived_once()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("after", [0, 1, 5_000, 16 * 1024 - 1])
async def test_a_scan_that_was_cut_goes_on_at_the_very_byte(post: Post, after: int, method: str) -> None:
    post.file(os.urandom(SCAN_BYTES))
    post.road.expect(flaky_road.cuts_the_request(after), method=method, path=SCANS)
    await post.drain()
    post.everything_arrived_once()
    accepted = [one for one in post.road.passed if one.method == "PATCH" and one.status == 204]
    cut_at = after + (post.settings.piece_bytes if method == "PATCH" else 0)
    assert [one.offset for one in accepted][:1] == [cut_at]
    reached = cut_at
    for one in accepted:
        assert one.offset == reached
        reached += one.length
    (ticket,) = post.outgoing.scan_tickets()
    assert reached == ticket.length, "no byte that had arrived was taken twice"


async def test_what_went_out_is_counted_whether_an_answer_came_or_not(post: Post) -> None:
    post.file(os.urandom(SCAN_BYTES))
    post.road.expect(flaky_road.loses_the_answer(), method="PATCH", path=SCANS)
    post.road.expect(flaky_road.cuts_the_request(5_000), method="PATCH", path=SCANS)
    await post.drain()
    assert post.road.still_expected == 0
    assert post.uplink.sent_bytes == sum(one.length for one in post.road.passed)


async def test_a_scan_that_was_cut_goes_on_after_the_courier_died(post: Post) -> None:
    post.file(os.urandom(SCAN_BYTES))
    post.road.expect(flaky_road.cuts_the_request(7_000), method="PATCH")
    post.road.expect(flaky_road.no_line(), method="HEAD", times=3)
    assert not (await post.rounds.make_one()).ok
    post.restart()
    seen = len(post.road.passed)
    await post.drain()
    post.everything_arrived_once()
    offsets = [one.offset for one in post.road.passed[seen:] if one.method == "PATCH"]
    assert offsets[0] == post.settings.piece_bytes + 7_000
    assert offsets == sorted(offsets)


async def test_who_claims_on_the_way_that_a_scan_arrived_is_not_believed(post: Post) -> None:
    post.file(os.urandom(SCAN_BYTES))
    claims = flaky_road.answers(204, headers={"upload-offset": "99999999"})
    post.road.expect(claims, path=SCANS, times=2)
    await post.rounds.make_one()
    assert post.incoming.stored_scans() == []
    assert stored_at(post.city) == set()
    await post.drain()
    post.everything_arrived_once()


@pytest.mark.parametrize("said", ["0", "5", "²", "-1", "1e9", ""])
async def test_who_never_lets_a_scan_advance_does_not_keep_the_courier_busy(post: Post, said: str) -> None:
    post.file(os.urandom(SCAN_BYTES))
    post.road.always(
        on_scans(flaky_road.answers(204, headers=httpx.Headers({"upload-offset": said}, encoding="latin-1")))
    )
    await post.rounds.make_one()
    asked = [one for one in post.road.passed if one.path.startswith(SCANS)]
    assert len(asked) <= 4
    assert post.incoming.stored_scans() == []
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


def on_scans(mishap: Mishap) -> Mishap:
    async def wrapped(request: httpx.Request, forward: flaky_road.Forward) -> httpx.Response:
        return await (mishap(request, forward) if request.url.path.startswith(SCANS) else forward(request))

    return wrapped


async def test_an_answer_without_end_is_cut_off(post: Post) -> None:
    post.file()
    before = post.believed()
    stream = Endless()
    post.road.always(endless(stream))
    heard = await post.rounds.make_one()
    assert not heard.ok
    assert post.believed() == before
    assert stream.told < 2 * 1024 * 1024 * 1024


class Endless(httpx.AsyncByteStream):
    """A body that never ends, unless nobody stopped reading long ago."""

    told = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.told < 4 * 1024 * 1024 * 1024:
            self.told += 1024 * 1024
            yield bytes(1024 * 1024)


def endless(stream: Endless) -> Mishap:
    async def mishap(request: httpx.Request, _forward: flaky_road.Forward) -> httpx.Response:
        return httpx.Response(200, stream=stream, request=request)

    return mishap


@pytest.mark.parametrize("courier_restarts", [False, True])
async def test_a_gateway_that_was_restored_gets_again_what_it_lost(tmp_path: Path, courier_restarts: bool) -> None:
    async with posted(tmp_path) as post:
        post.file(os.urandom(30_000))
        await post.drain()
        backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "gateway", backup / "gateway")
    shutil.copy(tmp_path / "ledger.db", backup / "ledger.db")  # closed, so nothing is left in its write-ahead log
    async with city_in(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}") as city:
        move_to(post, city)
        for _ in range(3):
            post.file(os.urandom(20_000))
        await post.drain()
        post.everything_arrived_once()
        newest = post.receipt()
    assert newest is not None
    assert newest.hwm == 4
    restored = f"sqlite:///{backup / 'ledger.db'}"
    async with city_in(backup / "gateway", restored) as city:
        move_to(post, city)
        assert len(stored_at(city)) == 1
        if courier_restarts:
            post.restart()
        heard = await post.rounds.make_one()
        assert heard.ok
        receipt = post.receipt()
        assert receipt is not None
        assert receipt.hwm == 4
        assert {case["application_id"] for case in outline(city.gateway.ledger)} == set(post.filed)
        assert len(effects(city.gateway.ledger)) == len(set(effects(city.gateway.ledger))) == 4
        await post.rounds.make_one()
        assert len(stored_at(city)) == 4, "scans that the restored city lost went up again"


def move_to(post: Post, city: City) -> None:
    """The same address, another machine behind it."""
    post.city = post.node.city = city
    post.road.far = httpx.ASGITransport(app=city.app, raise_app_exceptions=False)


@pytest.mark.parametrize("seed", range(12))
async def test_on_any_bad_day_everything_arrives_once(post: Post, seed: int) -> None:
    rng = random.Random(seed)
    post.road.always(flaky_road.bad_day(rng, 0.35))
    for _ in range(4):
        post.file(*(rng.randbytes(rng.randrange(1, 70_000)) for _ in range(rng.randrange(3))))
        for _ in range(rng.randrange(4)):
            await post.rounds.make_one()
            if rng.random() < 0.2:
                post.restart()
            assert set(post.incoming.stored_scans()) <= stored_at(post.city)
            receipt = post.receipt()
            assert receipt is None or receipt.hwm <= post.node.head.seq
            assert not post.rounds.halted
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()
    assert [read_header(path.read_bytes()).seq for _, path in post.outgoing.envelopes()] == [1, 2, 3, 4]


@pytest.mark.parametrize("rotten", [b"", b"rotten", None], ids=["empty", "other bytes", "one bit"])
async def test_an_envelope_that_rots_while_its_answer_is_lost_is_no_fork(post: Post, rotten: bytes | None) -> None:
    post.file()
    post.road.always(flaky_road.loses_the_answer())
    await post.rounds.make_one()
    seq, path = next(iter(post.outgoing.envelopes()))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if rotten is None else rotten)
    post.road.always(None)
    heard = await post.rounds.make_one()
    assert heard.ok, heard
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.hwm == seq
    path.write_bytes(whole)
    post.file()
    await post.drain()
    post.everything_arrived_once()


async def test_mail_that_is_being_laid_anew_while_the_city_holds_more_is_no_fork(post: Post) -> None:
    for _ in range(3):
        post.file()
    await post.drain()
    first = {seq: path.read_bytes() for seq, path in post.outgoing.envelopes()}
    shutil.rmtree(post.paths.incoming)
    post.paths.incoming.mkdir()
    for seq in sorted(first)[1:]:
        post.outgoing.remove_envelope(seq)
    post.restart()
    heard = await post.rounds.make_one()
    assert heard.ok, heard
    for seq, data in first.items():
        post.outgoing.put_envelope(seq, data)
    post.file()
    await post.drain()
    post.everything_arrived_once()
