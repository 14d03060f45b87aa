"""While it rests, the courier leaves one question open at the city: news comes at once, a save ends the wait, a line
that dies is noticed, and an idle hour costs little. Over real sockets, with the client that is shipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from city_gateway import news
from city_gateway.routes import exchange
from sync_agent.listening import LEAST_S, TRIED_AGAIN_AFTER, Listening, broke, lived, rested
from sync_agent.running import Keeping
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import TOWNSHIP
from tests.faults.post_on_sockets import PostOnSockets, posted_on_sockets

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

PATIENCE_S = 30.0
HOUR_S, IDLE_HOUR_BYTES = 3600, 10 * 1024


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[PostOnSockets]:
    async with posted_on_sockets(tmp_path) as made:
        yield made


class Kept:
    """A courier that keeps its time in the background."""

    def __init__(self, post: PostOnSockets, settings: AgentSettings) -> None:
        self.over = False
        self.keeping = Keeping(post.rounds, settings, lambda: self.over)
        self.task = asyncio.ensure_future(self.keeping.time())

    async def stop(self) -> None:
        self.over = True
        await asyncio.wait_for(self.task, PATIENCE_S)


async def until(what: str, holds: object) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


def listens(post: PostOnSockets) -> bool:
    line = post.incoming.line()
    return line is not None and line.listening


@pytest.fixture
async def kept(post: PostOnSockets) -> AsyncIterator[Kept]:
    made = Kept(post, AgentSettings(hold_s=900, idle_s=1000.0))
    await until("the courier listens", lambda: listens(post))
    yield made
    await made.stop()


async def test_news_comes_while_a_question_lies_open(post: PostOnSockets, kept: Kept) -> None:
    post.file()
    await until("it went up", lambda: post.receipt() is not None and post.receipt().hwm == 1)  # type: ignore[union-attr]
    await until("listening again", lambda: listens(post))
    township = await post.city.enrol("township", TOWNSHIP, "测试乡镇")
    (application_id,) = post.filed
    before = len(list(post.incoming.feed()))
    await township.everything()
    await township.exchange(township.act(township.event("pre_review_started"), application_id=application_id))
    await until("the news is here", lambda: len(list(post.incoming.feed())) > before)


async def test_what_is_saved_ends_the_wait_and_goes_up_at_once(post: PostOnSockets, kept: Kept) -> None:
    for number in (1, 2, 3):
        post.file()
        await until("it went up", lambda: post.receipt().hwm == number)  # type: ignore[union-attr]  # noqa: B023
    await until("the answers are here", lambda: len(list(post.incoming.feed())) == 3)
    post.everything_arrived_once()


async def test_a_courier_that_asks_in_its_own_rhythm_hears_nothing_meanwhile(post: PostOnSockets) -> None:
    """The control: without holding, news waits for the next turn."""
    kept = Kept(post, AgentSettings(hold_s=0, idle_s=1000.0))
    await until("the first answer", lambda: post.receipt() is not None)
    await asyncio.sleep(1.0)
    assert not listens(post)
    assert exchange_count(post) == 1
    await kept.stop()


def exchange_count(post: PostOnSockets) -> int:
    """Questions that the city has answered or holds, by the nonces it remembers."""
    return len([path for path, _ in post.city.app.state.nonces._seen.values() if path == "/v1/exchange"])


async def test_a_hold_whose_line_dies_is_noticed_and_the_next_one_is_shorter(post: PostOnSockets, kept: Kept) -> None:
    post.cutting.end_all("reset")
    await until("a shorter hold", lambda: kept.keeping.listening.hold_s == LEAST_S)
    await until("listening again", lambda: listens(post))


async def test_being_told_to_stop_ends_the_wait(post: PostOnSockets, kept: Kept) -> None:
    await kept.stop()
    assert kept.task.done()
    assert not post.rounds.halted


async def test_a_new_catalog_ends_the_wait_of_those_who_said_which_one_they_know(
    post: PostOnSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "ROUND_S", 0.05)
    timestamp = post.city.gateway.folder.catalog / "metadata" / "timestamp.json"
    timestamp.parent.mkdir(parents=True, exist_ok=True)
    timestamp.write_bytes(b"one")
    assert (await post.rounds.make_one()).ok
    first = post.rounds._talk.catalog_mark
    post.rounds._catalog_mark = first
    waiting = asyncio.ensure_future(post.rounds.listen(60))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    timestamp.write_bytes(b"two")
    heard = await asyncio.wait_for(waiting, PATIENCE_S)
    assert heard.ok
    assert heard.news
    assert post.rounds._talk.catalog_mark not in {None, first}


async def test_an_idle_hour_costs_less_than_ten_kib(post: PostOnSockets, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question held to its end is weighed, both ways, heads included: 1.7 KiB; an hour has four of them."""
    monkeypatch.setattr(exchange, "LOOK_WHETHER_GONE_S", 0.1)
    for _ in range(3):
        post.file()
    await post.drain()
    assert (await post.rounds.listen(1)).ok
    up, down = post.cutting.up, post.cutting.down
    assert (await post.rounds.listen(1)).ok
    weight = post.cutting.up - up + post.cutting.down - down
    hours = HOUR_S / AgentSettings().hold_s
    assert weight * hours <= IDLE_HOUR_BYTES


def test_a_way_that_breaks_holds_is_tried_shorter_and_then_longer_again() -> None:
    listening = Listening.up_to(1800)
    listening = broke(listening, 60.0)
    assert listening.hold_s == 45
    listening = lived(listening, 45.0, news=False)
    assert 60 < listening.hold_s < 70
    for _ in range(20):
        listening = lived(listening, listening.hold_s, news=False)
    assert listening.hold_s == 1800
    assert broke(listening, 0.1).hold_s == LEAST_S


def test_news_teaches_nothing_about_the_way() -> None:
    listening = Listening.up_to(1800)
    assert lived(listening, 0.1, news=True) == listening
    assert lived(listening, 100.0, news=False) == listening


def test_a_city_that_answers_at_once_is_asked_in_turns_and_now_and_then_to_hold_again() -> None:
    listening = lived(Listening.up_to(300), 0.2, news=False)
    assert listening.wanted_s == 0
    for _ in range(TRIED_AGAIN_AFTER - 1):
        listening = rested(listening)
        assert listening.wanted_s == 0
    assert rested(listening).wanted_s == 300
