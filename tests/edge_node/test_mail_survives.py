"""Mail: a crash between commit and post is healed, the gateway's mark is obeyed even backwards, forks stop the node."""

import pytest

from edge_node.acts import collecting, drafting, journaling, listing
from edge_node.acts import village as acts
from edge_node.acts.status import status
from edge_node.counter.errors import Stopped
from edge_node.counter.trusted_clock import Confidence
from offline_store.desk import applications, journal, scans, state
from offline_store.desk.applications import Standing
from offline_store.desk.scans import ScanStatus
from tests.edge_node.city import ruled
from tests.edge_node.village import Gateway, Village
from wire.canonical import read_json
from wire.envelope import Kind, read_header
from wire.sealed_note import open_note

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def standing(village: Village, application_id: str) -> Standing:
    with village.counter.desk.reading() as tx:
        return applications.load(tx, application_id).standing


def test_what_is_saved_can_be_opened_by_the_city_alone_and_follows_the_chain(village):
    application_id = village.collected()
    village.mail.turn()
    operations = village.operations()
    assert [one.application_id for one in operations if one.events] == [application_id]
    assert operations[-1].events[0]["event"] == "collected"
    assert operations[-1].times.confidence == "estimated"


def test_a_crash_between_commit_and_post_is_healed_at_the_next_start(village):
    application_id = village.collected()
    village = village.restarted()  # no round was run: nothing of it was posted
    village.mail.turn()
    assert application_id in [one.application_id for one in village.operations()]
    with village.counter.desk.reading() as tx:
        assert journal.unposted(tx) == []
        waiting = scans.with_status(tx, ScanStatus.OUTGOING)
    assert {one.scan_hash for one in waiting} == {one.scan_hash for one in village.counter.outgoing.scan_tickets()}


def test_a_crash_after_the_file_and_before_the_mark_posts_the_same_file(village):
    village.collected()
    with village.counter.desk.reading() as tx:
        for link in journal.unposted(tx):
            village.counter.outgoing.put_envelope(link.seq, link.envelope)
    before = village.posted()
    village = village.restarted()
    village.mail.turn()
    assert village.posted()[: len(before)] == before


def test_a_wiped_mailbox_is_filled_again_from_the_desk(village):
    village.collected()
    village.mail.turn()
    before = village.posted()
    village.counter.outgoing.clear_envelopes()
    for ticket in village.counter.outgoing.scan_tickets():
        village.counter.outgoing.remove_scan_ticket(ticket.scan_hash)
    village = village.restarted()
    village.mail.turn()
    assert village.posted()[: len(before)] == before
    assert village.counter.outgoing.scan_tickets()


def test_a_receipt_takes_the_mail_away_and_says_that_it_is_at_the_city(village):
    application_id = village.collected()
    village.mail.turn()
    assert standing(village, application_id) is Standing.SAVED_HERE
    village.receipt()
    village.mail.turn()
    assert standing(village, application_id) is Standing.AT_CITY
    assert village.posted() == []
    with village.counter.desk.reading() as tx:
        marks = state.marks(tx)
        assert marks.hwm == journal.head(tx).seq


def test_a_mark_that_goes_back_is_obeyed_and_the_same_bytes_are_sent_again(village):
    application_id = village.collected()
    village.mail.turn()
    posted = village.posted()
    village.receipt()
    village.mail.turn()
    village.receipt(0, epoch="d" * 32)
    village.mail.turn()
    assert village.posted() == posted
    assert standing(village, application_id) is Standing.SAVED_HERE


@pytest.mark.parametrize("forged", ["signer", "node"])
def test_a_forged_receipt_changes_nothing(village, forged):
    application_id = village.collected()
    village.mail.turn()
    if forged == "signer":
        stranger = Gateway()
        village.gateway.signing, kept = stranger.signing, village.gateway.signing
        village.receipt()
        village.gateway.signing = kept
    else:
        village.receipt(node="9" * 32)
    village.mail.turn()
    assert standing(village, application_id) is Standing.SAVED_HERE
    assert village.posted()
    assert "receipt_refused" in village.counter.alarms.now()


def test_a_mark_beyond_the_journal_stops_the_journal_and_keeps_the_drafts(village):
    draft_id = village.filled()
    village.mail.turn()
    village.receipt(hwm=999)
    village.mail.turn()
    with pytest.raises(Stopped):
        collecting.collect(village.counter, village.who, draft_id)
    assert drafting.show(village.counter, village.who, draft_id).values["applicant_name"]
    village = village.restarted()
    with village.counter.desk.reading() as tx:
        assert state.get(tx, journaling.STOPPED)
    assert "forked" in status(village.counter).alarms


def test_another_hash_at_a_known_number_is_a_clone(village):
    village.collected()
    village.mail.turn()
    village.receipt(head_hash="a" * 64)
    village.mail.turn()
    with village.counter.desk.reading() as tx:
        assert state.get(tx, journaling.STOPPED)


