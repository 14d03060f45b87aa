"""S01: the line is cut after exactly K bytes, of the question or of the answer, by a close or a reset.

Every operation has one effect, nothing is believed that did not arrive, and of a scan not more than 64 KiB a cut goes
over the line again. The gateway is the real one behind a real server, the courier dials with the client that is
shipped.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync_agent import uplink
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Answer, Uplink
from tests.faults.post_on_sockets import PostOnSockets, posted_on_sockets
from tests.faults.tally import record
from tests.faults.tools.cutting_road import How, Way
from tests.simulators.post import effects, stored_at

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

KIB, MIB = 1024, 1024 * 1024
CHUNK = 64 * KIB
SENT_AGAIN_MOST = 1.25
EVERYDAY = 20
"""Places a way; the full run takes every byte."""
UPLOAD_BYTES = 5 * MIB


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", 0.0)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[PostOnSockets]:
    async with posted_on_sockets(tmp_path) as made:
        yield made


def known(post: PostOnSockets) -> int:
    """Up to which number the courier believes that the city has it."""
    receipt = post.receipt()
    return receipt.hwm if receipt else 0


async def lengths(post: PostOnSockets) -> dict[Way, int]:
    """How many bytes one operation's pass takes, up and down, when nothing is cut."""
    up, down = post.cutting.up, post.cutting.down
    post.file()
    await post.rounds.make_one()
    return {"up": post.cutting.up - up, "down": post.cutting.down - down}


