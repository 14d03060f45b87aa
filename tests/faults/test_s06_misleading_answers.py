"""S06: twenty kinds of misleading answers, to exchanges, to scans and to held questions: each is only "not now".

Nothing is shown as sent that is not at the city, nothing is deleted, and when the road is good again everything
arrives once. Final is only what the gateway signed for this very question.
"""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sync_agent import conversation
from tests.city_gateway.gateway_fixtures import EnrolledNode
from tests.faults.tally import record
from tests.simulators import flaky_road
from tests.simulators.flaky_road import Forward, Mishap
from tests.simulators.post import EXCHANGE, SCANS, Post, effects, posted, stored_at
from wire.errors import WronglyAddressed
from wire.judgement import Accepted, Expected, Verdict, judge
from wire.messages import CONTENT_TYPE, ExchangeHead, NodeReport, read_reply, read_request, write_request
from wire.receipt import Receipt

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

EVERYDAY, FULL = 2, 20
HELD_S = 5
NO_HASH = "0" * 64
NO_NONCE = "0" * 32

Kept = list[httpx.Response]


def replayed(kept: Kept) -> Mishap:
    """The gateway's own answer to an earlier question, signed and whole."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.url.path == EXCHANGE and kept:
            old = kept[0]
            return httpx.Response(old.status_code, headers=old.headers, content=old.content, request=request)
        return httpx.Response(200, request=request)

    return mishap


@dataclass
class Neighbour:
    """Another node of the same city, whose chain is always longer; no application comes of what it sends."""

    post: Post
    node: EnrolledNode | None = None

    async def answered(self, nonce: str) -> httpx.Response:
        """The gateway's true answer to an exchange of this node, under a nonce that was chosen for it."""
        self.node = node = self.node or await self.post.city.enrol(name="别站")
        while node.head.seq <= self.post.node.head.seq:
            await node.exchange(node.act(application_id=None))
        asked = ExchangeHead(node=node.document.node_id, nonce=nonce, feed_cursor=0, report=NodeReport())
        return await node.send("POST", EXCHANGE, {"content-type": CONTENT_TYPE}, write_request(asked, ()))


def signed_for_another(post: Post) -> Mishap:
    """A true receipt of the gateway, under the nonce of this very question, for another node."""
    neighbour = Neighbour(post)

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        own = request.url.path == EXCHANGE
        said = await neighbour.answered(read_request(request.content).head.nonce if own else NO_NONCE)
        return httpx.Response(said.status_code, headers=said.headers, content=said.content, request=request)

    return mishap


def kinds(post: Post, kept: Kept) -> dict[str, Mishap]:
    """The twenty."""
    statuses = (401, 403, 404, 408, 409, 413, 425, 429, 500, 502, 503)
    json = {"content-type": CONTENT_TYPE}
    page = {"content-type": "text/html"}
    return {
        **{str(status): flaky_road.answers(status, text='{"code":"x"}') for status in statuses},
        "portal page with 200": flaky_road.portal(),
        "portal page with 404": flaky_road.answers(404, text=flaky_road.PORTAL_PAGE, headers=page),
        "redirect": flaky_road.answers(302, headers={"location": "http://portal.invalid/"}),
        "empty 200": flaky_road.answers(200),
        "empty 204 that claims an offset": flaky_road.answers(204, headers={"upload-offset": "99999999"}),
        "truncated answer": flaky_road.truncates_the_answer(200),
        "JSON of somebody else": flaky_road.answers(200, text='{"hwm": 99}', headers=json),
        "the gateway's answer to an earlier question": replayed(kept),
        "the gateway's word for another node": signed_for_another(post),
    }


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", 0.0)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


def false_sent(post: Post) -> int:
    """How much is shown as sent and is not at the city."""
    receipt = post.receipt()
    beyond = max(0, (receipt.hwm if receipt else 0) - len(effects(post.city.gateway.ledger)))
    return beyond + len(set(post.incoming.stored_scans()) - stored_at(post.city))


def deleted(post: Post) -> int:
    """How much of what waits here is gone."""
    lying = {seq for seq, _ in post.outgoing.envelopes()}
    known = {ticket.scan_hash for ticket in post.outgoing.scan_tickets()}
    names = {name for names in post.filed.values() for name in names}
    return (
        len(set(range(1, post.node.head.seq + 1)) - lying) + len(names - known) + len(names - set(post.vault.hashes()))
    )


