"""A city that was restored: its word counts even where it is another one than before, and nothing is held twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from casework.events import PreReviewStarted, Submitted
from casework.states import State
from edge_node.acts import village as acts
from offline_store.desk import feed, journal, state
from offline_store.desk.applications import Standing
from tests.edge_node.city import TOWN, known, submitted
from tests.edge_node.village import CITY, Village
from wire.audit_chain import GENESIS

pytestmark = pytest.mark.node

RESTORED = "d" * 32


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path)


def restore(village: Village, hwm: int | None = 0) -> None:
    village.gateway.feed_head, village.gateway.case_seqs = GENESIS, {}
    village.receipt(hwm, feed_head=0, epoch=RESTORED, epochs_left=[village.gateway.epoch])
    village.mail.turn()


def outcome(village: Village, application_id: str) -> str | None:
    with village.counter.desk.reading() as tx:
        return journal.of_application(tx, application_id)[0].outcome


def test_another_order_of_the_same_steps_counts(village: Village) -> None:
    """Before: submitted, looked at, then withdrawn in vain. Told anew: withdrawn, and nobody looked."""
    application_id = village.collected()
    submitted(village, application_id)
    village.tell(application_id, events=[PreReviewStarted(at=village.clock.wall, by=TOWN)])
    village.mail.turn()
    acts.withdraw(village.counter, village.who, application_id, "不办了")
    withdrawal = known(village, application_id).pending[0]
    village.mail.turn()
    village.tell(application_id, op_id=withdrawal, result="refused", refusal=("lifecycle.illegal_event", {}))
    village.mail.turn()
    assert known(village, application_id).shown.state is State.PRE_REVIEW
    restore(village)
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.tell(application_id, op_id=withdrawal)
    village.mail.turn()
    now = known(village, application_id)
    assert (now.shown.state, now.case_seq, now.standing, now.refusal) == (
        State.WITHDRAWN,
        2,
        Standing.CONFIRMED,
        None,
    )
    assert [step.event for step in now.confirmed.history] == ["collected", "submitted", "withdrawn"]


def test_what_the_city_lost_waits_for_its_answer_again_and_is_shown_so(village: Village) -> None:
    application_id = village.collected()
    submitted(village, application_id)
    village.receipt()
    village.mail.turn()
    assert (outcome(village, application_id), known(village, application_id).standing) == (
        "applied",
        Standing.CONFIRMED,
    )
    restore(village)
    assert outcome(village, application_id) is None
    now = known(village, application_id)
    assert (now.standing, now.shown.state, now.pending) == (Standing.SAVED_HERE, State.SUBMITTED, (application_id,))
    village.receipt(epoch=RESTORED, feed_head=0)
    village.mail.turn()
    assert known(village, application_id).standing is Standing.AT_CITY
    submitted(village, application_id)
    assert (known(village, application_id).standing, known(village, application_id).case_seq) == (
        Standing.CONFIRMED,
        1,
    )


def test_a_feed_of_a_timeline_that_was_over_before_this_desk_heard_of_it_is_not_read(village: Village) -> None:
    application_id = village.collected()
    village.mail.turn()
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    restore(village)  # the first receipt that this desk sees
    assert dict(village.counter.incoming.feed()) == {}
    assert village.counter.outgoing.facts().feed_cursor == 0
    assert outcome(village, application_id) is None
    submitted(village, application_id)
    village.receipt(epoch=RESTORED)
    village.mail.turn()
    assert known(village, application_id).standing is Standing.CONFIRMED


def test_unread_entries_of_the_lost_feed_are_not_mixed_into_the_new_one(village: Village) -> None:
    first, second = village.collected(), village.collected("GA-CL-001")
    submitted(village, first)
    village.tell(second, op_id=second)
    village.tell(first, events=[PreReviewStarted(at=village.clock.wall, by=TOWN)])
    lying = dict(village.counter.incoming.feed())
    restore(village, hwm=None)
    with village.counter.desk.reading() as tx:
        assert feed.cursor(tx) == 0
    assert lying
    assert list(village.counter.incoming.feed()) == []
    village.tell(second, op_id=second)
    village.tell(first, op_id=first, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    for application_id, expected in ((first, State.SUBMITTED), (second, State.COLLECTED)):
        assert known(village, application_id).confirmed.state is expected


def test_a_receipt_of_the_epoch_that_was_left_moves_nothing(village: Village) -> None:
    village.collected()
    village.mail.turn()
    late = village.receipt()
    village.mail.turn()
    restore(village)
    village.clock.passes(hours=1)
    village.counter.incoming.put_receipt(late)
    village.mail.turn()
    with village.counter.desk.reading() as tx:
        marks, head = state.marks(tx), journal.head(tx).seq
    assert (marks.hwm, marks.epoch) == (0, RESTORED)
    assert [seq for seq, _ in village.counter.outgoing.envelopes()] == list(range(1, head + 1))


def test_an_older_receipt_of_the_same_epoch_is_a_replay(village: Village) -> None:
    village.collected()
    village.mail.turn()
    with village.counter.desk.reading() as tx:
        head = journal.head(tx).seq
    older = village.receipt(head - 1, lay=False, server_time=village.clock.wall - timedelta(hours=1))
    village.receipt(head)
    village.mail.turn()
    village.counter.incoming.put_receipt(older)
    village.mail.turn()
    with village.counter.desk.reading() as tx:
        assert state.marks(tx).hwm == head


def test_what_another_node_had_done_is_not_shown_as_confirmed_until_it_is_told_again(village: Village) -> None:
    """The township had begun; the restored city does not know of it (yet), and nobody is told that it is confirmed."""
    application_id = village.collected()
    submitted(village, application_id)
    village.receipt()
    village.mail.turn()
    village.tell(application_id, events=[PreReviewStarted(at=village.clock.wall, by=TOWN)])
    village.mail.turn()
    assert (known(village, application_id).shown.state, known(village, application_id).standing) == (
        State.PRE_REVIEW,
        Standing.CONFIRMED,
    )
    restore(village, hwm=None)
    doubted = known(village, application_id)
    assert (doubted.shown.state, doubted.standing) == (State.PRE_REVIEW, Standing.DOUBTED)
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    now = known(village, application_id)
    assert (now.shown.state, now.standing) == (State.SUBMITTED, Standing.CONFIRMED)


def test_an_act_that_was_answered_on_a_timeline_that_is_over_waits_and_stays_to_be_seen(village: Village) -> None:
    """The restored city holds the withdrawal (an old stick was read again), but has not tried it yet; the mark never
    fell for this node."""
    application_id = village.collected()
    submitted(village, application_id)
    acts.withdraw(village.counter, village.who, application_id, "不办了")
    withdrawal = known(village, application_id).pending[0]
    village.mail.turn()
    village.tell(application_id, op_id=withdrawal)
    village.receipt()
    village.mail.turn()
    assert known(village, application_id).standing is Standing.CONFIRMED
    restore(village, hwm=None)
    assert known(village, application_id).pending == (application_id, withdrawal)
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    waiting = known(village, application_id)
    assert (waiting.shown.state, waiting.standing, waiting.pending) == (
        State.WITHDRAWN,
        Standing.AT_CITY,
        (withdrawal,),
    )
    village.tell(application_id, op_id=withdrawal)
    village.mail.turn()
    told = known(village, application_id)
    assert (told.shown.state, told.standing, told.pending) == (State.WITHDRAWN, Standing.CONFIRMED, ())
