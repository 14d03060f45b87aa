"""Several clients and threads at one counter: one journal, no gap, nothing twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from edge_node import faults
from edge_node.acts import collecting
from edge_node.acts import village as acts
from edge_node.counter.errors import ActRefused
from offline_store.desk import applications, journal
from offline_store.errors import DeskBusy, DeskFull, StoreError
from tests.edge_node.village import Village
from wire.audit_chain import GENESIS, follow

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def test_a_draft_collected_from_many_threads_becomes_one_application(village):
    draft_id = village.filled()
    with ThreadPoolExecutor(8) as pool:
        slips = list(pool.map(lambda _: collecting.collect(village.counter, village.who, draft_id), range(8)))
    assert all(slip == slips[0] for slip in slips)
    with village.counter.desk.reading() as tx:
        assert len(journal.of_application(tx, draft_id)) == 1


def test_many_threads_write_one_chain_and_every_number_of_a_receipt_is_its_own(village):
    drafts = [village.filled() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        slips = list(pool.map(lambda one: collecting.collect(village.counter, village.who, one), drafts))
    assert len({slip.receipt_no for slip in slips}) == len(drafts)
    village.mail.turn()
    head = GENESIS
    for _, data in village.posted():
        head = follow(head, data, village.counter.identity.public)
    with village.counter.desk.reading() as tx:
        assert journal.head(tx) == head


def test_of_two_acts_at_once_that_exclude_each_other_one_is_done(village):
    application_id = village.collected()

    def withdraw(_):
        try:
            return acts.withdraw(village.counter, village.who, application_id, "不办了").state
        except Exception as refusal:  # noqa: BLE001 - the other one's refusal is the answer here
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(withdraw, range(4)))
    assert said == ["lifecycle.illegal_event"] * 3 + ["withdrawn"]
    with village.counter.desk.reading() as tx:
        assert len(applications.load(tx, application_id).pending) == 2


def test_a_disk_that_is_full_refuses_and_leaves_the_draft(village, monkeypatch):
    draft_id = village.filled()
    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", lambda *_args, **_named: (_ for _ in ()).throw(DeskFull))
        with pytest.raises(DeskFull):
            collecting.collect(village.counter, village.who, draft_id)
    assert collecting.collect(village.counter, village.who, draft_id).saved


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (DeskFull(), 507, "disk.full"),
        (DeskBusy(), 503, "busy"),
        (StoreError(), 500, "internal"),
        (ActRefused(), 409, "refused"),
    ],
)
def test_failures_of_the_rooms_below_are_worded_for_the_counter(failure, status, code):
    told = faults.fault_of(failure)
    assert (told[0], told[1]["code"]) == (status, code)
    assert not told[1]["message"].startswith("error.")
