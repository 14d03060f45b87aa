"""S05: poisoned operations at the head of a queue are refused with a reason, and everything behind them arrives in the
same pass, once; nobody asks again and again."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from casework.record import event_to_plain
from city_gateway.acts import quarantine
from city_gateway.acts.opening import Received
from city_gateway.acts.sorting import Sorted, Sorting
from tests.faults.tally import record
from tests.simulators.post import EXCHANGE, Post, effects, posted

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]

QUEUE, POISON_MOST = 50, 5
KINDS = (
    "an event nobody knows",
    "an act out of order",
    "another's application",
    "not an operation",
    "a wrong id",
    "one that sorting breaks on",
)
BREAKING = "511603106205-20261123-0666-K"
"""The receipt number of an application that is right in all, and on which the city's sorting fails."""


@pytest.fixture(autouse=True)
def _sorting_has_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the city's own, behind everything that reads and judges: only isolation is left against it."""
    as_it_is = Sorting._apply

    def breaks(self: Sorting, one: Received, application_id: str) -> int:
        case_seq = as_it_is(self, one, application_id)
        if any(getattr(event, "receipt_no", "") == BREAKING for event in one.events):
            raise RuntimeError("sorting broke after it had moved the application")
        return case_seq

    monkeypatch.setattr(Sorting, "_apply", breaks)


def poison(post: Post, kind: str, rng: random.Random) -> None:
    """Lay one envelope into the mailbox that the city can take in and never apply."""
    node, application_id = post.node, rng.randbytes(16).hex()
    if kind == "an event nobody knows":
        plain = event_to_plain(node.collected()) | {"event": "conjured"}
        operation = node.operation(application_id=application_id).model_copy(update={"events": [plain]})
        envelope = node.seal(operation)
    elif kind == "an act out of order":
        envelope = node.act(node.event("withdrawn", reason="样例"), application_id=application_id)
    elif kind == "another's application":
        envelope = node.act(node.collected(site="511603105201", township="511603105000"), application_id=application_id)
    elif kind == "one that sorting breaks on":
        envelope = node.act(node.collected(receipt_no=BREAKING), application_id=application_id)
    elif kind == "not an operation":
        envelope = node.seal(node.operation(application_id=None), body=os.urandom(200))
    else:
        wrong = node.operation(node.collected(), application_id=application_id)
        envelope = node.seal(wrong, body=b'{"v":1,"op_id":"' + b"0" * 32 + b'"}')
    post.outgoing.put_envelope(node.head.seq, envelope)


async def one_queue(post: Post, rng: random.Random) -> list[str]:
    """A queue with poison in front, one of it such that sorting breaks; one pass; what is wrong comes back."""
    bad = rng.randint(1, POISON_MOST)
    said_before = len(list(post.incoming.feed()))
    for kind in [KINDS[-1], *rng.choices(KINDS, k=bad - 1)]:
        poison(post, kind, rng)
    fresh = [post.file() for _ in range(QUEUE - bad)]
    asked_before = len(post.road.passed)
    heard = await post.rounds.make_one()
    asked = sum(one.path == EXCHANGE for one in post.road.passed[asked_before:])
    entries = [post.node.open_feed(data) for _, data in post.incoming.feed()][said_before:]
    applied = {entry.application_id for entry in entries if entry.result == "applied"}
    refused = [entry for entry in entries if entry.result == "refused"]
    found = [] if heard.ok else [f"the pass ended: {heard.why}"]
    found += [f"not delivered: {one}" for one in fresh if one not in applied]
    if len(refused) != bad or any(entry.refusal is None or not entry.refusal.code for entry in refused):
        found.append(f"{bad} poisoned, {len(refused)} refused with a reason")
    if asked > 4:
        found.append(f"asked {asked} times in one pass")
    ledger = effects(post.city.gateway.ledger)
    found += [f"twice: {one}" for one in set(ledger) if ledger.count(one) > 1]
    return found


async def run(folder: Path, queues: int) -> list[str]:
    broken: list[str] = []
    async with posted(folder) as post:
        for number in range(queues):
            broken += [f"queue {number}: {problem}" for problem in await one_queue(post, random.Random(number))]
    return broken


def counted(problems: list[str]) -> tuple[int, int]:
    """What is lost or otherwise wrong, and what had an effect twice."""
    twice = sum(": twice: " in problem for problem in problems)
    return len(problems) - twice, twice


async def judge(folder: Path, queues: int) -> None:
    broken = await run(folder, queues)
    record("S05", "sqlite", queues, *counted(broken))
    assert broken == []


async def test_poison_at_the_head_delays_nothing_behind_it(tmp_path: Path) -> None:
    await judge(tmp_path, 6)


@pytest.mark.full
async def test_poison_at_the_head_of_a_hundred_queues_delays_nothing_behind_it(tmp_path: Path) -> None:
    await judge(tmp_path, 100)


async def test_a_city_that_sorts_nothing_apart_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: all is sorted together or not at all, so one that breaks holds up whatever came with it."""

    def together(batch: Sequence[Received], sort: Callable[[Sequence[Received]], Sorted], *_: object) -> list[Sorted]:
        return [sort(batch)]

    monkeypatch.setattr(quarantine, "sort_apart", together)
    broken = await run(tmp_path, 2)
    record("S05", "control: sorts nothing apart", 2, *counted(broken))
    assert any("not delivered" in problem for problem in broken)
