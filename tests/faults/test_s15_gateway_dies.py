"""S15. The gateway dies at each statement, commit and downstream call of its work; on both databases.

Whatever it was doing is begun again by the next process and by whoever asked for it: everything takes effect once, is
told once, and reaches the provincial platform once. Delivered without the outbox in the transaction of the act, or to a
platform that does not know a record by its name, the same reckoning finds loss and duplicates.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from city_gateway.acts import sorting
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.platform_port import DELIVERED_AT_ONCE, PlatformPort
from city_gateway.ledger import outbox
from tests.faults.dying_gateway import (
    BATCH,
    DELIVERING,
    RULING,
    SCAN,
    WAKING,
    Found,
    Platform,
    Work,
    World,
    deliver_by,
    one_death,
    one_kill,
    promises,
    reckon,
    send_it,
)
from tests.faults.tally import record

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

MOST_PLACES = 200
WORKS = [BATCH, WAKING, RULING, DELIVERING, SCAN]
NAMES = [work.name for work in WORKS]


@pytest.fixture
def world(tmp_path: Path, ledger_url: str) -> Iterator[World]:
    with contextlib.closing(World.founded(tmp_path / "gateway", ledger_url)) as made:
        yield made


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World.founded(tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}")) as made:
        yield made


def every_death(world: World, work: Work, step: int = 1) -> int:
    """Die at the first place, at the next, and so on until there is none; how many deaths there were."""
    deaths, at = 0, 1
    while at <= MOST_PLACES and one_death(world, work, at):
        deaths, at = deaths + 1, at + step
    assert at < MOST_PLACES
    return deaths


def tell(variant: str, trials: int, found: Found) -> None:
    record("S15", variant, trials, len(found.lost), len(found.duplicated), 0, len(found.phantom))


@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_a_gateway_that_dies_at_every_third_place_loses_nothing_and_does_nothing_twice(
    world: World, work: Work
) -> None:
    deaths = every_death(world, work, step=3)
    assert deaths >= 3
    found = reckon(world)
    tell(f"{work.name}, {world.url.partition(':')[0]}", deaths, found)
    assert found.is_good, found


@pytest.mark.full
@pytest.mark.parametrize("work", WORKS, ids=NAMES)
def test_a_gateway_that_dies_at_every_place(world: World, work: Work) -> None:
    deaths = every_death(world, work)
    assert deaths >= 9
    found = reckon(world)
    tell(f"every place: {work.name}, {world.url.partition(':')[0]}", deaths, found)
    assert found.is_good, found


@pytest.mark.parametrize("work", [BATCH, RULING], ids=[BATCH.name, RULING.name])
def test_a_real_sigkill_does_no_harm_either(world: World, work: Work) -> None:
    kills = sum(one_kill(world, work, at) for at in (3, 9))
    assert kills == 2
    found = reckon(world)
    tell(f"SIGKILL: {work.name}, {world.url.partition(':')[0]}", kills, found)
    assert found.is_good, found


@pytest.mark.full
@pytest.mark.parametrize("work", [BATCH, WAKING, RULING, SCAN], ids=[w.name for w in (BATCH, WAKING, RULING, SCAN)])
def test_a_real_sigkill_at_every_place(world: World, work: Work) -> None:
    at = 1
    while at <= MOST_PLACES and one_kill(world, work, at):
        at += 1
    found = reckon(world)
    tell(f"SIGKILL everywhere: {work.name}, {world.url.partition(':')[0]}", at - 1, found)
    assert found.is_good, found


# --- the protections, taken away --------------------------------------------------------------------------------------


def promised_afterwards(world: World, monkeypatch: pytest.MonkeyPatch) -> Work:
    """The promise is written after the act was committed, in a transaction of its own."""
    promise = outbox.promise
    kept_back: list[tuple[object, ...]] = []
    monkeypatch.setattr(sorting.outbox, "promise", lambda _tx, records, now: kept_back.append((list(records), now)))

    def send_and_promise(where: World, gateway: Gateway, before: int) -> None:
        kept_back.clear()
        send_it(where, gateway, before)
        for records, now in kept_back:
            gateway.ledger.run(lambda tx, records=records, now=now: promise(tx, records, now))

    return Work("promised afterwards", BATCH.prepare, send_and_promise)


def test_without_the_outbox_in_the_transaction_of_the_act_the_platform_never_hears_of_some(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = every_death(sqlite_world, promised_afterwards(sqlite_world, monkeypatch))
    found = reckon(sqlite_world)
    tell("control: promised outside the transaction", places, found)
    assert found.lost
    assert not found.phantom


def ticked_off_first(gateway: Gateway, port: PlatformPort) -> int:
    """Marked as delivered and committed, then delivered."""

    def act(tx: Connection) -> list[outbox.PlatformRecord]:
        waiting = outbox.undelivered(tx, DELIVERED_AT_ONCE)
        outbox.delivered(tx, [number for number, _ in waiting], gateway.clock())
        return [one for _, one in waiting]

    records = gateway.ledger.run(act)
    if records:
        port.deliver(records)
    return len(records)


def test_ticked_off_before_it_is_delivered_a_record_is_lost(sqlite_world: World) -> None:
    places = every_death(sqlite_world, Work("ticked off first", promises, deliver_by(ticked_off_first)))
    found = reckon(sqlite_world)
    tell("control: ticked off before delivery", places, found)
    assert found.lost


def test_a_platform_that_does_not_know_a_record_by_its_name_hears_some_twice(sqlite_world: World) -> None:
    sqlite_world.platform = Platform(knows_names=False)
    places = every_death(sqlite_world, DELIVERING)
    found = reckon(sqlite_world)
    tell("control: records without a name", places, found)
    assert found.duplicated
