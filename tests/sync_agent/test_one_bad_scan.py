"""One scan that cannot go delays no other scan and no operation; and what is urgent goes first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from offline_store.mailbox.outgoing import Outgoing, ScanTicket
from sync_agent.set_aside import FIRST_REST_S, LONGEST_REST_S, SetAside
from sync_agent.settings import AgentSettings
from tests.simulators import flaky_road
from tests.simulators.flaky_road import Forward, Mishap
from tests.simulators.post import EXCHANGE, SCANS, SETTINGS, Post, posted, stored_at

pytestmark = pytest.mark.node


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", 0.0)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


def about(names: set[str], mishap: Mishap) -> Mishap:
    """Only what is said about these scans meets it."""

    async def wrapped(request: httpx.Request, forward: Forward) -> httpx.Response:
        said = request.headers.get("upload-metadata", "").encode() + request.url.path.encode()
        hit = any(name.encode() in said or _in_base64(name) in said for name in names)
        return await (mishap(request, forward) if hit else forward(request))

    return wrapped


def _in_base64(name: str) -> bytes:
    import base64

    return base64.b64encode(name.encode())


FAILURES = {
    "unknown": flaky_road.answers(404),
    "a conflict": flaky_road.answers(409),
    "not whole": flaky_road.answers(422, text='{"code":"scan.hash"}'),
    "an error inside": flaky_road.answers(500),
    "a broken line": flaky_road.no_line(),
    "a lost answer": flaky_road.loses_the_answer(),
    "a portal": flaky_road.portal(),
}


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("name", FAILURES)
async def test_whatever_happens_to_one_scan_the_others_and_operations_go_on(
    post: Post, name: str, connections: int
) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"connections": connections}))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(500), os.urandom(30_000))
    bad = min(next(iter(post.filed.values())), key=lambda one: post.vault.length(one))  # the first in order
    post.road.always(about({bad}, FAILURES[name]))
    for _ in range(4):
        post.file(os.urandom(8_000))
        await post.rounds.make_one()
    others = {one for names in post.filed.values() for one in names} - {bad}
    assert stored_at(post.city) >= others
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.head == post.node.head
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


async def test_a_gateway_that_refuses_every_scan_is_not_asked_about_each(post: Post) -> None:
    for _ in range(12):
        post.file(os.urandom(2_000))
    post.road.always(on_scans(flaky_road.answers(503)))
    await post.rounds.make_one()
    asked = [one for one in post.road.passed if one.path.startswith(SCANS)]
    assert len(asked) <= 2 * post.settings.connections + 2
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


async def test_an_upload_that_cannot_be_given_up_delays_nothing(post: Post) -> None:
    post.file(os.urandom(3_000), os.urandom(9_000))
    bad = min(next(iter(post.filed.values())), key=post.vault.length)
    post.rounds._sender.send_again(bad)
    post.road.always(about({bad}, flaky_road.no_line()))
    for _ in range(2):
        await post.rounds.make_one()
    assert stored_at(post.city) == set(next(iter(post.filed.values()))) - {bad}
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


def on_scans(mishap: Mishap) -> Mishap:
    async def wrapped(request: httpx.Request, forward: Forward) -> httpx.Response:
        return await (mishap(request, forward) if request.url.path.startswith(SCANS) else forward(request))

    return wrapped


async def test_an_operation_saved_while_a_scan_is_under_way_does_not_wait_for_it(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"connections": 1}))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(60_000))
    held, reached = asyncio.Event(), asyncio.Event()

    async def hangs(request: httpx.Request, forward: Forward) -> httpx.Response:
        reached.set()
        await held.wait()
        return await forward(request)

    post.road.expect(hangs, method="PATCH")
    passing = asyncio.ensure_future(post.rounds.make_one())
    await asyncio.wait_for(reached.wait(), 20)
    post.file()
    for _ in range(200):
        receipt = post.receipt()
        if receipt is not None and receipt.hwm == 2:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the operation waited for the scan")
    assert stored_at(post.city) == set()
    held.set()
    assert (await passing).ok
    await post.drain()
    post.everything_arrived_once()


async def test_the_most_urgent_scan_goes_first_even_when_it_came_last(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"connections": 1}))  # type: ignore[arg-type]
    post.restart()
    post.file(os.urandom(1_000), os.urandom(2_000))
    post.file(os.urandom(50_000))
    urgent = list(post.filed.values())[1][0]
    post.outgoing.put_scan_ticket(urgent, 1, post.vault.length(urgent))
    await post.rounds.make_one()
    begun = [one.length for one in post.road.passed if one.path == SCANS]
    assert begun[0] == post.settings.piece_bytes
    assert begun[1:] == sorted(begun[1:])


async def test_a_disk_that_refuses_an_answer_is_only_not_now(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.file()

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(post.rounds._incoming.__class__, "put_receipt", full)
        patch.setattr(post.rounds._incoming.__class__, "put_line", full)
        heard = await post.rounds.make_one()
    assert (heard.ok, heard.why, post.receipt()) == (False, "OSError", None)
    await post.drain()
    post.everything_arrived_once()
    assert next(one.status for one in post.road.passed if one.path == EXCHANGE) == 200


# --- the rests --------------------------------------------------------------------------------------------------------


def test_a_scan_that_keeps_failing_rests_longer_and_longer_up_to_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", FIRST_REST_S)
    aside = SetAside(lambda: 0.0, lambda: 1.0)
    rests = []
    for _ in range(14):
        aside.failed("a")
        rests.append(aside.next_at() or 0.0)
    assert rests[:4] == [0.0, FIRST_REST_S, 2 * FIRST_REST_S, 4 * FIRST_REST_S]
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S
    aside.went_ahead("a")
    assert (aside.failures("a"), aside.next_at()) == (0, None)


def test_the_citys_wish_is_a_floor_and_other_scans_do_not_share_it() -> None:
    aside = SetAside(lambda: 0.0, lambda: 0.0)
    aside.failed("a", 600.0)
    assert aside.rests("a")
    assert not aside.rests("b")
    assert aside.next_at() == 600.0
    aside.keep_only({"b"})
    assert aside.next_at() is None


async def test_the_folder_is_not_read_anew_for_every_scan(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    tickets = Outgoing.scan_tickets

    def counted(outgoing: Outgoing) -> list[ScanTicket]:
        looks.append(1)
        return tickets(outgoing)

    monkeypatch.setattr(Outgoing, "scan_tickets", counted)
    for few in (5, 40):
        post.file(*(os.urandom(100) for _ in range(few)))
        looks.clear()
        assert (await post.rounds.make_one()).ok
        assert len(looks) < 25, few
    monkeypatch.undo()
    post.everything_arrived_once()


async def test_a_more_urgent_scan_that_is_saved_meanwhile_goes_next(post: Post) -> None:
    post.settings = AgentSettings(**(SETTINGS | {"connections": 1}))  # type: ignore[arg-type]
    post.restart()
    post.file(*(os.urandom(3_000 + number) for number in range(4)))
    late = 9_000

    async def one_is_saved(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = await forward(request)
        (name,) = post.filed[post.file(os.urandom(late))]
        post.outgoing.put_scan_ticket(name, 1, post.vault.length(name))
        return answer

    post.road.expect(one_is_saved, method="POST", path=SCANS)
    await post.drain()
    begun = [one.length for one in post.road.passed if one.path == SCANS]
    assert max(begun) == begun[1], begun
    post.everything_arrived_once()


async def test_all_scans_are_asked_about_when_they_are_more_than_one_question_holds(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_agent.conversation.ASKING_MOST", 3)
    post.file(*(os.urandom(300) for _ in range(8)))
    assert (await post.rounds.make_one()).ok
    post.everything_arrived_once()


@pytest.mark.parametrize(("each_s", "told_early"), [(0.0, True), (3_600.0, False)])
async def test_receipts_come_while_a_long_scan_is_still_under_way(
    post: Post, monkeypatch: pytest.MonkeyPatch, each_s: float, told_early: bool
) -> None:
    monkeypatch.setattr("sync_agent.loop.RECEIPT_S", each_s)
    post.settings = AgentSettings(**(SETTINGS | {"connections": 1}))  # type: ignore[arg-type]
    post.restart()
    short, long = post.filed[post.file(os.urandom(1_000), os.urandom(60_000))]
    held, reached = asyncio.Event(), asyncio.Event()

    async def hangs(request: httpx.Request, forward: Forward) -> httpx.Response:
        reached.set()
        await held.wait()
        return await forward(request)

    post.road.expect(hangs, method="PATCH")
    passing = asyncio.ensure_future(post.rounds.make_one())
    await asyncio.wait_for(reached.wait(), 20)
    for _ in range(20):
        if short in set(post.incoming.stored_scans()):
            break
        await asyncio.sleep(0.05)
    assert (short in set(post.incoming.stored_scans())) is told_early
    assert long not in set(post.incoming.stored_scans())
    held.set()
    assert (await passing).ok
    await post.drain()
    post.everything_arrived_once()