async def mislead(post: Post, name: str, trials: int, first: int, rng: random.Random) -> tuple[int, int]:
    """One application for each trial, its exchange, its scan or a held question answered by this kind."""
    kept: Kept = []
    wrong = gone = 0
    for trial in range(trials):
        path = (EXCHANGE, SCANS, "held")[(first + trial) % 3]
        await keep_an_answer(post, kept)
        if path == "held":
            post.road.always(kinds(post, kept)[name])
            assert not (await post.rounds.listen(HELD_S)).news
            post.file(os.urandom(rng.randrange(1, 40_000)))
        else:
            post.file(os.urandom(rng.randrange(1, 40_000)))
            post.road.always(only_on(path, kinds(post, kept)[name]))
        await post.rounds.make_one()
        wrong, gone = wrong + false_sent(post), gone + deleted(post)
        post.road.always(None)
        await post.drain()
    post.everything_arrived_once()
    return wrong, gone


async def keep_an_answer(post: Post, kept: Kept) -> None:
    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = await forward(request)
        if request.url.path == EXCHANGE:
            kept[:] = [answer]
        return answer

    post.road.always(mishap)
    await post.rounds.make_one()
    post.road.always(None)


def only_on(path: str, mishap: Mishap) -> Mishap:
    async def wrapped(request: httpx.Request, forward: Forward) -> httpx.Response:
        return await (mishap(request, forward) if request.url.path.startswith(path) else forward(request))

    return wrapped


async def mislead_by_all(post: Post, trials: int) -> None:
    rng, total, lost, shown = random.Random(6), 0, 0, 0
    for number, name in enumerate(kinds(post, [])):
        wrong, gone = await mislead(post, name, trials, number, rng)
        assert (wrong, gone) == (0, 0), name
        total, lost, shown = total + trials, lost + gone, shown + wrong
    made = effects(post.city.gateway.ledger)
    record("S06", "20 kinds", total, lost, len(made) - len(set(made)), shown)


async def test_no_misleading_answer_is_believed(post: Post) -> None:
    assert len(kinds(post, [])) == 20
    await mislead_by_all(post, EVERYDAY)


@pytest.mark.full
@pytest.mark.timeout(7200)
async def test_no_misleading_answer_is_believed_twenty_times(post: Post) -> None:
    await mislead_by_all(post, FULL)


async def test_a_true_receipt_for_another_node_is_known_by_its_addressee_alone(post: Post) -> None:
    post.file()
    post.road.always(signed_for_another(post))
    heard = await post.rounds.make_one()
    assert (heard.ok, heard.why) == (False, WronglyAddressed.code)
    assert (post.receipt(), post.rounds._talk.hwm) == (None, 0)
    post.road.always(None)
    await post.drain()
    post.everything_arrived_once()


async def test_a_courier_that_does_not_look_for_whom_a_receipt_is_is_found_out(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: signature, nonce and page are proven, the addressee is not."""

    def anybodys(status: int, headers: Mapping[str, str], body: bytes, expected: Expected) -> Verdict:
        said = json.loads(base64.b64decode(read_reply(body).receipt["payload"]))
        return judge(status, headers, body, replace(expected, node=said["node"]))

    monkeypatch.setattr(conversation, "judge", anybodys)
    post.file()
    post.road.always(signed_for_another(post))
    await post.rounds.make_one()
    lost = len(post.filed) - len(set(effects(post.city.gateway.ledger)))
    with pytest.raises(WronglyAddressed):
        post.receipt()  # it was kept as this node's own
    false_sent = post.rounds._talk.hwm >= post.node.head.seq
    assert (lost, false_sent) == (1, True), "another's mark says that the city holds what never arrived"
    record("S06", "control: anybody's receipt", 1, lost, 0, int(false_sent))


async def test_a_courier_that_believes_a_status_is_found_out(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: every 200 is a yes."""

    def gullible(status: int, headers: object, body: bytes, expected: Expected) -> Accepted:
        receipt = Receipt(
            gateway="0" * 32,
            epoch="0" * 32,
            node=expected.node,
            hwm=post.node.head.seq,
            head_hash=post.node.head.hash.hex(),
            stable_hwm=0,
            server_time=datetime.now(UTC),
            nonce=expected.nonce,
            feed_head=0,
            feed_more=False,
            page_hash=NO_HASH,
        )
        return Accepted(receipt, {}, ())

    monkeypatch.setattr(conversation, "judge", gullible)
    post.file()
    post.road.always(flaky_road.portal())
    await post.rounds.make_one()
    shown = post.rounds._talk.hwm - len(effects(post.city.gateway.ledger))
    assert shown > 0
    record("S06", "control: every 200 is a yes", 1, 0, 0, shown)
