"""A scan that this disk lost before the city had it: found out, shown with the duty on the agent, scanned again."""

import errno

import pytest

from casework.states import State
from edge_node.acts import collecting, drafting, listing, supplementing
from edge_node.acts.status import status
from edge_node.counter.errors import NothingScannedAgain, NothingToSupplement, OnlyLostPages
from offline_store.desk import scans
from offline_store.desk.scans import ScanStatus
from tests.edge_node.city import known, submitted
from tests.edge_node.village import Village

pytestmark = pytest.mark.node

ITEM = "GA-YB-005"  # several materials, so several scans


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def kept(village, application_id):
    with village.counter.desk.reading() as tx:
        return scans.of_application(tx, application_id)


def lose(village, scan_hash, *, reason="rotten"):
    """The disk spoils it, and the courier, who cannot open it, says so."""
    path = village.counter.vault.path(scan_hash)
    if reason == "vanished":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
    village.counter.incoming.mark_scan_damaged(scan_hash, reason)


@pytest.fixture
def application_id(village):
    made = village.collected(ITEM)
    village.mail.turn()
    return made


@pytest.mark.parametrize("reason", ["rotten", "vanished"])
def test_a_lost_scan_is_shown_as_lost_and_waited_for_no_more(village, application_id, reason):
    lost, *others = kept(village, application_id)
    lose(village, lost.scan_hash, reason=reason)
    village.mail.turn()
    assert {one.scan_hash: one.status for one in kept(village, application_id)} == {
        lost.scan_hash: ScanStatus.DAMAGED,
        **{one.scan_hash: ScanStatus.OUTGOING for one in others},
    }
    assert {one.scan_hash for one in village.counter.outgoing.scan_tickets()} == {one.scan_hash for one in others}
    assert village.counter.incoming.damaged_scans() == {}
    detail = listing.detail(village.counter, village.who, application_id)
    assert [one.scan_hash for one in detail.scans if one.damaged] == [lost.scan_hash]
    assert "rescanned" in detail.acts
    assert "scan_damaged" in status(village.counter).alarms
    assert "scan_lost" in village.noted()


def test_a_scan_on_a_sector_that_cannot_be_read_is_lost_and_holds_up_no_other(village, application_id, monkeypatch):
    unreadable, rotten, *others = sorted(kept(village, application_id), key=lambda one: one.scan_hash)
    lose(village, rotten.scan_hash)
    village.counter.incoming.mark_scan_damaged(unreadable.scan_hash, "rotten")
    check = village.counter.vault.check

    def on_a_bad_disk(scan_hash):
        if scan_hash == unreadable.scan_hash:
            raise OSError(errno.EIO, "Input/output error")
        return check(scan_hash)

    monkeypatch.setattr(type(village.counter.vault), "check", lambda _vault, scan_hash: on_a_bad_disk(scan_hash))
    village.mail.turn()
    lost = {one.scan_hash for one in kept(village, application_id) if one.status is ScanStatus.DAMAGED}
    assert lost == {unreadable.scan_hash, rotten.scan_hash}
    assert {one.scan_hash for one in village.counter.outgoing.scan_tickets()} == {one.scan_hash for one in others}


def test_the_couriers_word_alone_loses_nothing(village, application_id):
    sound, *_ = kept(village, application_id)
    village.counter.incoming.mark_scan_damaged(sound.scan_hash, "rotten")
    village.counter.incoming.mark_scan_damaged("f" * 64, "vanished")
    village.mail.turn()
    assert {one.status for one in kept(village, application_id)} == {ScanStatus.OUTGOING}
    assert village.counter.incoming.damaged_scans() == {}
    assert sound.scan_hash in {one.scan_hash for one in village.counter.outgoing.scan_tickets()}
    detail = listing.detail(village.counter, village.who, application_id)
    assert "rescanned" not in detail.acts
    assert status(village.counter).alarms == []


