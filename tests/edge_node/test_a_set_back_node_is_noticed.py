"""A desk that was set back, a fork: noticed as early as can be, stopped, and nothing of it thrown away."""

import json
import os
import shutil
from pathlib import Path

import pytest

from edge_node.acts import collecting, drafting, forking, mail_out
from edge_node.acts.mail_round import MailRound
from edge_node.acts.status import status
from edge_node.counter.errors import Stopped
from offline_store.desk import journal, state
from offline_store.machine import machine_mark
from tests.edge_node.city import known
from tests.edge_node.village import Village
from wire.messages import Refusal, sign_refusal

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path / "node")


def stopped(village: Village) -> dict | None:
    with village.counter.desk.reading() as tx:
        return state.get(tx, state.STOPPED)


def refuses_to_collect_and_keeps_the_draft(village: Village) -> None:
    draft_id = village.filled()
    with pytest.raises(Stopped):
        collecting.collect(village.counter, village.who, draft_id)
    assert drafting.show(village.counter, village.who, draft_id).values["applicant_name"]


def copy_of_the_desk(village: Village, folder: Path) -> Path:
    village.counter.desk.close()
    shutil.copytree(village.counter.paths.desk_folder, folder)
    return folder


def put_back(village: Village, copy: Path) -> Village:
    village.counter.desk.close()
    shutil.rmtree(village.counter.paths.desk_folder)
    shutil.copytree(copy, village.counter.paths.desk_folder)
    return village.restarted(close=False)


def test_a_desk_put_back_from_a_copy_is_noticed_at_the_start(village, tmp_path):
    copy = copy_of_the_desk(village, tmp_path / "copy")
    village = village.restarted(close=False).restarted()
    village = put_back(village, copy)
    assert stopped(village)["why"] == forking.BY_GENERATION
    assert "forked" in status(village.counter).alarms
    assert "node_stopped" in village.noted()
    refuses_to_collect_and_keeps_the_draft(village)


def test_without_the_marker_beside_the_desk_a_desk_put_back_is_not_noticed_before_the_city_speaks(village, tmp_path):
    copy = copy_of_the_desk(village, tmp_path / "copy")
    village = village.restarted(close=False).restarted()
    village.counter.paths.generation.unlink()
    village = put_back(village, copy)
    assert stopped(village) is None


def test_mail_that_the_desk_never_wrote_stops_it_and_stays_to_be_sent(village, tmp_path):
    village.mail.turn()
    copy = copy_of_the_desk(village, tmp_path / "copy")
    village = village.restarted(close=False)
    application_id = village.collected()
    village.mail.turn()
    posted = village.posted()
    village.counter.paths.generation.unlink()
    village = put_back(village, copy)
    assert stopped(village)["why"] == forking.BY_MAIL
    village.mail.turn()
    assert village.posted() == posted
    assert application_id in [village.opened(data).application_id for _, data in village.posted()]


def test_mail_that_rotted_is_no_proof_and_is_laid_out_again(village):
    village.collected()
    village.mail.turn()
    posted = village.posted()
    path = next(path for _, path in village.counter.outgoing.envelopes())
    path.write_bytes(os.urandom(200))
    village = village.restarted()
    with village.counter.desk.transaction() as tx:
        journal.repost_after(tx, 0)
    mail_out.post_due(village.counter)
    assert stopped(village) is None
    assert village.posted()[: len(posted)] == posted


def test_a_node_that_is_started_again_and_again_is_not_taken_for_set_back(village):
    for _ in range(3):
        village = village.restarted()
    assert stopped(village) is None
    village.counter.paths.generation.write_text("no number")
    village = village.restarted()
    assert stopped(village) is None
    with village.counter.desk.reading() as tx:
        kept = state.get(tx, forking.GENERATION)
    assert json.loads(village.counter.paths.generation.read_text()) == {"generation": kept}


@pytest.mark.parametrize("signed_by", ["the city", "somebody else"])
def test_only_the_citys_signed_word_of_a_fork_stops(village, signed_by):
    refusal = Refusal(code="fork", node=village.counter.node.node_id, server_time=village.clock.wall)
    key = village.gateway.signing if signed_by == "the city" else village.counter.identity
    village.counter.incoming.put_refusal(sign_refusal(refusal, key))
    village.mail.turn()
    if signed_by == "the city":
        assert stopped(village)["why"] == forking.BY_CITY
        refuses_to_collect_and_keeps_the_draft(village)
    else:
        assert stopped(village) is None


@pytest.mark.parametrize("author", ["this identity", "the machine it was before"])
def test_an_answer_to_an_act_that_this_journal_does_not_hold_stops_it_and_is_not_taken(village, author):
    application_id = village.collected()
    village.mail.turn()
    village.receipt()
    before = known(village, application_id)
    act_of_a_clone = "d" * 32
    node = village.counter.node.node_id if author == "this identity" else "5" * 32
    village.tell(application_id, op_id=act_of_a_clone, result="refused", author_node=node)
    village.mail.turn()
    if author == "this identity":
        assert stopped(village)["why"] == forking.BY_ANSWER
        assert known(village, application_id).case_seq == before.case_seq
        assert len(list(village.counter.incoming.feed())) == 1, "told again once this machine is enrolled anew"
        refuses_to_collect_and_keeps_the_draft(village)
    else:
        assert stopped(village) is None
        assert not list(village.counter.incoming.feed())


def test_what_is_stopped_posts_nothing_more(village):
    with village.counter.desk.transaction() as tx:
        forking.stop(village.counter, tx, forking.BY_CITY)
    before = village.posted()
    assert mail_out.post_due(village.counter) == 0
    assert village.posted() == before


def test_another_machine_is_told_of_until_the_city_has_confirmed_what_was_written_here(village):
    with village.counter.desk.transaction() as tx:
        state.put(tx, forking.MACHINE, "a" * 16)
    village.counter.machine = "a" * 16
    MailRound(village.counter).begin()
    assert "machine_changed" not in village.counter.alarms.now()
    village.counter.machine = "b" * 16
    MailRound(village.counter).begin()
    assert "machine_changed" in village.counter.alarms.now()
    assert "machine_changed" in village.noted()
    assert stopped(village) is None
    village.mail.turn()
    village.receipt(1)
    village.mail.turn()
    assert "machine_changed" in village.counter.alarms.now()
    village.collected()
    village.mail.turn()
    village.receipt()
    village.mail.turn()
    assert "machine_changed" not in village.counter.alarms.now()


def test_the_mark_of_a_machine_is_its_id_and_its_built_in_cards(tmp_path):
    for name, address, place in (("eth0", "02:00:00:00:00:01", "pci0"), ("eth1", "02:00:00:00:00:02", "usb1")):
        device = tmp_path / "devices" / place / name
        device.mkdir(parents=True)
        (tmp_path / "net" / name).mkdir(parents=True)
        (tmp_path / "net" / name / "device").symlink_to(device)
        (tmp_path / "net" / name / "address").write_text(address)
    (tmp_path / "id").write_text("0" * 32)
    mark = machine_mark(tmp_path / "id", tmp_path / "net")
    (tmp_path / "net" / "eth1" / "address").write_text("02:00:00:00:00:03")
    assert machine_mark(tmp_path / "id", tmp_path / "net") == mark
    (tmp_path / "net" / "eth0" / "address").write_text("02:00:00:00:00:04")
    assert machine_mark(tmp_path / "id", tmp_path / "net") != mark
    assert machine_mark(tmp_path / "no id", tmp_path / "no cards") == ""
