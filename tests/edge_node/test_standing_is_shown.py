"""Lists say where an application stands, who must act and by when; what is over is erased in its time."""

import pytest

from edge_node.acts import erasing, listing
from edge_node.acts import village as acts
from offline_store.desk import journal, scans, state
from offline_store.desk.applications import Standing
from tests.edge_node.city import known, ruled, submitted
from tests.edge_node.village import Village

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def test_lists_say_where_an_application_stands_and_who_must_act(village):
    application_id = village.collected()
    row = listing.page(village.counter, village.who).rows[0]
    assert (row.standing, row.pending[0].op, row.pending[0].why, row.pending[0].who) == (
        "saved_here",
        "collected",
        "being_laid",
        "nobody",
    )
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    row = listing.page(village.counter, village.who).rows[0]
    assert (row.standing, row.pending[0].why, row.pending[0].then) == ("at_city", "at_city", "answer_comes")
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
    village.receipt(scans_stored=[one.scan_hash for one in village.counter.outgoing.scan_tickets()])
    village.mail.turn()
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
    for erased in (0, len(hashes)):  # first a note of its end, then, when a backup holds that, the papers go
        village.receipt(stable=_head(village))
        village.mail.turn()
        assert erasing.erase_due(village.counter) == erased
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
