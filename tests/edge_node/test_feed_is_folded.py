"""What the city says takes effect in its order; what it has not answered yet lies over it, shown as pending."""

from datetime import date

import pytest

from casework.application import Actor, Decision, ReturnPoint, Role
from casework.events import (
    Accepted,
    Concluded,
    Decided,
    PreReviewStarted,
    Returned,
    ReviewStarted,
    Submitted,
)
from casework.states import State
from edge_node.acts import collecting, drafting, erasing, intake, listing, reviewing, supplementing
from edge_node.acts import village as acts
from edge_node.acts.errors import DraftNotReady, NothingToSupplement, ScanNotHere, UnknownApplication
from offline_store.desk import applications, feed, journal, scans, state
from offline_store.desk.applications import Known, Standing
from offline_store.desk.scans import ScanStatus
from tests.edge_node.village import CITY, Gateway, HandClock, Village
from wire.audit_chain import GENESIS
from wire.errors import WrongSignature
from wire.scan import content_key_of, rewrap_scan

pytestmark = pytest.mark.node

TOWN = Actor(Role.CLERK, "ck01", "7" * 32, "511603106000")


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


def known(village: Village, application_id: str) -> Known:
    with village.counter.desk.reading() as tx:
        return applications.load(tx, application_id)


def submitted(village: Village, application_id: str) -> None:
    """The city received it."""
    village.mail.turn()
    village.receipt()
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()


def returned(village: Village, application_id: str, *points: ReturnPoint) -> None:
    """The township returned it."""
    at = village.clock.wall
    village.tell(application_id, events=[PreReviewStarted(at=at, by=TOWN), Returned(at=at, by=TOWN, points=points)])
    village.mail.turn()


def ruled(village: Village, application_id: str) -> None:
    """Accepted, reviewed, granted, concluded."""
    submitted(village, application_id)
    at = village.clock.wall
    decision = Decision(granted=True, reason="虚构", document_name="虚构证", document_no="X1", decided_on=at)
    village.tell(
        application_id,
        events=[
            PreReviewStarted(at=at, by=TOWN),
            Accepted(at=at, by=TOWN, limit_due=date(2026, 12, 1)),
            ReviewStarted(at=at, by=CITY),
            Decided(at=at, by=CITY, decision=decision),
            Concluded(at=at, by=CITY),
        ],
    )
    village.mail.turn()


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


def test_the_township_reads_the_villages_bytes_and_its_scans(both):
    village, town = both
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
    it = known(town, application_id)
    assert it.shown.form == known(village, application_id).shown.form
    assert (it.shown.state, it.standing) == (State.SUBMITTED, Standing.CONFIRMED)
    queue = listing.queue(town.counter, town.who)
    assert [one.application_id for one in queue.rows] == [application_id]
    assert set(town.counter.outgoing.wanted()) == set(wraps)
    with pytest.raises(ScanNotHere):
        intake.open_for_showing(town.counter, town.who, next(iter(wraps)))
    for scan_hash in wraps:
        town.counter.vault.path(scan_hash).write_bytes(village.counter.vault.path(scan_hash).read_bytes())
    town.mail.turn()
    shown = intake.open_for_showing(town.counter, town.who, next(iter(wraps)))
    assert b"".join(shown.plain)[:4] == b"RIFF"
    with town.counter.desk.reading() as tx:
        assert {one.status for one in scans.of_application(tx, application_id)} == {ScanStatus.ARRIVED}
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


