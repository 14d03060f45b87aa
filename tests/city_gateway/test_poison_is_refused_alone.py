"""Whatever an operation contains: it is stored and refused alone, and the rest of its batch goes on."""

from __future__ import annotations

import os
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from casework.record import event_to_plain
from city_gateway.acts import opening, scan_shelf
from city_gateway.acts.casebook import Casebook
from city_gateway.ledger import cases
from city_gateway.ledger.tables import JOURNAL, OPERATIONS
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, Refused, results
from wire.envelope import Kind
from wire.errors import NotCanonical

pytestmark = pytest.mark.fault
NAMES = ["/dev/tty", "../../keys/signing.key", "..", "a\0b", "x" * 300_000, "", "A" * 64]
VALUES = [None, 2**63, 2**70, -1, 1e308, "", "a\0b", "\ud800", "x" * 300_000, [], {}, [[]], "9999-12-31T23:59:59+00:00"]


def poisoned(village: EnrolledNode, path: tuple[Any, ...], value: object) -> bytes:
    """A collect with one value of it replaced."""
    plain: Any = event_to_plain(village.collected(village.sealed_scan(b"x")))
    where = plain
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = value
    operation = village.operation(application_id=os.urandom(16).hex())
    return village.seal(operation.model_copy(update={"events": [plain]}))


def standings(city: City) -> list[str]:
    with city.gateway.ledger.reading() as tx:
        return list(tx.execute(sa.select(JOURNAL.c.standing).order_by(JOURNAL.c.seq)).scalars())


def known(city: City, application_id: str) -> bool:
    with city.gateway.ledger.reading() as tx:
        return cases.find(tx, application_id) is not None


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
async def test_no_file_is_opened_under_a_name_that_is_no_hash(
    city: City, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = await city.enrol()
    bad = poisoned(village, ("scans", 0, "scan_hash"), name)
    last_id, last = village.collect()
    feed = (await village.exchange(bad, last)).feed
    assert results(feed) == ["refused", "applied"]
    assert known(city, last_id)
    opened: list[object] = []
    monkeypatch.setattr("pathlib.Path.open", lambda path, *_: opened.append(path))
    assert (scan_shelf.keys_of(city.gateway, [name]), scan_shelf.stored(city.gateway, [name])) == ({}, [])
    assert opened == []


async def test_every_value_that_does_not_fit_is_refused_alone(city: City) -> None:
    village = await city.enrol()
    places = [("receipt_no",), ("site",), ("catalog_version",), ("scans", 0, "length"), ("scans", 0, "page")]
    places += [("handed_in", 0, "copies"), ("at",), ("by", "clerk_id"), ("form", "applicant_name"), ("item_id",)]
    sent = []
    for place in places:
        for value in VALUES:
            head, journal = village.head, list(village.journal)
            try:
                sent.append(poisoned(village, place, value))
            except NotCanonical:
                village.head, village.journal = head, journal  # no node can write this
    last_id, last = village.collect()
    feed = await village.everything(*sent, last)
    assert len(feed) == len(sent) + 1
    assert (feed[-1].result, known(city, last_id)) == ("applied", True)
    assert "refused" in results(feed)


async def test_an_operation_that_the_database_does_not_take_is_refused_and_the_rest_goes_on(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = await city.enrol()
    first_id, first = village.collect()
    bad_id, bad = village.collect()
    last_id, last = village.collect()
    as_it_is = cases._row

    def overflowing(case, now):
        overflow = {"case_seq": 2**70} if case.application.application_id == bad_id else {}
        return as_it_is(case, now) | overflow

    with monkeypatch.context() as broken:
        broken.setattr(cases, "_row", overflowing)
        feed = await village.everything(first, bad, last)
    assert results(feed) == ["applied", "refused", "applied"]
    assert feed[1].refusal is not None
    assert feed[1].refusal.code == opening.MALFORMED
    assert [known(city, one) for one in (first_id, bad_id, last_id)] == [True, False, True]
    assert standings(city) == ["effective", "unreadable", "effective"]
    assert (await village.exchange(bad)).receipt.hwm == 3


async def test_a_defect_while_applying_is_refused_and_leaves_nothing_half_done(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = await city.enrol()
    bad_id, bad = village.collect()
    last_id, last = village.collect()
    as_it_is = Casebook.move_by_node

    def defective(self, application_id, *args, **kwargs):
        found = as_it_is(self, application_id, *args, **kwargs)
        if application_id == bad_id:
            raise ZeroDivisionError
        return found

    monkeypatch.setattr(Casebook, "move_by_node", defective)
    assert results((await village.exchange(bad, last)).feed) == ["refused", "applied"]
    assert [known(city, one) for one in (bad_id, last_id)] == [False, True]


async def test_a_defect_while_reading_is_refused_too(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    village = await city.enrol()

    def deep(_body):
        raise RecursionError

    with monkeypatch.context() as broken:
        broken.setattr(opening, "read_operation", deep)
        assert results((await village.exchange(village.collect()[1])).feed) == ["refused"]
    assert results((await village.exchange(village.collect()[1])).feed) == ["applied"]


async def test_a_database_that_does_not_answer_refuses_nothing(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    village = await city.enrol()
    application_id, envelope = village.collect()

    def away(*_args, **_kwargs):
        raise OperationalError("", {}, OSError("disk full"))

    with monkeypatch.context() as broken:
        broken.setattr(cases, "append", away)
        with pytest.raises(Refused):
            await village.exchange(envelope)
    assert (standings(city), known(city, application_id)) == ([], False)
    assert results((await village.exchange(envelope)).feed) == ["applied"]


async def test_too_many_scans_or_events_are_refused_before_they_cost_anything(city: City) -> None:
    village = await city.enrol()
    plain: Any = event_to_plain(village.collected(village.sealed_scan(b"x")))
    many = plain | {"scans": plain["scans"] * (opening.MOST_SCANS + 1)}
    sent = [
        village.seal(
            village.operation(application_id=os.urandom(16).hex()).model_copy(update={"events": events}),
            kind=Kind.OPERATION,
        )
        for events in ([many], [plain] * 60)
    ]
    feed = (await village.exchange(*sent)).feed
    assert [entry.refusal.params for entry in feed if entry.refusal] == [{"why": "size"}] * 2
    with city.gateway.ledger.reading() as tx:
        assert set(tx.execute(sa.select(OPERATIONS.c.result)).scalars()) == {"refused"}


async def test_a_feed_cursor_beyond_every_number_is_answered(city: City) -> None:
    village = await city.enrol()
    assert (await village.exchange(feed_cursor=2**70)).feed == []
