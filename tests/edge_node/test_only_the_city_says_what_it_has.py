"""Scans: only the gateway's signature says that the city holds one, and a restored city is given them again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from casework.application import Actor, ReturnPoint, Role
from casework.events import PreReviewStarted, ProvisionallyAccepted, Returned, Submitted
from edge_node.acts import collecting, drafting, readiness, supplementing
from offline_store.desk import applications, journal, scans
from offline_store.desk.scans import ScanStatus
from tests.edge_node.village import CITY, TOWNSHIP, Village

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path)


def hashes_of(village: Village, application_id: str) -> list[str]:
    with village.counter.desk.reading() as tx:
        return [one.scan_hash for one in scans.of_application(tx, application_id)]


def tickets(village: Village) -> set[str]:
    return {ticket.scan_hash for ticket in village.counter.outgoing.scan_tickets()}


@pytest.mark.parametrize("claim", [{}, {"payload": "e30=", "key": "00", "sig": "00"}])
def test_who_carries_the_mail_cannot_say_that_a_scan_arrived(village: Village, claim: dict[str, str]) -> None:
    names = hashes_of(village, village.collected())
    village.mail.turn()
    for name in names:
        village.counter.incoming.mark_scan_stored(name, claim)
    village.mail.turn()
    assert tickets(village) == set(names)
    assert village.counter.incoming.stored_scans() == []


def test_a_receipt_that_does_not_name_the_scan_says_nothing_about_it(village: Village) -> None:
    names = hashes_of(village, village.collected())
    village.mail.turn()
    signed = village.receipt(scans_stored=[])
    village.mail.turn()
    for name in names:
        village.counter.incoming.mark_scan_stored(name, signed)
    village.mail.turn()
    assert tickets(village) == set(names)


def test_a_receipt_of_an_abandoned_epoch_says_nothing_any_more(village: Village) -> None:
    names = hashes_of(village, village.collected())
    village.mail.turn()
    old = village.receipt(scans_stored=names)
    village.receipt(0, epoch="d" * 32)
    village.mail.turn()
    for name in names:
        village.counter.incoming.mark_scan_stored(name, old)
    village.mail.turn()
    assert tickets(village) == set(names)


@pytest.mark.parametrize("mark_falls", [True, False])
def test_a_restored_city_is_given_envelopes_and_scans_again(village: Village, mark_falls: bool) -> None:
    application_id = village.collected()
    names = hashes_of(village, application_id)
    village.mail.turn()
    village.receipt(scans_stored=names)
    village.mail.turn()
    assert tickets(village) == set()
    village.receipt(0 if mark_falls else None, epoch="d" * 32)
    village.mail.turn()
    assert tickets(village) == set(names)
    with village.counter.desk.reading() as tx:
        assert {one.status for one in scans.of_application(tx, application_id)} == {ScanStatus.OUTGOING}


def test_deferred_papers_are_handed_in_although_an_older_return_was_answered(village: Village) -> None:
    application_id = village.collected()
    clerk = Actor(Role.CLERK, "c", "d" * 32, TOWNSHIP)
    with village.counter.desk.reading() as tx:
        application = applications.load(tx, application_id).shown
        op_id = journal.of_application(tx, application_id)[0].op_id
        item = village.counter.shelf.item(tx, application.item_id, application.catalog_version)
    village.mail.turn()
    now = village.clock.wall
    point = ReturnPoint("field", "applicant_phone", "号码少一位", "补全号码")
    village.tell(application_id, op_id=op_id, events=[Submitted(at=now, by=CITY)])
    village.tell(
        application_id, events=[PreReviewStarted(at=now, by=clerk), Returned(at=now, by=clerk, points=(point,))]
    )
    village.mail.turn()
    answer = supplementing.begin(village.counter, village.who, application_id)
    drafting.change(village.counter, village.who, answer.draft_id, answers={"applicant_phone": "已补全"})
    collecting.collect(village.counter, village.who, answer.draft_id)
    with village.counter.desk.reading() as tx:
        answered = [link.op_id for link in journal.of_application(tx, application_id) if link.kind == "operation"][-1]
    village.mail.turn()
    village.tell(application_id, op_id=answered)
    deferred = item.materials[-1].material_id
    village.tell(
        application_id,
        events=[ProvisionallyAccepted(at=now, by=clerk, deferred=(deferred,), due=date(2026, 12, 1))],
    )
    village.mail.turn()
    later = supplementing.begin(village.counter, village.who, application_id)
    village.scan(later.draft_id, deferred)
    assert readiness.summary(village.counter, village.who, later.draft_id).problems == []
    collecting.collect(village.counter, village.who, later.draft_id)
