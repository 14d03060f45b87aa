"""S11. A node is away for 30, 90 or 365 days and works on; then everything arrives, and at most one person has to act.

Meanwhile the enrolment document ends, the catalog expires, its root is renewed several times, the city's sealing key
is rotated, and the gateway is upgraded twice. Nothing that is done at the counter depends on any of it. The diary of
what was called saved lies outside the node; lost, duplicated, phantom and shown-as-sent are all 0.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from city_gateway.acts import enrol as enrolling
from city_gateway.acts import renewal
from edge_node.acts.status import status
from offline_store.desk import catalog, journal
from offline_store.node_file import read_node_file
from tests.city_gateway.gateway_fixtures import City, city_in
from tests.faults.tally import record
from tests.faults.years_away import Publisher, entry_of_another_version, newer_gateway, older_gateway, served_from
from tests.simulators.whole_node import Reckoning, Saved, WholeNode, passes, reckon
from wire.envelope import read_header
from wire.keys import key_id

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

OPERATIONS, OPERATIONS_FULL = 20, 5000  # the everyday run has three spans
ROOTS_RENEWED = 3
NOBODY = 0


@dataclass
class Away:
    """A city and a village whose line is cut, and how often a person had to act."""

    city: City
    node: WholeNode
    publisher: Publisher
    people: int = 0

    async def is_away(self, days: int, operations: int, rng: random.Random) -> None:
        """Work, spread over these days; in their middle the city rotates, renews and publishes."""
        for number in range(operations):
            passes(self.city, self.node, days=days / operations)
            self.node.work(rng, 1, new=0.05)
            self.node.village.mail.turn()
            if number == operations // 2:
                self.publisher.rotate_sealing()
                self.publisher.renew_root(self.city.clock(), ROOTS_RENEWED)
        self.publisher.publish(self.city.clock())

    async def comes_back(self, contacts: int = 12) -> None:
        """The line is there again; a person comes only when the city says that there must be one."""
        for _ in range(contacts):
            heard = await self.node.contact()
            if heard is not None and heard.why == "enrolment.over":
                self.people += 1
                self.node.stop()
                self.node.enrolled_anew()
                self.node.start()
            if heard is not None and heard.ok and not self.node.waiting():
                return

    def reckoning(self, known: list[Saved] | None = None) -> Reckoning:
        return reckon(self.city, [self.node], known or self.node.diary)


@asynccontextmanager
async def village(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, valid_days: float = 730, catalog_too: bool = True
) -> AsyncIterator[Away]:
    """A village that has just been enrolled and has sent its first application."""
    folder = tmp_path / "gateway"
    async with city_in(folder, f"sqlite:///{folder / 'ledger.db'}") as city:
        publisher = Publisher(folder)
        if catalog_too:
            publisher.begin(city.clock())
            served_from(folder, monkeypatch, city.clock)
        with monkeypatch.context() as patch:
            patch.setattr(enrolling, "VALID_FOR", timedelta(days=valid_days))
            patch.setattr(renewal, "RENEWED_BEFORE", timedelta(0))  # so that it goes away with a short one
            node = WholeNode.founded(city, tmp_path / "node", catalog=not catalog_too)
            await node.contact()
            node.collect()
            await node.drain()
        yield Away(city, node, publisher)
        node.stop()


@pytest.mark.parametrize("days", [30, 90, 365])
async def test_everything_arrives_and_nobody_has_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    await a_span(tmp_path, monkeypatch, days, OPERATIONS)


@pytest.mark.full
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("days", [30, 90, 365])
async def test_five_thousand_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    await a_span(tmp_path, monkeypatch, days, OPERATIONS_FULL)


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(27))
async def test_many_spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    await a_span(tmp_path, monkeypatch, (30, 90, 365)[seed % 3], 60, seed=seed)


async def a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, operations: int, *, seed: int = 0) -> None:
    async with village(tmp_path, monkeypatch, valid_days=days / 2) as away:
        node, until = away.node, away.node.village.counter.node.valid_to
        before = catalog_version(node)
        await away.is_away(days, operations, random.Random(seed))
        assert away.city.clock() > until, "the document has ended"
        newer_gateway(monkeypatch)
        entry_of_another_version(away.city, node.node_id)
        await away.comes_back(contacts=12 + operations // 50)
        came = away.reckoning()
        record("S11", f"{days} days, {operations} operations", 1, *counts(came))
        assert came.is_good, came
        assert away.people == NOBODY
        renewed = read_node_file(node.paths.enrolment)
        assert renewed.valid_to > away.city.clock() + timedelta(days=600)
        assert renewed == node.village.counter.node, "taken up without a restart"
        assert renewed.node_id == node.node_id
        assert catalog_version(node) == before + 1
        assert "feed_not_understood" in status(node.village.counter).alarms, "what cannot be read is told"
        new = node.collect()
        await node.drain()
        assert recipients_of(node, new.op_id) == newest_of(away.city), "sealed to the newest key it knows"
        assert away.reckoning().is_good


async def test_a_document_that_ended_more_than_400_days_ago_costs_one_visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with village(tmp_path, monkeypatch, valid_days=1) as away:
        passes(away.city, away.node, days=40)
        await away.is_away(365, OPERATIONS, random.Random(2))
        await away.comes_back()
        came = away.reckoning()
        record("S11", "365 days, document too old to renew", 1, *counts(came))
        assert came.is_good, came
        assert away.people == 1


async def test_without_renewal_a_second_absence_costs_a_visit_that_renewal_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = {}
    for renewing in (True, False):
        with monkeypatch.context() as patch:
            if not renewing:
                patch.setattr(renewal, "renewed", lambda *_asked: None)
            async with village(tmp_path / str(renewing), patch, valid_days=60, catalog_too=False) as away:
                for away_for in (120, 450):  # the document, of 60 days, is renewed at the first contact, or it is not
                    for _ in range(3):
                        passes(away.city, away.node, days=away_for / 3)
                        away.node.work(random.Random(3), 1)
                    await away.comes_back()
                people[renewing] = away.people
                assert away.reckoning().is_good
    record("S11", "control: without renewal (visits that became necessary)", 1, people[False], 0)
    assert people == {True: 0, False: 1}


async def test_a_new_node_and_an_old_gateway_understand_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older_gateway(monkeypatch)
    async with village(tmp_path, monkeypatch, catalog_too=False) as away:
        passes(away.city, away.node, days=90)
        away.node.work(random.Random(4), 4)
        await away.comes_back()
        assert away.reckoning().is_good
        assert away.people == NOBODY


async def test_a_draft_begun_before_the_year_is_collected_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_node.acts import collecting, drafting

    async with village(tmp_path, monkeypatch, valid_days=100) as away:
        node = away.node
        draft_id = node.village.filled("GA-YB-004")
        begun_on = drafting.show(node.village.counter, node.village.who, draft_id).catalog_version
        await away.is_away(365, 2, random.Random(5))
        await away.comes_back()
        assert catalog_version(node) == begun_on + 1
        slip = collecting.collect(node.village.counter, node.village.who, draft_id)
        node._note(slip.application_id, draft_id)
        await node.drain()
        assert away.reckoning().is_good


def counts(came: Reckoning) -> tuple[int, int, int, int]:
    return len(came.lost), len(came.duplicated), len(came.false_sent), len(came.phantom)


def catalog_version(node: WholeNode) -> int:
    with node.village.counter.desk.reading() as tx:
        active = catalog.active(tx)
    assert active is not None
    return active.version


def recipients_of(node: WholeNode, op_id: str) -> tuple[bytes, ...]:
    with node.village.counter.desk.reading() as tx:
        link = journal.by_op(tx, op_id)
    assert link is not None
    return read_header(link.envelope).recipients


def newest_of(city: City) -> tuple[bytes, ...]:
    return (key_id(city.gateway.keys.newest_sealing.public),)