def test_a_receipt_from_before_the_start_is_no_clock_and_news_is(village):
    village.receipt()
    village = village.restarted()
    village.mail.turn()
    assert village.counter.clock.read().confidence is Confidence.ESTIMATED
    village.clock.passes(minutes=5)
    village.receipt()
    village.mail.turn()
    assert village.counter.clock.read().confidence is Confidence.CONFIRMED
    assert village.restarted().counter.clock.read().confidence is Confidence.CONFIRMED


def test_scans_stored_at_the_city_lose_their_ticket_and_stay_here(village):
    application_id = village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    tickets = [one.scan_hash for one in village.counter.outgoing.scan_tickets()]
    village.scan_stored(tickets[0])
    village.mail.turn()
    assert village.counter.outgoing.scan_tickets() == []
    assert village.counter.incoming.stored_scans() == []
    with village.counter.desk.reading() as tx:
        assert {one.status for one in scans.of_application(tx, application_id)} == {ScanStatus.STORED}
    assert all(village.counter.vault.has(one) for one in tickets)


@pytest.mark.parametrize("named", [[], ["9" * 64]])
def test_a_receipt_that_does_not_name_the_scan_leaves_its_ticket(village, named):
    village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    ticket = village.counter.outgoing.scan_tickets()[0].scan_hash
    village.counter.incoming.mark_scan_stored(ticket, village.receipt(lay=False, scans_stored=named))
    village.mail.turn()
    assert [one.scan_hash for one in village.counter.outgoing.scan_tickets()] == [ticket]
    assert village.counter.incoming.stored_scans() == []


def test_a_restored_city_is_sent_the_scans_again(village):
    village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    ticket = village.counter.outgoing.scan_tickets()[0].scan_hash
    village.scan_stored(ticket)
    village.mail.turn()
    village.receipt(0, epoch="d" * 32)
    village.mail.turn()
    assert [one.scan_hash for one in village.counter.outgoing.scan_tickets()] == [ticket]


def test_sign_ins_and_looks_are_entries_of_the_same_chain(village):
    application_id = village.collected()
    for _ in range(3):
        listing.detail(village.counter, village.who, application_id)
    village.mail.turn()
    audits = [one.audit["kind"] for one in village.operations() if one.audit]
    assert audits.count("viewed") == 1
    assert "signed_in" in audits
    kinds = {read_header(data).kind for _, data in village.posted()}
    assert kinds == {Kind.OPERATION, Kind.AUDIT}


def test_a_clock_that_is_stepped_is_written_down(village):
    village.mail.turn()
    village.clock.wall = village.clock.wall.replace(year=2050)
    village.mail.turn()
    assert "clock_stepped" in [one.audit["kind"] for one in village.operations() if one.audit]


def test_the_facts_for_the_courier_follow_the_feed_and_the_catalog(village):
    village.mail.turn()
    facts = village.counter.outgoing.facts()
    assert (facts.feed_cursor, facts.catalog_version) == (0, 1)
    application_id = village.collected()
    village.mail.turn()
    village.tell(application_id, op_id=application_id)
    village.mail.turn()
    assert village.counter.outgoing.facts().feed_cursor == 1


def test_a_rating_is_sealed_for_the_city_and_unreadable_here(village):
    application_id = village.collected()
    ruled(village, application_id)
    acts.deliver(village.counter, village.who, application_id, "张测试", "pickup_village")
    acts.rate(village.counter, village.who, application_id, 4, "一条虚构的意见")
    village.mail.turn()
    operation = village.operations_after(0)[-1]

    said = read_json(open_note("rating", operation.rating, village.gateway.sealing))
    assert said == {"level": 4, "text": "一条虚构的意见"}
    with village.counter.desk.reading() as tx:
        link = journal.by_op(tx, operation.op_id)
        shown = applications.load(tx, application_id).shown
    assert "虚构的意见".encode() not in link.body
    assert shown.rated_at is not None


def test_the_signed_receipt_alone_counts_not_its_frame(village):
    village.collected()
    village.mail.turn()
    document = village.receipt()
    village.counter.incoming.put_receipt({**document, "payload": document["payload"][:-4] + "AAAA"})
    village.mail.turn()
    assert village.posted()


def test_a_file_of_the_mailbox_that_cannot_be_read_is_laid_anew_at_the_start(village):
    village.collected()
    village.mail.turn()
    posted = village.posted()
    path = next(path for _, path in village.counter.outgoing.envelopes())
    path.unlink()
    path.mkdir()
    village = village.restarted()
    village.mail.turn()
    assert village.posted()[: len(posted)] == posted


def test_a_defect_in_one_step_of_the_mail_stops_no_other(village, monkeypatch):
    def broken(*_):
        raise KeyError("a defect")

    monkeypatch.setattr("edge_node.acts.feed_reading.take_feed", broken)
    village.collected()
    village.mail.turn()
    assert village.posted()
    assert "mail_failed" in village.counter.alarms.now()
    monkeypatch.undo()
    village.mail.turn()
    assert "mail_failed" not in village.counter.alarms.now()