def test_a_return_is_answered_point_by_point_and_sends_only_what_changed(village):
    application_id = village.collected()
    submitted(village, application_id)
    material = known(village, application_id).shown.handed_in[0].material_id
    returned(
        village,
        application_id,
        ReturnPoint("field", "applicant_phone", "号码停机", "换一个号码"),
        ReturnPoint("material", material, "看不清", "重新拍摄"),
    )
    draft = supplementing.begin(village.counter, village.who, application_id)
    assert supplementing.begin(village.counter, village.who, application_id).draft_id == draft.draft_id
    assert draft.values["applicant_phone"]
    assert draft.return_points[0].label == "手机号码"
    with pytest.raises(DraftNotReady) as refusal:
        collecting.collect(village.counter, village.who, draft.draft_id)
    assert {one["field_id"] for one in refusal.value.params["fields"]} == {"applicant_phone", material}
    drafting.change(village.counter, village.who, draft.draft_id, values={"applicant_phone": "13800000099"})
    village.scan(draft.draft_id, material)
    slip = collecting.collect(village.counter, village.who, draft.draft_id)
    assert slip.application_id == application_id
    assert collecting.collect(village.counter, village.who, draft.draft_id) == slip
    village.mail.turn()
    event = village.operations_after(2)[-1].events[0]
    assert (event["event"], event["form"]) == ("supplemented", {"applicant_phone": "13800000099"})
    assert {one["material_id"] for one in event["scans"]} == {material}
    it = known(village, application_id)
    assert it.shown.state is State.PRE_REVIEW
    assert it.shown.form["applicant_phone"] == "13800000099"


def test_nothing_waits_for_a_supplement_where_nothing_was_returned(village):
    application_id = village.collected()
    with pytest.raises(NothingToSupplement):
        supplementing.begin(village.counter, village.who, application_id)


def test_a_point_may_be_answered_in_words(village):
    application_id = village.collected()
    submitted(village, application_id)
    returned(village, application_id, ReturnPoint("condition", "GA-YB-001-C01", "未说明", "请说明"))
    draft = supplementing.begin(village.counter, village.who, application_id)
    drafting.change(village.counter, village.who, draft.draft_id, answers={"GA-YB-001-C01": "符合,已说明"})
    collecting.collect(village.counter, village.who, draft.draft_id)
    assert known(village, application_id).shown.answers == {"GA-YB-001-C01": "符合,已说明"}


def test_lists_say_where_an_application_stands_and_who_must_act(village):
    application_id = village.collected()
    row = listing.page(village.counter, village.who).rows[0]
    assert (row.standing, row.pending[0].op, row.pending[0].why, row.pending[0].who) == (
        "saved_here",
        "collected",
        "not_sent",
        "line",
    )
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    row = listing.page(village.counter, village.who).rows[0]
    assert (row.standing, row.pending[0].why, row.pending[0].who) == ("at_city", "waiting_for_outcome", "city")
    assert row.application_id == application_id
    assert "*" in row.applicant_masked


def test_overdue_is_said_only_by_a_confirmed_clock(village):
    application_id = village.collected()
    submitted(village, application_id)
    village.clock.passes(days=20)
    village.receipt()
    village.mail.turn()
    assert listing.page(village.counter, village.who).rows[0].light == "red"
    village.clock.boot_id = "f" * 32
    village = village.restarted()
    village.clock.passes(days=1)
    assert listing.page(village.counter, village.who).rows[0].light == "grey"


def test_erasing_waits_for_the_stable_mark_and_the_retention(village):
    application_id = village.collected()
    ruled(village, application_id)
    for one in village.counter.outgoing.scan_tickets():
        village.counter.incoming.mark_scan_stored(one.scan_hash)
    acts.deliver(village.counter, village.who, application_id, "张测试", "pickup_village")
    op_id = known(village, application_id).pending[0]
    village.mail.turn()
    village.tell(application_id, op_id=op_id)
    village.receipt()
    village.mail.turn()
    hashes = [one.scan_hash for one in known(village, application_id).shown.scans]
    village.clock.passes(days=31)
    village.receipt()
    village.mail.turn()
    assert erasing.erase_due(village.counter) == 0
    village.receipt(stable=_head(village))
    village.mail.turn()
    assert erasing.erase_due(village.counter) == len(hashes)
    assert not any(village.counter.vault.has(one) for one in hashes)
    with village.counter.desk.reading() as tx:
        assert scans.of_application(tx, application_id) == []
        assert state.marks(tx).stable_hwm


def _head(village: Village) -> int:
    with village.counter.desk.reading() as tx:
        return journal.head(tx).seq


def test_having_looked_at_an_application_leaves_nothing_waiting_for_the_city(village) -> None:
    application_id = village.collected()
    listing.detail(village.counter, village.who, application_id)  # the audit trail notes the look
    submitted(village, application_id)
    now = known(village, application_id)
    assert (now.pending, now.standing) == ((), Standing.CONFIRMED)
