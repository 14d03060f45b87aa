"""After their time the papers of an application leave the node: what stays is its line of the register, and a chain
that can still be followed. After the desk got its new key nothing on the disk opens what was erased."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.events import Revoked
from casework.states import State
from edge_node.acts import audit, erasing, key_change, listing
from edge_node.acts import village as acts
from edge_node.counter.errors import Erased
from offline_store.desk import applications, journal, keyring, rekeying, scans, state
from offline_store.desk.connection import unlocked
from offline_store.desk.grams import PAIR, grams
from offline_store.errors import WrongDeskKey
from tests.edge_node.city import known, ruled
from tests.edge_node.village import CITY, MACHINE_KEY, Village
from tests.offline_store.city_hand import opened_by_city
from wire.exchange import may_be_purged

pytestmark = pytest.mark.node

NAME, ID_NO, STREET = "欧阳样例", "511602180001010014", "虚构村九组七号"
MARKERS = [NAME, ID_NO, STREET]


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path / "n")


def head(village: Village) -> int:
    with village.counter.desk.reading() as tx:
        return journal.head(tx).seq


def delivered(village: Village) -> str:
    """An application of whose life the city has told the end."""
    application_id = village.collected(applicant_name=NAME, applicant_id_no=ID_NO, applicant_address=STREET)
    ruled(village, application_id)
    village.receipt(scans_stored=[one.scan_hash for one in village.counter.outgoing.scan_tickets()])
    village.mail.turn()
    listing.detail(village.counter, village.who, application_id)
    acts.deliver(village.counter, village.who, application_id, NAME, "pickup_village")
    op_id = known(village, application_id).pending[0]
    village.mail.turn()
    village.tell(application_id, op_id=op_id)
    village.receipt()
    village.mail.turn()
    return application_id


def time_passes(village: Village, *, stable: int | None = None, days: int = 31) -> None:
    """So long that it is noted, backed up with the note, and erased."""
    village.clock.passes(days=days)
    for _ in range(2):
        village.receipt(stable=head(village) if stable is None else stable)
        village.mail.turn()
        erasing.erase_due(village.counter)


def time_comes(village: Village, *, days: int = 31) -> None:
    """It is due, and noted."""
    village.clock.passes(days=days)
    village.receipt(stable=head(village))
    village.mail.turn()
    assert audit.ERASING_DUE in village.noted()


def everything_in(village: Village) -> str:
    """The whole content of the desk, as whoever has its key reads it."""
    with village.counter.desk.reading() as tx:
        return dumped(tx.connection().exec_driver_sql)


def dumped(ask: Callable[[str], Any]) -> str:
    names = [str(row[0]) for row in ask("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    cells = [cell for name in names for row in ask(f"SELECT * FROM '{name}'") for cell in row]
    return "\n".join(cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in cells)


@pytest.mark.parametrize(
    ("seq", "outcome", "stable", "may"),
    [(7, "applied", 7, True), (7, "refused", 9, True), (7, None, 9, False), (8, "applied", 7, False)],
)
def test_the_one_rule_of_purging(seq, outcome, stable, may) -> None:
    assert may_be_purged(seq, outcome, stable) is may


def test_nothing_of_a_person_is_left_but_the_line_of_the_register(village: Village) -> None:
    other, application_id = village.collected(), delivered(village)
    receipt_no = known(village, application_id).shown.receipt_no
    assert all(one in everything_in(village) for one in MARKERS)
    hashes = [one.scan_hash for one in known(village, application_id).shown.scans]
    time_passes(village)
    line = known(village, application_id)
    assert line.erased_at is not None
    assert (line.shown.receipt_no, line.shown.state, line.shown.applicant.name) == (receipt_no, State.DELIVERED, "欧**")
    assert line.shown.decision.granted is True
    assert line.shown.collected_at
    assert line.shown.delivered_at
    assert not any(one in everything_in(village) for one in MARKERS)
    assert not any(village.counter.vault.has(one) for one in hashes)
    assert known(village, other).shown.form
    with village.counter.desk.reading() as tx:
        assert applications.page(tx, text=NAME).total == 0
        assert applications.by_receipt(tx, receipt_no).application_id == application_id
        assert scans.of_application(tx, application_id) == []
    assert audit.ERASED in village.noted()


def test_the_chain_is_followed_from_end_to_end_and_a_changed_link_is_still_found(village: Village) -> None:
    delivered(village)
    time_passes(village)
    public = village.counter.identity.public
    with village.counter.desk.reading() as tx:
        assert any(link.purged for link in journal.after(tx, 0))
        assert journal.broken_at(tx, public) is None
    with village.counter.desk.transaction() as tx:
        purged = next(link.seq for link in journal.after(tx, 0) if link.purged)
        tx.connection().exec_driver_sql("UPDATE journal SET link = zeroblob(32) WHERE seq = ?", (purged,))
        assert journal.broken_at(tx, public) == purged + 1


@pytest.mark.parametrize("held_back", ["stable", "time", "scan", "answer"])
def test_papers_wait_for_the_stable_mark_the_time_the_scans_and_the_answer(village: Village, held_back: str) -> None:
    application_id = delivered(village)
    if held_back == "scan":
        with village.counter.desk.transaction() as tx:
            scans.doubt_stored(tx)
    if held_back == "answer":
        with village.counter.desk.transaction() as tx:
            tx.connection().exec_driver_sql("UPDATE journal SET outcome = NULL WHERE op_id = ?", (application_id,))
    if held_back == "stable":
        time_passes(village, stable=1)
    else:
        time_passes(village, days=20 if held_back == "time" else 31)
    erasing.erase_due(village.counter)
    assert known(village, application_id).erased_at is None
    assert NAME in everything_in(village)


def test_what_the_city_said_last_has_to_be_stable_before_anything_goes(village: Village) -> None:
    application_id = delivered(village)
    time_comes(village)
    before = head(village)
    assert erasing.erase_due(village.counter) == 0
    assert known(village, application_id).erased_at is None
    village.receipt(stable=before - 1)
    village.mail.turn()
    assert erasing.erase_due(village.counter) == 0
    assert head(village) == before, "noted once"
    village.receipt(stable=before)
    village.mail.turn()
    assert erasing.erase_due(village.counter) == 1
    assert known(village, application_id).erased_at is not None


def test_a_word_of_the_city_after_the_note_asks_for_a_new_note(village: Village) -> None:
    application_id = delivered(village)
    time_comes(village)
    noted = head(village)
    village.tell(application_id, events=[Revoked(at=village.clock.wall, by=CITY, reason="虚构", basis="虚构")])
    village.receipt(stable=noted)
    village.mail.turn()
    village.clock.passes(days=31)
    village.receipt(stable=noted)
    village.mail.turn()
    assert erasing.erase_due(village.counter) == 0
    assert known(village, application_id).erased_at is None
    assert head(village) > noted
    time_passes(village, days=0)
    assert known(village, application_id).erased_at is not None


def test_a_doubtful_clock_erases_nothing(village: Village) -> None:
    application_id = delivered(village)
    village.receipt(stable=head(village))
    village.mail.turn()
    village.clock.wall += timedelta(days=3650)
    village.clock.boot_id = "f" * 32
    again = village.restarted()
    assert erasing.erase_due(again.counter) == 0
    assert known(again, application_id).erased_at is None


def test_a_line_of_the_register_is_shown_as_one_and_worked_on_by_nobody(village: Village) -> None:
    application_id = delivered(village)
    time_passes(village)
    row = listing.page(village.counter, village.who).rows[0]
    assert (row.application_id, row.applicant_masked, row.light) == (application_id, "欧**", "grey")
    assert row.erased_at is not None
    detail = listing.detail(village.counter, village.who, application_id)
    assert (detail.form, detail.scans, detail.handed_in, detail.acts) == ({}, [], [], [])
    with pytest.raises(Erased):
        acts.rate(village.counter, village.who, application_id, 1, "")
    assert known(village, application_id).pending == ()


def test_what_the_city_says_later_moves_the_line_and_brings_no_papers_back(village: Village) -> None:
    application_id = delivered(village)
    time_passes(village)
    at = village.clock.wall
    village.tell(application_id, events=[Revoked(at=at, by=CITY, reason=f"{NAME}的证件作废", basis="虚构")])
    village.mail.turn()
    line = known(village, application_id)
    assert (line.shown.state, line.shown.outcome_reason) == (State.REVOKED, "")
    assert NAME not in everything_in(village)


def test_a_feed_that_is_told_again_changes_no_line(village: Village) -> None:
    application_id = delivered(village)
    time_passes(village)
    before = known(village, application_id)
    village.gateway.case_seqs[application_id] = 0
    village.tell(application_id, op_id=application_id)
    village.mail.turn()
    assert known(village, application_id).shown == before.shown
    assert "feed_not_understood" not in village.counter.alarms.now()


def test_a_city_that_asks_for_what_was_purged_is_reported_and_gets_no_cut_envelope(village: Village) -> None:
    delivered(village)
    time_passes(village)
    village.receipt(hwm=1, epoch="d" * 32)
    village.mail.turn()
    assert "asked_for_purged" in village.counter.alarms.now()
    with village.counter.desk.reading() as tx:
        purged = {link.seq for link in journal.after(tx, 0) if link.purged}
    assert purged.isdisjoint(seq for seq, _ in village.posted())


# --- a new key --------------------------------------------------------------------------------------------------------


def raw(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def opened_by(key: bytes, files: dict[str, bytes], folder: Path) -> str:
    """What somebody reads who lays these files out and has this key; empty where the key opens nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "desk.db-shm").unlink(missing_ok=True)
    try:
        with closing(unlocked(folder / "desk.db", key)) as connection:
            return dumped(connection.execute)
    except WrongDeskKey:
        return ""