def test_lost_pages_are_scanned_again_while_the_township_has_it_and_nothing_else_changes(village, application_id):
    submitted(village, application_id)
    lost, *_ = kept(village, application_id)
    lose(village, lost.scan_hash)
    village.mail.turn()
    before = known(village, application_id).shown
    draft = supplementing.begin(village.counter, village.who, application_id)
    with pytest.raises(NothingScannedAgain):
        collecting.collect(village.counter, village.who, draft.draft_id)
    again = village.scan(draft.draft_id, lost.material_id)
    slip = collecting.collect(village.counter, village.who, draft.draft_id)
    assert collecting.collect(village.counter, village.who, draft.draft_id) == slip
    after = known(village, application_id).shown
    assert (after.state, after.form, after.handed_in) == (before.state, before.form, before.handed_in)
    assert after.received_at == before.received_at, "no clock runs anew for a fault of this machine"
    now = {one.scan_hash for one in after.scans}
    assert now == {one.scan_hash for one in before.scans} - {lost.scan_hash} | {again.scan_hash}
    village.mail.turn()
    assert village.operations_after(2)[-1].events[0]["event"] == "rescanned"
    assert again.scan_hash in {one.scan_hash for one in village.counter.outgoing.scan_tickets()}
    assert lost.scan_hash not in {one.scan_hash for one in kept(village, application_id)}
    detail = listing.detail(village.counter, village.who, application_id)
    assert ("rescanned" in detail.acts, [one.scan_hash for one in detail.scans if one.damaged]) == (False, [])
    assert "scan_damaged" not in status(village.counter).alarms


def test_only_what_was_lost_is_scanned_again_and_nothing_beside_it_is_changed(village, application_id):
    submitted(village, application_id)
    lost, *others = kept(village, application_id)
    lose(village, lost.scan_hash)
    village.mail.turn()
    other = next(one.material_id for one in others if one.material_id != lost.material_id)
    draft = supplementing.begin(village.counter, village.who, application_id)
    village.scan(draft.draft_id, lost.material_id)
    village.scan(draft.draft_id, other)
    with pytest.raises(OnlyLostPages):
        collecting.collect(village.counter, village.who, draft.draft_id)
    drafting.remove(village.counter, village.who, draft.draft_id)
    draft = supplementing.begin(village.counter, village.who, application_id)
    village.scan(draft.draft_id, lost.material_id)
    drafting.change(village.counter, village.who, draft.draft_id, values={"applicant_phone": "13800000099"})
    with pytest.raises(OnlyLostPages):
        collecting.collect(village.counter, village.who, draft.draft_id)
    assert known(village, application_id).shown.state is State.SUBMITTED


def test_where_nothing_was_lost_nothing_is_scanned_again(village, application_id):
    submitted(village, application_id)
    with pytest.raises(NothingToSupplement):
        supplementing.begin(village.counter, village.who, application_id)


def test_a_lost_scan_survives_a_restart_as_lost(village, application_id):
    lost, *_ = kept(village, application_id)
    lose(village, lost.scan_hash, reason="vanished")
    village.mail.turn()
    village = village.restarted()
    village.mail.turn()
    assert "scan_damaged" in status(village.counter).alarms
    assert lost.scan_hash not in {one.scan_hash for one in village.counter.outgoing.scan_tickets()}


def test_the_last_scan_of_an_application_goes_before_others(village, application_id):
    other = village.collected(ITEM)
    village.mail.turn()
    *arrived, _ = kept(village, application_id)
    for one in arrived:
        village.receipt()
        village.scan_stored(one.scan_hash)
        village.mail.turn()
    (left,) = [one for one in kept(village, application_id) if one.status is ScanStatus.OUTGOING]
    tickets = village.counter.outgoing.scan_tickets()
    assert tickets[0].scan_hash == left.scan_hash
    assert {one.priority for one in tickets[1:]} == {tickets[0].priority + 1}
    assert {one.scan_hash for one in tickets[1:]} == {one.scan_hash for one in kept(village, other)}
