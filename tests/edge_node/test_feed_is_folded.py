"""What the city says takes effect in its order; what it has not answered yet lies over it, shown as pending."""

import pytest

from casework.application import Decision
from casework.events import (
    Accepted,
    Decided,
    PreReviewStarted,
    ReviewStarted,
    Submitted,
)
from casework.states import State
from edge_node.acts import intake, listing, reviewing
from edge_node.acts import village as acts
from edge_node.counter.errors import ScanNotHere, UnknownApplication
from offline_store.desk import feed, journal, scans
from offline_store.desk.applications import Standing
from offline_store.desk.scans import ScanStatus
from tests.edge_node.city import TOWN, known, submitted
from tests.edge_node.village import CITY, Gateway, HandClock, Village
from wire.audit_chain import GENESIS
from wire.errors import WrongSignature
from wire.scan import content_key_of, rewrap_scan

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


@pytest.fixture
def both(tmp_path):
    """A village and its township under one city."""
    gateway, clock = Gateway(), HandClock()
    town_city = Gateway(gateway.signing, gateway.sealing)
    return (
        Village.at(tmp_path / "village", gateway=gateway, clock=clock),
        Village.at(tmp_path / "town", "township", gateway=town_city, clock=clock),
    )


def test_an_answer_confirms_the_own_operation_and_adds_what_the_city_did(village):
    application_id = village.collected()
    submitted(village, application_id)
    it = known(village, application_id)
    assert (it.shown.state, it.standing, it.pending) == (State.SUBMITTED, Standing.CONFIRMED, ())
    assert it.confirmed == it.shown
    with village.counter.desk.reading() as tx:
        assert journal.by_op(tx, application_id).outcome == "applied"
        assert feed.cursor(tx) == 1
    assert list(village.counter.incoming.feed()) == []


def test_a_refused_operation_drops_out_and_its_reason_is_shown(village):
    application_id = village.collected()
    submitted(village, application_id)
    acts.withdraw(village.counter, village.who, application_id, "不办了")
    pending = known(village, application_id)
    assert (pending.shown.state, len(pending.pending)) == (State.WITHDRAWN, 1)
    village.mail.turn()
    village.tell(
        application_id,
        op_id=pending.pending[0],
        result="refused",
        refusal=("lifecycle.illegal_event", {"state": "decided", "event": "withdrawn"}),
    )
    village.mail.turn()
    it = known(village, application_id)
    assert (it.shown.state, it.standing, it.pending) == (State.SUBMITTED, Standing.REFUSED, ())
    detail = listing.detail(village.counter, village.who, application_id)
    assert detail.refusal.code == "lifecycle.illegal_event"
    assert detail.refusal.message
    assert not detail.refusal.message.startswith("error.")


def test_a_refused_first_operation_stays_visible(village):
    application_id = village.collected()
    village.mail.turn()
    village.tell(application_id, op_id=application_id, result="refused", refusal=("duty.not_yours", {}))
    village.mail.turn()
    it = known(village, application_id)
    assert (it.standing, it.shown.item_id, it.confirmed) == (Standing.REFUSED, "GA-YB-001", None)
    assert listing.page(village.counter, village.who).rows[0].standing == "refused"


def test_own_unanswered_acts_lie_over_what_the_city_says_meanwhile(village):
    application_id = village.collected()
    village.mail.turn()
    acts.change_proxy(village.counter, village.who, application_id, "suspend", "外出")
    submitted(village, application_id)
    it = known(village, application_id)
    assert it.confirmed.state is State.SUBMITTED
    assert it.confirmed.proxy == "active"
    assert (it.shown.state, it.shown.proxy) == (State.SUBMITTED, "suspended")
    assert [step.pending for step in listing.detail(village.counter, village.who, application_id).history] == [
        False,
        False,
        True,
    ]


def test_an_act_that_no_longer_fits_is_laid_aside_until_it_is_answered(village):
    application_id = village.collected()
    submitted(village, application_id)
    acts.withdraw(village.counter, village.who, application_id, "不办了")
    ruled_at = village.clock.wall
    decision = Decision(granted=True, reason="虚构", document_name="", document_no="", decided_on=ruled_at)
    village.tell(
        application_id,
        events=[
            PreReviewStarted(at=ruled_at, by=TOWN),
            Accepted(at=ruled_at, by=TOWN),
            ReviewStarted(at=ruled_at, by=CITY),
            Decided(at=ruled_at, by=CITY, decision=decision),
        ],
    )
    village.mail.turn()
    it = known(village, application_id)
    assert (it.shown.state, len(it.pending)) == (State.DECIDED, 1)


def test_the_same_entry_twice_is_one(village):
    application_id = village.collected()
    village.mail.turn()
    entry = village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    before = known(village, application_id)
    village.counter.incoming.put_feed(1, entry)
    village.mail.turn()
    assert known(village, application_id) == before


def test_a_gap_waits_and_is_taken_up_when_it_closes(village):
    first, second = village.collected(), village.collected("GA-CL-001")
    village.mail.turn()
    one = village.tell(first, op_id=first)
    village.tell(second, op_id=second)
    village.counter.incoming.remove_feed(1)
    village.mail.turn()
    assert known(village, second).confirmed is None
    village.counter.incoming.put_feed(1, one)
    village.mail.turn()
    assert known(village, first).confirmed is not None
    assert known(village, second).confirmed is not None


def test_a_forged_entry_is_thrown_away_and_the_true_one_counts(village):
    application_id = village.collected()
    village.mail.turn()
    stranger = Gateway()
    village.gateway.signing, true_key = stranger.signing, village.gateway.signing
    forged = village.tell(application_id, op_id=application_id, lay=False)
    village.gateway.signing = true_key
    village.gateway.case_seqs.clear()
    village.counter.incoming.put_feed(1, forged)
    village.mail.turn()
    assert known(village, application_id).confirmed is None
    assert "feed_broken" in village.counter.alarms.now()
    village.tell(application_id, op_id=application_id)
    village.mail.turn()
    assert known(village, application_id).confirmed is not None
    assert "feed_broken" not in village.counter.alarms.now()