async def cut_everywhere(post: PostOnSockets, places: int | None) -> tuple[int, int, int, int]:
    """One operation for each of so many places a way (None: for each byte); trials, lost, duplicated, false sent."""
    trials = false_sent = 0
    for way, length in (await lengths(post)).items():
        for after in range(0, length, max(1, length // places) if places else 1):
            how: How = "close" if (after + trials) % 2 else "reset"
            post.file()
            post.cutting.arm(way, after, how)
            await post.rounds.make_one()
            post.cutting.disarm()
            false_sent += known(post) > len(effects(post.city.gateway.ledger))
            trials += 1
    await post.drain()
    post.everything_arrived_once()
    made = effects(post.city.gateway.ledger)
    return trials, len(post.filed) - len(set(made)), len(made) - len(set(made)), false_sent


async def test_an_operation_cut_at_any_byte_has_one_effect(post: PostOnSockets) -> None:
    trials, lost, duplicated, false_sent = await cut_everywhere(post, EVERYDAY)
    assert len(post.cutting.cuts) >= 0.9 * trials, "the cuts did strike"
    assert (lost, duplicated, false_sent) == (0, 0, 0)
    record("S01", "an operation, spread of bytes", trials, lost, duplicated, false_sent)


@pytest.mark.full
@pytest.mark.timeout(7200)
async def test_an_operation_cut_at_every_byte_has_one_effect(post: PostOnSockets) -> None:
    trials, lost, duplicated, false_sent = await cut_everywhere(post, None)
    assert (lost, duplicated, false_sent) == (0, 0, 0)
    record("S01", "an operation, every byte", trials, lost, duplicated, false_sent)


async def test_a_courier_that_throws_away_what_it_sent_loses_it(post: PostOnSockets) -> None:
    """The control: without waiting for the signed receipt, what was cut before its end is gone."""
    for after in range(0, 1_500, 100):
        post.file()
        post.cutting.arm("up", after, "close")
        await _only_once(post)
        post.cutting.disarm()
        post.outgoing.remove_through(post.node.head.seq)
    lost = len(post.filed) - len(set(effects(post.city.gateway.ledger)))
    assert lost > 0
    record("S01", "control: gone when sent", len(post.filed), lost, 0)


async def _only_once(post: PostOnSockets) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync_agent.retry.ATTEMPTS", 1)
        await post.rounds.make_one()


async def upload_with_cuts(
    post: PostOnSockets, rng: random.Random, cuts: int, size: int = UPLOAD_BYTES
) -> tuple[int, list[int]]:
    """One scan of this size and so many cuts at random bytes; what went up in all, and what was under way at each."""
    post.file(rng.randbytes(size))
    (ticket,) = [one for one in post.outgoing.scan_tickets() if one.scan_hash not in stored_at(post.city)]
    before, struck = post.cutting.up, len(post.cutting.cuts)
    hows: tuple[How, How] = ("close", "reset")
    at_random = [(rng.randrange(2 * ticket.length // cuts), rng.choice(hows)) for _ in range(cuts)]
    post.cutting.arm_in_turn("up", at_random)
    await post.drain(cuts + 12)
    post.cutting.disarm()
    assert ticket.scan_hash in stored_at(post.city)
    return post.cutting.up - before, [cut.under_way for cut in post.cutting.cuts[struck:]]


async def uploads(post: PostOnSockets, rng: random.Random, number: int, cuts: int) -> int:
    """So many uploads; says how many cuts struck."""
    struck = 0
    for _ in range(number):
        went_up, under_way = await upload_with_cuts(post, rng, cuts)
        struck += len(under_way)
        again = went_up - UPLOAD_BYTES + sum(under_way)
        assert all(left <= CHUNK for left in under_way), under_way
        assert again <= (SENT_AGAIN_MOST - 1) * UPLOAD_BYTES
        post.outgoing.remove_scan_ticket(post.filed[list(post.filed)[-1]][0])
    post.everything_arrived_once()
    return struck


async def test_a_large_scan_goes_on_where_it_was_cut(post: PostOnSockets) -> None:
    struck = await uploads(post, random.Random(1), number=2, cuts=6)
    assert struck >= 6
    assert post.counted() == (0, 0, 0, 0)
    record("S01", "5 MB uploads, random bytes", struck, *post.counted())


@pytest.mark.full
@pytest.mark.timeout(7200)
async def test_large_scans_go_on_where_they_were_cut_two_thousand_times(post: PostOnSockets) -> None:
    struck = await uploads(post, random.Random(2), number=200, cuts=12)
    assert struck >= 2_000
    assert post.counted() == (0, 0, 0, 0)
    record("S01", "5 MB uploads, random bytes, full", struck, *post.counted())


async def test_without_the_bound_on_bytes_under_way_a_cut_costs_more_than_a_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: large pieces and whatever the kernel takes."""
    monkeypatch.setattr(uplink, "UNDER_WAY_BYTES", 16 * MIB)
    async with posted_on_sockets(tmp_path, AgentSettings(piece_bytes=8 * MIB, connections=1)) as post:
        rng, dear = random.Random(3), 0
        for _ in range(3):
            _, under_way = await upload_with_cuts(post, rng, 2)
            dear += sum(left > CHUNK for left in under_way)
            post.outgoing.remove_scan_ticket(post.filed[list(post.filed)[-1]][0])
    assert dear
    record("S01", "control: no bound on bytes under way", 6, 0, 0, phantom=dear)


async def test_a_courier_that_begins_anew_sends_more_than_a_quarter_again(
    post: PostOnSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for resuming: an upload whose line broke is given up and begun anew."""

    async def begin_anew(uplink: Uplink, scan_hash: str) -> Answer:
        post.rounds._sender.offsets.pop(scan_hash, None)
        answer = await uplink.give_up_scan(scan_hash)
        return replace(answer, headers={})

    monkeypatch.setattr(Uplink, "scan_offset", begin_anew)
    post.file(random.Random(4).randbytes(UPLOAD_BYTES))
    before = post.cutting.up
    post.cutting.arm_in_turn("up", [(UPLOAD_BYTES // 2, "close")] * 2)
    await post.drain()
    dear = post.cutting.up - before > SENT_AGAIN_MOST * UPLOAD_BYTES
    assert dear
    record("S01", "control: begun anew after a cut", 2, 0, 0, phantom=int(dear))
