"""S13: a relay in hostile hands: nothing counts as sent that is not, nothing is lost or doubled, nothing is read."""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import tally
from tests.simulators.hostile_relay import HostileRelay
from tests.simulators.post import effects
from tests.simulators.relayed import Relayed, relayed
from wire.bundle import DownInventory, bundle_id, open_body, write_body
from wire.canonical import b64, unb64
from wire.receipt import Receipt

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]

STEPS = 4
STRANGER = "ab" * 16
IN_ONE_WORLD = 9


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Relayed]:
    async with relayed(tmp_path) as made:
        yield made


async def history(world: Relayed, hostile: HostileRelay) -> tuple[int, int]:
    """Some days with a hostile relay, then a quiet one; false words believed and plain words read on the way."""
    false, read = 0, 0
    for _ in range(STEPS):
        if hostile.rng.random() < 0.5:
            world.post.file(*([os.urandom(hostile.rng.randrange(1, 30_000))] if hostile.rng.random() < 0.5 else []))
        await world.hand_over()
        hostile.act()
        read += hostile.reads()
        await world.forward()
        if hostile.rng.random() < 0.5:
            hostile.act()
        await world.hand_over()
        false += world.false_words()
        if hostile.rng.random() < 0.3:
            hostile.rest()
        if hostile.rng.random() < 0.1:
            world.restart()
        world.later(minutes=hostile.rng.randrange(1, 500))
    hostile.rest()
    world.later(hours=7)
    await world.drain()
    return false, read


def doubled(world: Relayed) -> int:
    found = effects(world.post.city.gateway.ledger)
    return len(found) - len(set(found))


@pytest.mark.parametrize(
    "trials", [pytest.param(25, id="everyday"), pytest.param(500, id="full", marks=pytest.mark.full)]
)
async def test_nothing_counts_as_sent_that_is_not_and_everything_arrives_once(tmp_path: Path, trials: int) -> None:
    false = read = twice = lost = 0
    for begun in range(0, trials, IN_ONE_WORLD):  # a new world now and then: the reckoning grows with what was filed
        async with relayed(tmp_path / str(begun)) as world:
            hostile = HostileRelay(world, random.Random(begun))
            for _ in range(min(IN_ONE_WORLD, trials - begun)):
                said, seen = await history(world, hostile)
                false, read = false + said, read + seen
            world.post.everything_arrived_once()
            twice += doubled(world)
            lost += len(set(world.post.filed)) - len(_applications(world))
    tally.record("S13", "hostile relay", trials, lost, twice, false_sent=false)
    assert (false, read, twice, lost) == (0, 0, 0, 0)


def _applications(world: Relayed) -> set[str]:
    from city_gateway.acts.outline import outline

    return {case["application_id"] for case in outline(world.post.city.gateway.ledger)}


async def test_each_hostile_act_alone_is_harmless(world: Relayed) -> None:
    hostile = HostileRelay(world, random.Random(13))
    world.post.file(b"first")
    await world.drain()
    hostile.act()
    for act in hostile.acts:
        hostile.rest()
        world.later(minutes=11)
        world.post.file(os.urandom(2_000))
        before = world.post.believed()
        await world.hand_over()
        act()
        await world.hand_over()
        assert world.false_words() == 0, act.__name__
        receipts = world.post.believed()[:3]
        assert receipts == before[:3], act.__name__
    hostile.rest()
    world.later(hours=7)
    await world.drain()
    world.post.everything_arrived_once()
    assert hostile.reads() == 0


async def test_a_strangers_bag_is_refused_once_and_carried_no_further(world: Relayed) -> None:
    world.post.file(b"ours")
    await world.hand_over()
    (bag,) = world.bags.waiting()
    body = bag.path.read_bytes()
    document, parts = open_body(body, len(body))
    document["payload"] = b64(unb64(document["payload"]).replace(bag.node_id.encode(), STRANGER.encode()))
    world.bags.put_up(STRANGER, bundle_id(document), write_body(document, parts))
    forwarded = await world.forward()
    assert (forwarded.bags, forwarded.refused, world.bags.waiting()) == (1, 1, [])
    assert forwarded.why == "courier.bag_of_nobody"
    await world.drain()
    world.post.everything_arrived_once()


async def test_control_a_village_that_believes_unsigned_receipts_is_deceived(
    world: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gullible(document: Any, _public: bytes, **_: object) -> Receipt:
        return Receipt.model_validate_json(unb64(document["payload"]))

    def trusting(document: Any, _public: bytes, **_: object) -> DownInventory:
        return DownInventory.model_validate_json(unb64(document["payload"]))

    monkeypatch.setattr("sync_agent.arriving.read_receipt", gullible)
    monkeypatch.setattr("sync_agent.arriving.read_down", trusting)
    hostile = HostileRelay(world, random.Random(1))
    world.post.file(b"page")
    hostile.forge()
    await world.hand_over()
    tally.record("S13", "control: unsigned words believed", 1, 0, 0, false_sent=world.false_words())
    assert world.false_words() > 0, "the same look finds what a village must never believe"


async def test_the_relay_holds_nothing_but_sealed_bytes_and_names_of_nodes(world: Relayed) -> None:
    world.post.file(os.urandom(20_000))
    await world.hand_over()
    (bag,) = world.bags.waiting()
    document = json.loads(bag.path.read_bytes()[4:].split(b"}", 1)[0] + b"}")
    told = json.loads(unb64(document["payload"]))
    assert set(told) == {
        *("v", "node", "gateway", "number", "made_at", "first", "last", "head_hash", "feed_cursor", "feed_hash"),
        *("scans_asking", "scans_wanted", "catalog_held", "enrolled_until", "report", "left", "parts"),
    }
    assert HostileRelay(world, random.Random(0)).reads() == 0
