"""S10. A node's disk is copied and both machines go on: found at the first conflicting push; nothing lost or twice.

Both machines keep working as if they were one; the city finds that the journal has two continuations, stops the
identity and says so to whoever speaks under it. Both are enrolled anew and send what is not safe under unchanged
op_ids, what they share included. Without fork detection, and with op_ids that change, the same reckoning finds harm.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from city_gateway.ledger import nodes
from edge_node.acts import collecting
from edge_node.acts.status import status
from edge_node.counter.errors import Stopped
from tests.city_gateway.gateway_fixtures import City
from tests.faults.set_back_town import Founded, fork_goes_unnoticed, found, op_ids_change, opened
from tests.faults.tally import record
from tests.simulators.whole_node import Reckoning, WholeNode, reckon
from wire.errors import FORK

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

EVERYDAY, FULL = 5, 200


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return found(tmp_path_factory.mktemp("s10"))


@asynccontextmanager
async def two_machines(
    founded: Founded, folder: Path, rng: random.Random
) -> AsyncIterator[tuple[City, list[WholeNode]]]:
    """A node with some work that the city does not have yet, and its clone with the same."""
    async with opened(founded, folder) as (city, node):
        node.work(rng, rng.randrange(0, 3))
        if rng.random() < 0.5:
            await node.contact()
        node.stop()
        clone = node.clone(folder / "clone")
        for machine in (node, clone):
            machine.start()
        yield city, [node, clone]
        for machine in (node, clone):
            machine.stop()


async def work_apart(rng: random.Random, machines: list[WholeNode]) -> None:
    """Both work and talk in any order until both know that they are stopped."""
    for _ in range(rng.randrange(1, 4)):
        machine = rng.choice(machines)
        if machine.stopped is None:
            machine.work(rng, rng.randrange(1, 3))
        if rng.random() < 0.5:
            await machine.contact()
    for machine in machines:
        if machine.stopped is None:
            machine.work(rng, 1)


async def a_trial(founded: Founded, folder: Path, seed: int) -> Reckoning:
    rng = random.Random(seed)
    async with two_machines(founded, folder, rng) as (city, machines):
        await work_apart(rng, machines)
        saved = [*machines[0].diary, *machines[1].diary]
        for machine in (*machines, *machines):  # the first may speak before the conflict, so each speaks twice
            await machine.drain()
        identity = machines[0].node_id
        with city.gateway.ledger.reading() as tx:
            stopped = nodes.find(tx, identity)
        assert stopped is not None
        assert stopped.stopped_for == FORK, "the city has not found it"
        for machine in machines:
            assert machine.stopped is not None, "a machine does not know that it is stopped"
            assert "forked" in status(machine.village.counter).alarms
            draft_id = machine.village.filled("GA-YB-004")
            with pytest.raises(Stopped):
                collecting.collect(machine.village.counter, machine.village.who, draft_id)
            machine.stop()
            machine.enrolled_anew()
            machine.start()
            assert machine.stopped is None
            again = collecting.collect(machine.village.counter, machine.village.who, draft_id)
            saved.append(machine._note(again.application_id, again.application_id))
        for machine in (*machines, *machines):
            await machine.drain()
        assert len({machine.node_id for machine in machines} | {identity}) == 3
        receipts = {one.application_id: one.receipt_no for one in saved}
        for machine in machines:
            assert set(machine.standings()) >= set(receipts), "each sees what the other did at their counter"
        found_after = reckon(city, machines, saved)
        new = [one.receipt_no for one in saved[-2:]]
        assert len(set(new)) == 2, "two machines of one counter gave out the same number"
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
    record("S10", variant, trials, **sums)
    assert bad == {}


async def test_a_clone_is_found_at_the_first_conflicting_push_and_both_go_on(founded: Founded, tmp_path: Path) -> None:
    await many(founded, tmp_path, EVERYDAY, "cloned node")


@pytest.mark.full
@pytest.mark.timeout(7200)
async def test_two_hundred_clones(founded: Founded, tmp_path: Path) -> None:
    await many(founded, tmp_path, FULL, "cloned node, 200")


async def test_the_first_push_that_conflicts_is_the_one_that_is_refused(founded: Founded, tmp_path: Path) -> None:
    async with two_machines(founded, tmp_path, random.Random(3)) as (_city, (node, clone)):
        node.work(random.Random(1), 1)
        await node.drain()
        clone.work(random.Random(2), 1)
        heard = await clone.contact()
        assert heard is not None
        assert heard.why in {"fork", "chain.fork"}
        assert clone.rounds.halted
        assert clone.stopped is not None
        assert node.stopped is None, "it has not spoken since"
        heard = await node.contact()
        assert heard is not None
        assert heard.why == "fork"
        assert node.stopped is not None


async def test_without_fork_detection_the_same_day_loses_what_was_saved(
    founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_goes_unnoticed(monkeypatch)
    lost = await unprotected(founded, tmp_path, re_enrol=False)
    record("S10", "control: no fork detection", 1, len(lost.lost), len(lost.duplicated), len(lost.false_sent))
    assert lost.lost, lost
    assert lost.false_sent, lost


async def test_with_op_ids_that_change_the_same_day_takes_effect_twice(
    founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    op_ids_change(monkeypatch)
    twice = await unprotected(founded, tmp_path, re_enrol=True)
    record("S10", "control: op_ids change", 1, len(twice.lost), len(twice.duplicated), phantom=len(twice.phantom))
    assert twice.duplicated, twice


async def unprotected(founded: Founded, folder: Path, *, re_enrol: bool) -> Reckoning:
    """The same two machines, with a protection taken away."""
    rng = random.Random(5)
    async with two_machines(founded, folder, rng) as (city, machines):
        for machine in machines:
            machine.work(rng, 3)
        saved: list[Any] = [*machines[0].diary, *machines[1].diary]
        for machine in (*machines, *machines):
            await machine.contact()
        if re_enrol:
            for machine in machines:
                machine.stop()
                machine.enrolled_anew()
                machine.start()
        for machine in (*machines, *machines):
            for _ in range(3):
                await machine.contact()
        return reckon(city, machines, saved)
