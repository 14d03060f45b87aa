"""Everything of an application that is not where it should be says why, who must act, and what comes next."""

from datetime import timedelta

import pytest

from edge_node.acts import listing
from edge_node.acts import status as standing
from edge_node.wording import known as worded
from edge_node.wording import sentence
from offline_store.mailbox.line import LineState
from tests.edge_node.city import known, submitted
from tests.edge_node.village import Village
from wire.waiting import Reason, Then, Who

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def line(village, **said):
    now = village.clock.wall
    said = {"up": False, "since": now.isoformat(), "last_try": now.isoformat(), **said}
    village.counter.incoming.put_line(LineState(**said))


def row(village):
    return listing.waiting(village.counter, village.who).rows[0]


def reasons(village):
    return [(one.why, one.scans) for one in row(village).waiting]


def test_an_act_and_its_scans_wait_for_the_line_and_say_when_it_is_tried_again(village):
    village.collected()
    village.mail.turn()
    again = village.clock.wall + timedelta(minutes=7)
    line(village, last_error="ConnectError", next_try=again.isoformat())
    found = row(village)
    assert [(one.why, one.who, one.then, one.when, one.stick) for one in found.waiting] == [
        ("line_down", "nobody", "tried_again", again, True),
        ("line_down", "nobody", "tried_again", again, True),
    ]
    assert [one.op for one in found.waiting] == ["collected", ""]
    assert found.waiting[1].scans == found.scans_total > 0
    assert found.scans_arrived == 0
    assert standing.status(village.counter).conditions[0].why == "line_down"


def test_a_courier_that_says_nothing_is_somebody_s_business(village):
    village.collected()
    village.mail.turn()
    assert {one.why for one in row(village).waiting} == {"courier_silent"}
    line(village, last_error="ConnectError")
    village.clock.passes(hours=2)
    assert {(one.why, one.who) for one in row(village).waiting} == {("courier_silent", "installer")}


def test_a_line_that_was_not_tried_since_the_machine_started_is_not_called_up(village):
    line(village, up=True)
    village.clock.boot_id = "d" * 32
    village.clock.passes(minutes=10)
    village.clock.monotonic = 60.0
    told = standing.status(village.counter)
    assert (told.line, told.conditions[0].why) == ("unknown", "not_tried_yet")


def test_a_portal_that_answers_is_told_as_such(village):
    village.collected()
    village.mail.turn()
    line(village, last_error="http_302")
    assert {(one.why, one.who) for one in row(village).waiting} == {("stranger_answers", "counter")}


def test_a_scan_whose_file_vanished_is_told_before_what_passes_by_itself(village):
    village.collected()
    village.mail.turn()
    line(village, up=True)
    ticket = village.counter.outgoing.scan_tickets()[0]
    village.counter.vault.remove(ticket.scan_hash)
    found = row(village)
    assert (found.waiting[0].why, found.waiting[0].scans, found.waiting[0].who) == ("scan_damaged", 1, "counter")
    assert ("being_sent", found.scans_total - 1) in reasons(village) or found.scans_total == 1


def test_scans_that_are_not_through_keep_a_confirmed_application_in_the_list(village):
    application_id = village.collected()
    submitted(village, application_id)
    line(village, up=True)
    found = row(village)
    assert (found.standing, [one.op for one in found.waiting]) == ("confirmed", [""])
    assert (found.scans_arrived, found.pending) == (0, [])
    hashes = [one.scan_hash for one in known(village, application_id).shown.scans]
    village.receipt(scans_stored=hashes)
    village.mail.turn()
    assert listing.waiting(village.counter, village.who).rows == []
    done = listing.page(village.counter, village.who).rows[0]
    assert (done.waiting, done.scans_arrived) == ([], len(hashes))


def test_an_act_whose_successors_were_answered_waits_behind_another_step(village):
    first, second = village.collected(), village.collected()
    village.mail.turn()
    line(village, up=True)
    village.receipt()
    village.mail.turn()
    assert {one.why for one in listing.page(village.counter, village.who).rows[0].pending} == {"at_city"}
    village.tell(second, op_id=second)
    village.mail.turn()
    waits = {brief.application_id: brief for brief in listing.page(village.counter, village.who).rows}
    assert [one.why for one in waits[first].pending] == ["behind_another_step"]
    assert waits[second].pending == []


def test_a_refused_act_is_first_in_the_list_and_says_what_to_do(village):
    fine, refused = village.collected(), village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    village.tell(refused, op_id=refused, result="refused", refusal=("operation.malformed", {}))
    village.mail.turn()
    rows = listing.waiting(village.counter, village.who).rows
    assert [one.application_id for one in rows] == [refused, fine]
    told = rows[0].waiting[0]
    assert (told.why, told.who, told.then, told.op, told.code) == (
        "not_applied", "counter", "done_anew", "collected", "operation.malformed",
    )  # fmt: skip
    detail = listing.detail(village.counter, village.who, refused)
    assert detail.refusal.message == sentence("error.operation.malformed")
    assert detail.refusal.remedy == sentence("remedy.op.collected")


def test_a_refusal_of_tomorrow_has_words_and_its_code(village):
    application_id = village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    village.tell(application_id, op_id=application_id, result="refused", refusal=("of.tomorrow", {}))
    village.mail.turn()
    refusal = listing.detail(village.counter, village.who, application_id).refusal
    assert "of.tomorrow" in refusal.message
    assert refusal.message != "error.of.tomorrow"
    assert refusal.remedy


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_word_of_the_vocabulary_is_worded(language):
    needed = {f"why.{one}" for one in Reason} | {f"who.{one}" for one in Who} | {f"then.{one}" for one in Then}
    assert sorted(key for key in needed if not worded(key, language=language)) == []
