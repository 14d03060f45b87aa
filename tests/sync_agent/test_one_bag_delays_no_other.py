"""A bag that the city does not take now (a stranger's, or of an identity that is long over) delays no other village."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_store.relay.bags import Bags
from sync_agent.forwarding import REST_S, STUCK_MOST, Forwarder
from sync_agent.uplink import Answer
from wire.keys import SigningKey

pytestmark = pytest.mark.node

STRANGER, VILLAGE, OTHER = "a" * 32, "b" * 32, "c" * 32
NOT_NOW = 401


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
