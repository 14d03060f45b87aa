"""S09. A node's disk is put back from an old image: a new identity is forced, nothing that was synced is lost.

What lived only on the disk that was overwritten (saved after the image, never sent) is gone with that disk and excused;
everything else is at the city once, what the machine forgot comes back to its screen, and what it saved since the
image was put back goes on under unchanged op_ids. Without fork detection, and with op_ids that change, the same
reckoning finds harm.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from city_gateway.acts.outline import outline
from city_gateway.ledger import nodes
from tests.city_gateway.gateway_fixtures import City
from tests.faults.set_back_town import Founded, fork_goes_unnoticed, found, op_ids_change, opened
from tests.faults.tally import record
from tests.simulators.whole_node import Reckoning, Saved, WholeNode, reckon

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

EVERYDAY, FULL = 5, 200


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return found(tmp_path_factory.mktemp("s09"))


@dataclass
class SetBack:
    """A machine whose disk is an old image now, and what was saved before, since the image, and is excused."""

    city: City
    node: WholeNode
    before: list[Saved]
    gone: list[Saved]


async def lives_on_and_is_set_back(city: City, node: WholeNode, folder: Path, rng: random.Random) -> SetBack:
    """Work, an image, more work of which some is sent, then the image is put back."""
    node.work(rng, rng.randrange(0, 3))
    if rng.random() < 0.5:
        await node.contact()
    node.stop()
    image = node.image(folder / "image")
    node.start()
    on_the_image = list(node.diary)
    node.work(rng, rng.randrange(1, 4))
    await node.drain()
    if rng.random() < 0.7:
        node.work(rng, rng.randrange(1, 3))  # never sent: it lives on this disk alone
    before = list(node.diary)
    node.stop()
    node.set_back(image)
    effects = {entry["op_id"] for case in outline(city.gateway.ledger) for entry in case["entries"]}
    gone = [one for one in before if one not in on_the_image and one.op_id not in effects]
    node.diary = [one for one in before if one not in gone]
    node.start()
    return SetBack(city, node, before, gone)


async def a_trial(founded: Founded, folder: Path, seed: int) -> Reckoning:
    rng = random.Random(seed)
    async with opened(founded, folder) as (city, node):
        back = await lives_on_and_is_set_back(city, node, folder, rng)
        identity = node.node_id
        node.work(rng, rng.randrange(0, 2))
        await node.drain()
        assert node.stopped is not None, "a machine that was set back goes on as if nothing had been"
        forgotten = {one.application_id for one in back.before} - {one.application_id for one in back.gone}
        node.stop()
        node.enrolled_anew()
        node.start()
        node.work(rng, 1, new=1.0)
        await node.drain()
        await node.drain()
        with city.gateway.ledger.reading() as tx:
            old = nodes.find(tx, identity)
        assert old is not None
        assert old.standing == nodes.STOPPED
        assert node.node_id != identity
        assert set(node.standings()) >= forgotten, "what the machine forgot has not come back to its screen"
        receipts = [case["receipt_no"] for case in outline(city.gateway.ledger)]
        assert len(set(receipts)) == len(receipts), "a number that the machine forgot was given out again"
        found_after = reckon(city, [node], [*back.before, *node.diary], back.gone)
        node.stop()
    return found_after


async def many(founded: Founded, tmp_path: Path, trials: int, variant: str) -> None:
    bad: dict[int, Reckoning] = {}
    sums = {"lost": 0, "duplicated": 0, "false_sent": 0, "phantom": 0}
    for seed in range(trials):
        came = await a_trial(founded, tmp_path / str(seed), seed)
        for name in sums:
            sums[name] += len(getattr(came, name))
        if not came.is_good:
            bad[seed] = came
    record("S09", variant, trials, **sums)
    assert bad == {}


async def test_a_node_from_an_old_image_gets_a_new_identity_and_loses_nothing_that_was_synced(
    founded: Founded, tmp_path: Path
) -> None:
    await many(founded, tmp_path, EVERYDAY, "old image")


@pytest.mark.full
@pytest.mark.timeout(7200)
async def test_two_hundred_old_images(founded: Founded, tmp_path: Path) -> None:
    await many(founded, tmp_path, FULL, "old image, 200")


async def test_an_image_from_just_now_is_no_fork(founded: Founded, tmp_path: Path) -> None:
    async with opened(founded, tmp_path) as (city, node):
        node.work(random.Random(1), 2)
        await node.drain()
        node.stop()
        node.set_back(node.image(tmp_path / "image"))
        node.start()
        node.work(random.Random(2), 2)
        await node.drain()
        assert node.stopped is None
        assert reckon(city, [node], node.diary).is_good
        node.stop()


async def unprotected(founded: Founded, folder: Path, *, re_enrol: bool) -> Reckoning:
    """The same life with a protection taken away."""
    rng = random.Random(4)
    async with opened(founded, folder) as (city, node):
        first = min(node.standings())
        for _ in range(2):
            node.stop_or_resume(first)
        await node.drain()
        back = await lives_on_and_is_set_back(city, node, folder, rng)
        for _ in range(2):
            if node.stopped is None:
                node.stop_or_resume(first)
        for _ in range(3):
            await node.contact()
        if re_enrol:
            node.stop()
            node.enrolled_anew()
            node.start()
            for _ in range(3):
                await node.contact()
        came = reckon(city, [node], [*back.before, *node.diary], back.gone)
        node.stop()
    return came


async def test_without_fork_detection_what_is_saved_after_the_image_is_lost(
    founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_goes_unnoticed(monkeypatch)
    came = await unprotected(founded, tmp_path, re_enrol=False)
    record("S09", "control: no fork detection", 1, len(came.lost), len(came.duplicated), len(came.false_sent))
    assert came.lost, came


async def test_with_op_ids_that_change_what_was_synced_takes_effect_twice(
    founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    op_ids_change(monkeypatch)
    came = await unprotected(founded, tmp_path, re_enrol=True)
    record("S09", "control: op_ids change", 1, len(came.lost), len(came.duplicated), phantom=len(came.phantom))
    assert came.duplicated or came.phantom, came