def test_an_entry_nobody_here_understands_delays_nothing_else(village):
    first, second = village.collected(), village.collected("GA-CL-001")
    village.mail.turn()
    village.tell(first, op_id=first)
    entry_events = [{"event": "a_later_event", "at": "2026-11-23T04:00:00Z"}]
    _tell_plain(village, first, entry_events)
    village.tell(second, op_id=second)
    village.mail.turn()
    assert known(village, second).confirmed is not None
    assert known(village, first).confirmed.state is State.COLLECTED
    assert "feed_not_understood" in village.counter.alarms.now()


def _tell_plain(village: Village, application_id: str, events: list[dict]) -> None:
    import tests.edge_node.village as world

    kept = world.event_to_plain
    world.event_to_plain = lambda event: event
    try:
        village.tell(application_id, events=events)
    finally:
        world.event_to_plain = kept


def test_a_restored_city_says_its_feed_anew_and_nothing_happens_twice(village):
    application_id = village.collected()
    submitted(village, application_id)
    before = known(village, application_id)
    village.gateway.feed_head, village.gateway.case_seqs = GENESIS, {}
    village.receipt(0, feed_head=0, epoch="d" * 32)
    village.mail.turn()
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    after = known(village, application_id)
    assert (after.shown, after.standing) == (before.shown, Standing.CONFIRMED)
    with village.counter.desk.reading() as tx:
        assert feed.cursor(tx) == 1
    second = village.collected("GA-CL-001")
    village.mail.turn()
    village.tell(second, op_id=second)
    village.mail.turn()
    assert known(village, second).confirmed is not None


def shared_with(town, village):
    """An application of the village, told to the township with the keys of its scans; id and the wraps by scan."""
    application_id = village.collected()
    village.mail.turn()
    data = village.posted()[-1][1]
    wraps = {}
    for scan in known(village, application_id).shown.scans:
        header = village.counter.vault.path(scan.scan_hash).read_bytes()[:4096]
        key = content_key_of(header, village.gateway.sealing)
        wraps[scan.scan_hash] = rewrap_scan(header, key, town.counter.sealing[0].public)
    village.forward_to(town, data, events=[Submitted(at=town.clock.wall, by=CITY)], **wraps)
    town.mail.turn()
    return application_id, wraps


def fetched(town, village, wraps):
    """The township's courier brought the scans."""
    for scan_hash in wraps:
        town.counter.vault.path(scan_hash).write_bytes(village.counter.vault.path(scan_hash).read_bytes())
    town.mail.turn()


def test_the_township_reads_the_villages_bytes_and_its_scans(both):
    village, town = both
    application_id, wraps = shared_with(town, village)
    it = known(town, application_id)
    assert it.shown.form == known(village, application_id).shown.form
    assert (it.shown.state, it.standing) == (State.SUBMITTED, Standing.CONFIRMED)
    queue = listing.queue(town.counter, town.who)
    assert [one.application_id for one in queue.rows] == [application_id]
    assert set(town.counter.outgoing.wanted()) == set(wraps)
    with pytest.raises(ScanNotHere):
        intake.open_for_showing(town.counter, town.who, next(iter(wraps)))
    fetched(town, village, wraps)
    shown = intake.open_for_showing(town.counter, town.who, next(iter(wraps)))
    assert b"".join(shown.plain)[:4] == b"RIFF"
    with town.counter.desk.reading() as tx:
        assert {one.status for one in scans.of_application(tx, application_id)} == {ScanStatus.ARRIVED}
    assert town.counter.outgoing.wanted() == []


@pytest.mark.parametrize("how", ["vanished", "rotten"])
def test_a_scan_that_the_township_lost_after_it_came_is_fetched_again(both, how):
    village, town = both
    application_id, wraps = shared_with(town, village)
    fetched(town, village, wraps)
    lost = next(iter(wraps))
    path = town.counter.vault.path(lost)
    path.unlink() if how == "vanished" else path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ScanNotHere):
        intake.open_for_showing(town.counter, town.who, lost)
    detail = listing.detail(town.counter, town.who, application_id)
    assert (detail.scans_arrived, detail.scans_total) == (len(wraps) - 1, len(wraps))
    assert town.counter.outgoing.wanted() == [lost]
    fetched(town, village, wraps)
    assert b"".join(intake.open_for_showing(town.counter, town.who, lost).plain)[:4] == b"RIFF"
    assert town.counter.outgoing.wanted() == []


def test_an_operation_not_signed_by_its_author_has_no_effect(both):
    village, town = both
    application_id = village.collected()
    village.mail.turn()
    data = village.posted()[-1][1]
    village.counter.identity = Gateway().signing  # the city names another author
    with pytest.raises(WrongSignature):  # the helper itself cannot open it under that name
        village.forward_to(town, data)
    with pytest.raises(UnknownApplication):
        listing.detail(town.counter, town.who, application_id)


def test_a_township_act_is_an_operation_of_its_own_chain(both):
    village, town = both
    application_id = village.collected()
    village.mail.turn()
    village.forward_to(town, village.posted()[-1][1], events=[Submitted(at=town.clock.wall, by=CITY)])
    town.mail.turn()
    detail = reviewing.accept(town.counter, town.who, application_id)
    assert detail.state == "accepted"
    town.mail.turn()
    operation = town.operations()[-1]
    assert [one["event"] for one in operation.events] == ["pre_review_started", "accepted"]
    assert operation.basis == 1
