"""S03: the answer is lost one to twenty times in a row. One effect, and the receipt that comes in the end is the same.

The road stands for the network; courier and gateway are the real ones. Each lost answer is looked at before it is lost:
all of them, and the one that arrives, name the same number and the same hash as the last that the city holds.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from tests.faults.tally import record
from tests.simulators import flaky_road
from tests.simulators.post import EXCHANGE, Post, effects, posted
from wire.audit_chain import Head, Link, continue_with
from wire.errors import Duplicate, Fork
from wire.exchange import city
from wire.messages import read_reply
from wire.receipt import read_receipt

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

MOST = 20
EVERYDAY, FULL = 20, 200


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("sync_agent.set_aside.FIRST_REST_S", 0.0)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


async def lose(post: Post, times: int) -> tuple[int, int]:
    """File one, lose so many answers to it; how often it had an effect, how many receipts contradicted the first."""
    before, earlier = effects(post.city.gateway.ledger), post.receipt()
    post.file()
    said: set[tuple[int, str]] = set()
    post.road.expect(hears_and_loses(post, said), path=EXCHANGE, times=times)
    while post.road.still_expected:
        await post.rounds.make_one()
        if post.road.still_expected:
            assert post.receipt() == earlier, "nothing is believed that did not arrive"
    await post.drain()
    receipt = post.receipt()
    assert receipt is not None
    said.add((receipt.hwm, receipt.head_hash))
    return len(effects(post.city.gateway.ledger)) - len(before), len(said) - 1


def hears_and_loses(post: Post, said: set[tuple[int, str]]) -> flaky_road.Mishap:
    """The gateway commits and answers; the answer is looked at and dropped."""
    lost = flaky_road.loses_the_answer()

    async def mishap(request: httpx.Request, forward: flaky_road.Forward) -> httpx.Response:
        async def looked_at(question: httpx.Request) -> httpx.Response:
            answer = await forward(question)
            document = read_reply(answer.content).receipt
            receipt = read_receipt(document, post.node.document.gateway.signing_public, node=post.node.document.node_id)
            said.add((receipt.hwm, receipt.head_hash))
            return answer

        return await lost(request, looked_at)

    return mishap


async def lose_often(post: Post, trials: int, rng: random.Random) -> None:
    lost = duplicated = contradicted = 0
    for trial in range(trials):
        times = trial + 1 if trials == MOST else rng.randint(1, MOST)
        had, other = await lose(post, times)
        lost += had == 0
        duplicated += max(0, had - 1)
        contradicted += other
    post.everything_arrived_once()
    assert (lost, duplicated, contradicted) == (0, 0, 0)
    record("S03", f"answers lost 1..{MOST} times", trials, lost, duplicated)


async def test_however_often_the_answer_is_lost_there_is_one_effect_and_one_receipt(post: Post) -> None:
    await lose_often(post, EVERYDAY, random.Random(1))


@pytest.mark.full
@pytest.mark.timeout(3600)
async def test_two_hundred_times_there_is_one_effect_and_one_receipt(post: Post) -> None:
    await lose_often(post, FULL, random.Random(2))


async def test_a_city_that_does_not_know_again_what_it_has_takes_nothing_more(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a link that was committed and comes again is not passed over, so it counts as another history."""

    def nothing_comes_twice(head: Head, link: Link, hash_at: Callable[[int], bytes | None]) -> Head:
        try:
            return continue_with(head, link, hash_at)
        except Duplicate as again:
            raise Fork(link.seq) from again

    monkeypatch.setattr(city, "continue_with", nothing_comes_twice)
    post.file()
    post.road.expect(flaky_road.loses_the_answer(), path=EXCHANGE)
    await post.rounds.make_one()
    post.file()
    assert post.rounds.halted, "a sound node may not speak any more"
    made = effects(post.city.gateway.ledger)
    lost = len(post.filed) - len(set(made))
    assert lost > 0
    assert post.receipt() is None, "and the one that had its effect is never confirmed"
    record("S03", "control: what comes again is not known again", 1, lost, len(made) - len(set(made)))