@pytest.mark.parametrize("changed", [True, False])
def test_after_a_purge_and_a_new_key_the_old_key_reads_nothing_and_old_files_have_no_key_left(
    village: Village, tmp_path: Path, changed: bool
) -> None:
    desk_folder, ring = village.counter.paths.desk_folder, village.counter.paths.keyring
    delivered(village)
    before = raw(desk_folder)
    old_key = keyring.unlock(ring, MACHINE_KEY)
    time_passes(village)
    shutil.copy(village.counter.paths.desk_db, desk_folder / "desk.db.before-0001")  # left by an upgrade
    if changed:
        village.counter.desk.change_key(ring, MACHINE_KEY, [], os.urandom)
    village.counter.desk.close()
    after = raw(desk_folder)
    keys_left = [rekeying.open_key(village.counter.paths.desk_db, ring, MACHINE_KEY)]
    assert NAME in opened_by(old_key, before, tmp_path / "then")
    assert (opened_by(old_key, after, tmp_path / "now") == "") is changed
    found = any(NAME in opened_by(key, before, tmp_path / "then") for key in keys_left)
    assert found is not changed  # the control: without a new key the copy of the old file is read
    if changed:
        assert old_key not in b"".join(after.values())
        assert "desk.db.before-0001" not in after
        assert [kind for kind, _ in keyring.slots(ring)] == ["machine", "city"]
        assert opened_by_city(ring, village.gateway.sealing) == keys_left[:1] != [old_key]


