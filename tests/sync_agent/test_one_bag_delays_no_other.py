"""A bag that the city does not take now (a stranger's, one whose request breaks) delays no other village, and says
nothing of the township's own line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from offline_store.relay.bags import Bags
from sync_agent.commands import app
from sync_agent.forwarding import LONGEST_REST_S, REST_S, STUCK_MOST, Forwarder
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Answer
from tests.city_gateway.gateway_fixtures import TOWNSHIP
from tests.simulators.flaky_road import FlakyRoad, Forward
from tests.simulators.post import SETTINGS, Post, posted
from wire.bundle import UpInventory, sign_up, write_body
from wire.enrolment import sign_enrolment
from wire.keys import SigningKey

pytestmark = pytest.mark.node

STRANGER, VILLAGE, OTHER = "a" * 32, "b" * 32, "c" * 32
NOT_NOW = 401
COURIER = "/v1/courier"


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)


class HandClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class DeafCity:
    """A city that takes none of these bags now; it remembers which were brought."""

    def __init__(self) -> None:
        self.brought: list[bytes] = []

    def fresh_nonce(self) -> str:
        return "0" * 32

    async def courier(self, body: bytes, nonce: str) -> Answer:
        self.brought.append(body)
        return Answer(NOT_NOW, {}, b"", nonce)


class BrokenRoad(DeafCity):
    """Every request with a bag breaks on the way."""

    async def courier(self, body: bytes, nonce: str) -> Answer:
        self.brought.append(body)
        raise httpx.ReadTimeout("no answer")


@pytest.fixture
def bags(tmp_path: Path) -> Bags:
    made = Bags(tmp_path / "relay")
    for node_id in (STRANGER, VILLAGE, OTHER):
        made.put_up(node_id, "f" * 64, node_id.encode())
    return made


def forwarder(bags: Bags, city: DeafCity, clock: HandClock) -> Forwarder:
    public = SigningKey.generate().public
    return Forwarder(city, bags, node_id="d" * 32, gateway_public=public, clock=clock)


async def test_what_is_not_taken_rests_alone_and_the_others_have_their_turn(bags: Bags) -> None:
    city, clock = DeafCity(), HandClock()
    carrying = forwarder(bags, city, clock)
    await carrying.forward(lambda: False)
    assert len(city.brought) == STUCK_MOST
    assert carrying.may_go(clock.now)  # the third has not been tried
    await carrying.forward(lambda: False)
    assert sorted(city.brought) == sorted(one.encode() for one in (STRANGER, VILLAGE, OTHER))
    assert not carrying.may_go(clock.now)
    assert len(bags.waiting()) == 3  # nothing is thrown away for an answer that nobody signed


async def test_a_bag_that_the_disk_cannot_read_rests_alone(bags: Bags) -> None:
    unreadable, *others = bags.waiting()
    unreadable.path.unlink()
    unreadable.path.mkdir()
    city, clock = DeafCity(), HandClock()
    await forwarder(bags, city, clock).forward(lambda: False)
    assert sorted(city.brought) == sorted(bag.node_id.encode() for bag in others)


async def test_it_is_tried_again_after_a_rest_that_grows(bags: Bags) -> None:
    city, clock = DeafCity(), HandClock()
    carrying = forwarder(bags, city, clock)
    for _ in range(2):
        await carrying.forward(lambda: False)
    clock.now = REST_S
    assert carrying.may_go(clock.now)
    for _ in range(2):
        await carrying.forward(lambda: False)
    assert len(city.brought) == 6
    clock.now += REST_S
    assert not carrying.may_go(clock.now)
    clock.now += REST_S
    assert carrying.may_go(clock.now)


async def test_a_request_that_breaks_ends_the_try_of_its_bag_and_the_next_has_its_turn(bags: Bags) -> None:
    road, clock = BrokenRoad(), HandClock()
    carrying = forwarder(bags, road, clock)
    forwarded = await carrying.forward(lambda: False)
    assert (forwarded.bags, forwarded.why) == (0, "ReadTimeout")
    assert len(set(road.brought)) == STUCK_MOST, "two broken requests in a row are the line: it is not tried with all"
    assert carrying.may_go(clock.now)
    await carrying.forward(lambda: False)
    assert len(set(road.brought)) == 3
    assert not carrying.may_go(clock.now)
    assert len(bags.waiting()) == 3


async def test_a_bag_whose_requests_keep_breaking_rests_longer_up_to_a_ceiling(bags: Bags) -> None:
    for bag in bags.waiting()[1:]:
        bags.forwarded(bag)
    road, clock = BrokenRoad(), HandClock()
    carrying = forwarder(bags, road, clock)
    rests = []
    for _ in range(12):
        await carrying.forward(lambda: False)
        begun = clock.now
        while not carrying.may_go(clock.now):
            clock.now += REST_S
        rests.append(clock.now - begun)
    assert rests[:3] == [REST_S, 2 * REST_S, 4 * REST_S]
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S


@asynccontextmanager
async def a_township(folder: Path) -> AsyncIterator[tuple[Post, Bags]]:
    """A township with a courier of its own, and the place where it keeps bags of villages."""
    async with posted(folder / "village") as village:
        township = await village.city.enrol("township", TOWNSHIP, "测试镇")
        paths = NodePaths(folder / "township")
        paths.create()
        write_node_file(paths.enrolment, sign_enrolment(township.document, village.city.gateway.keys.signing))
        road = FlakyRoad(httpx.ASGITransport(app=village.city.app, raise_app_exceptions=False))
        yield Post(village.city, township, paths, road, AgentSettings(**SETTINGS)), Bags(paths.relay)


async def test_why_a_bag_did_not_go_is_told_in_words_and_by_code_until_the_next_one_goes(tmp_path: Path) -> None:
    async with a_township(tmp_path) as (own, bags):
        bags.put_up(STRANGER, "f" * 64, bag_of(STRANGER, own))
        await own.rounds.make_one()
        assert bags.waiting() == []
        line = own.incoming.line()
        assert line is not None
        assert (line.up, line.last_error, line.relay_problem) == (True, None, "courier.bag_of_nobody")
        assert "市平台没有登记这个站点" in told_at(own)
        assert "（代码 courier.bag_of_nobody）" in told_at(own)
        bags.put_up(OTHER, "f" * 64, b"no bag at all")
        await own.rounds.make_one()
        line = own.incoming.line()
        assert line is not None
        assert line.relay_problem is not None
        assert "市平台没有收下；能再送的自动再送" in told_at(own)
        assert f"（代码 {line.relay_problem}）" in told_at(own)
        village = await own.city.enrol(site="511603106206")
        node_id = village.document.node_id
        bags.put_up(node_id, "f" * 64, bag_of(node_id, own, village.transport))
        await own.rounds.make_one()
        line = own.incoming.line()
        assert line is not None
        assert line.relay_problem is None
        assert bags.down(node_id) is not None
        assert "代转" not in told_at(own)


def told_at(post: Post) -> str:
    return CliRunner().invoke(app, ["status", "--root", str(post.paths.root)]).output


def bag_of(node_id: str, township: Post, key: SigningKey | None = None) -> bytes:
    """An empty bag in the name of a node, signed by it or by anybody."""
    inventory = UpInventory(
        node=node_id,
        gateway=township.city.gateway.keys.gateway_id,
        number=1,
        made_at=township.city.clock(),
        feed_cursor=0,
    )
    return write_body(sign_up(inventory, key or SigningKey.generate()), [])


async def test_a_bag_that_breaks_its_request_leaves_the_townships_own_line_up(tmp_path: Path) -> None:
    async with a_township(tmp_path) as (own, bags):
        for node_id in (STRANGER, OTHER):
            bags.put_up(node_id, "f" * 64, node_id.encode())

        async def breaks_the_first(request: httpx.Request, forward: Forward) -> httpx.Response:
            if request.url.path == COURIER and request.content == STRANGER.encode():
                raise httpx.ReadTimeout("cut by a proxy", request=request)
            return await forward(request)

        own.road.always(breaks_the_first)
        for _ in range(2):
            heard = await own.rounds.make_one()
            assert (heard.ok, heard.why) == (True, None)
        line = own.incoming.line()
        assert line is not None
        assert (line.up, line.last_error) == (True, None)
        assert [bag.node_id for bag in bags.waiting()] == [STRANGER], "the other had its turn and its signed answer"
