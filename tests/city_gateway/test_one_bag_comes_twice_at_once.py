"""One bag by two carriers at the same moment (a stick at the desk, a township's line): each delivery stands alone."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from city_gateway.acts.courier_in import OpenPart, Taken, take_in
from city_gateway.acts.pieces import ARRIVING, CARRIED, Arriving
from city_gateway.ledger import carried
from city_gateway.ledger.carried import CarriedBundle
from tests.city_gateway.gateway_fixtures import City
from tests.simulators.carriers import answer, carrying, out, read
from tests.simulators.post import Post
from tests.simulators.sticks import stick
from wire.bundle import SCAN, Part, UpInventory, part_of, read_up
from wire.stick import UP, bundles, read_inventory, read_part

pytestmark = pytest.mark.node
PATIENCE_S = 30.0


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path) as made:
        made.file(os.urandom(60_000), os.urandom(70_000))
        yield made


class Bag:
    """What a village put onto a stick, opened part by part as often as somebody brings it."""

    def __init__(self, post: Post, root: Path) -> None:
        out(post, root)
        self._medium = stick(root)
        (self._one,) = bundles(self._medium, UP)
        self.gateway = post.city.gateway
        self.document = read_inventory(self._medium, self._one)
        self.inventory: UpInventory = read_up(
            self.document, post.node.transport.public, gateway=self.gateway.keys.gateway_id
        )
        self.scans = [place for place, part in enumerate(self.inventory.parts, 1) if part.kind == SCAN]

    def read(self, place: int, part: Part) -> Iterator[bytes]:
        return read_part(self._medium, self._one, place, part)

    def brought(self, open_part: OpenPart | None = None) -> Taken:
        return take_in(self.gateway, self.document, open_part or self.read)


def waited(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S), "the other delivery never came so far"


async def test_neither_moves_what_the_other_is_still_writing(post: Post, tmp_path: Path) -> None:
    bag = Bag(post, tmp_path / "stick")
    begun, half_written, one_is_done = threading.Event(), threading.Event(), threading.Event()

    def ahead(place: int, part: Part) -> Iterator[bytes]:
        if place == bag.scans[-1]:
            begun.set()
            waited(half_written)
        return bag.read(place, part)

    def behind(place: int, part: Part) -> Iterator[bytes]:
        if place != bag.scans[0]:
            yield from bag.read(place, part)
            return
        waited(begun)
        whole = b"".join(bag.read(place, part))
        yield whole[: len(whole) // 2]
        half_written.set()
        waited(one_is_done)
        yield whole[len(whole) // 2 :]

    def first() -> Taken:
        try:
            return bag.brought(ahead)
        finally:
            one_is_done.set()

    one, other = await asyncio.gather(asyncio.to_thread(first), asyncio.to_thread(bag.brought, behind))
    assert (one.scans_whole, one.scans_in_part, one.operations_new) == (2, 0, 1)
    assert (other.scans_whole, other.scans_in_part, other.operations_new) == (2, 0, 0)
    assert staged(post.city) == []
    answer(post, tmp_path / "stick")
    read(post, tmp_path / "stick")
    post.everything_arrived_once()


async def test_neither_removes_what_the_other_has_staged(post: Post, tmp_path: Path) -> None:
    bag = Bag(post, tmp_path / "stick")
    staged_one, done = threading.Event(), threading.Event()

    def slow(place: int, part: Part) -> Iterator[bytes]:
        if place == bag.scans[-1]:
            staged_one.set()
            waited(done)
        return bag.read(place, part)

    def refused(place: int, part: Part) -> Iterator[bytes]:
        if place == bag.scans[-1]:
            raise OSError("the stick was pulled")
        return bag.read(place, part)

    def pulled() -> None:
        waited(staged_one)
        try:
            with pytest.raises(OSError, match="pulled"):
                bag.brought(refused)
        finally:
            done.set()

    taken, _ = await asyncio.gather(asyncio.to_thread(bag.brought, slow), asyncio.to_thread(pulled))
    assert (taken.scans_whole, taken.scans_in_part) == (2, 0)
    assert staged(post.city) == []


def staged(city: City) -> list[Path]:
    return list(city.gateway.folder.scan_parts.glob(f"*/{CARRIED}/{ARRIVING}-*"))


async def test_what_a_killed_delivery_left_is_removed_by_the_next_and_what_is_under_way_is_not(
    post: Post, tmp_path: Path
) -> None:
    gateway, node_id, data = post.city.gateway, post.node.document.node_id, b"a piece"
    part = part_of(SCAN, data, scan="5" * 64, total=len(data))

    def begun() -> Arriving:
        arriving = Arriving(gateway, node_id, "b" * 64)
        arriving.begin([part])
        arriving.take(1, part, [data])
        return arriving

    killed = begun()
    os.close(killed._lock)  # what the kernel does with the lock of a program that is killed
    killed._lock = None
    under_way = begun()
    assert len(staged(post.city)) == 1
    begun().drop()
    assert [folder.name for folder in staged(post.city)] == [under_way._folder.name]
    under_way.drop()
    assert staged(post.city) == []


async def test_a_bag_remembered_by_two_at_once_is_remembered_once(city: City) -> None:
    both_looked = threading.Barrier(2, timeout=PATIENCE_S)
    bundle = CarriedBundle("b" * 64, "a" * 32, 1, datetime(2026, 11, 23, tzinfo=UTC), "{}")

    def remember() -> None:
        both_looked.wait()
        city.gateway.ledger.run(lambda tx: carried.remember(tx, bundle))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "known", lambda *_: False)  # both looked before either wrote
        await asyncio.gather(*(asyncio.to_thread(remember) for _ in range(2)))
    with city.gateway.ledger.reading() as tx:
        assert carried.known(tx, bundle.bundle_id)
        assert carried.senders(tx) == ["a" * 32]