def test_the_search_index_keeps_no_word_of_what_was_erased(village: Village) -> None:
    delivered(village)
    time_passes(village)
    words = grams(NAME, PAIR).split()
    village.counter.desk.change_key(village.counter.paths.keyring, MACHINE_KEY, [], os.urandom)
    village.counter.desk.close()
    key = keyring.unlock(village.counter.paths.keyring, MACHINE_KEY)
    with closing(unlocked(village.counter.paths.desk_db, key)) as connection:
        blocks = [bytes(row[0]) for row in connection.execute("SELECT block FROM application_words_data")]
    assert not any(word.encode() in block for word in words for block in blocks)


def test_the_desk_works_on_under_its_new_key_and_after_a_restart(village: Village) -> None:
    application_id = village.collected()
    village.counter.desk.change_key(village.counter.paths.keyring, MACHINE_KEY, [], os.urandom)
    second = village.collected()
    assert village.counter.desk.check() == []
    again = village.restarted()
    assert {known(again, one).application_id for one in (application_id, second)} == {application_id, second}


def test_the_key_is_changed_some_days_after_an_erasing_while_nobody_is_at_work(village: Village) -> None:
    counter = village.counter
    counter.change_key = lambda: counter.desk.change_key(counter.paths.keyring, MACHINE_KEY, [], os.urandom)
    before = keyring.unlock(counter.paths.keyring, MACHINE_KEY)
    delivered(village)
    time_passes(village)
    assert not key_change.change_if_due(counter)  # erased just now
    village.clock.passes(days=8)
    village.receipt()
    village.mail.turn()
    assert keyring.unlock(counter.paths.keyring, MACHINE_KEY) != before
    assert audit.REKEYED in village.noted()
    with counter.desk.reading() as tx:
        assert state.get(tx, rekeying.WANTED) is None
    assert not key_change.change_if_due(counter)


def test_a_wall_clock_years_ahead_at_the_erasing_does_not_keep_the_old_key(village: Village) -> None:
    delivered(village)
    time_comes(village)
    village.receipt(stable=head(village))
    village.mail.turn()
    village.clock.boot_id = "f" * 32
    village.clock.wall += timedelta(days=700)
    again = village.restarted()
    assert erasing.erase_due(again.counter) == 1
    again.clock.wall -= timedelta(days=700)
    with again.counter.desk.reading() as tx:
        since = state.get(tx, rekeying.WANTED)
        assert rekeying.is_due(tx, again.clock.wall + timedelta(days=8), timedelta(days=7)), since


def test_an_act_written_by_a_clock_years_ahead_is_kept_no_longer_than_others(village: Village) -> None:
    application_id = village.collected()
    ruled(village, application_id)
    village.receipt(scans_stored=[one.scan_hash for one in village.counter.outgoing.scan_tickets()])
    village.mail.turn()
    true, village.clock.boot_id = village.clock.wall, "f" * 32
    village.clock.wall += timedelta(days=700)
    village = village.restarted()
    acts.deliver(village.counter, village.who, application_id, NAME, "pickup_village")
    op_id = known(village, application_id).pending[0]
    village.clock.wall = true
    for _ in range(2):  # the first receipt after a start may be old
        village.mail.turn()
        village.receipt()
    village.mail.turn()
    village.tell(application_id, op_id=op_id)
    village.mail.turn()
    time_passes(village)
    assert known(village, application_id).erased_at is not None


def test_while_somebody_works_the_key_waits(village: Village) -> None:
    counter = village.counter
    counter.change_key = lambda: counter.desk.change_key(counter.paths.keyring, MACHINE_KEY, [], os.urandom)
    delivered(village)
    time_passes(village)
    village.clock.passes(days=8)
    village.receipt()
    village.mail._receipts.look(counter)
    token, _ = counter.sessions.begin(village.who.actor, "张测试")
    assert not key_change.change_if_due(counter)
    counter.sessions.end(token)
    assert key_change.change_if_due(counter)
