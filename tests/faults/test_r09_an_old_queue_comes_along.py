"""R09: the queue of every earlier release comes along, whole and in order, whatever happens to the migration; a desk of
a newer release is refused untouched.

A gateway two versions away is shown in S11; the kill at every call of the migration is a flow of R01, too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from offline_store.desk import journal, upgrading
from offline_store.desk.connection import unlocked
from offline_store.desk.database import open_desk
from offline_store.errors import NewerDesk
from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.old_queue import KEY, Waiting, old_desk
from tests.faults.tally import record

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

PENDING = 1000


def not_come_along(path: Path, waiting: list[Waiting]) -> list[str]:
    """What of the old queue is not in the desk of this release as it was."""
    with open_desk(path, KEY) as desk, desk.reading() as tx:
        problems = desk.check()
        unposted = {link.seq: link for link in journal.unposted(tx, limit=10 * PENDING)}
        for one in waiting:
            link = unposted.get(one.seq)
            if link is None or link.op_id != one.op_id or link.envelope != one.envelope:
                problems.append(f"{one.seq} is lost or changed")
            elif journal.hash_at(tx, one.seq) != one.link:
                problems.append(f"{one.seq} does not follow")
    return problems


@pytest.mark.parametrize("release", upgrading.RELEASES)
def test_a_thousand_operations_of_an_old_release_come_along(release: str, tmp_path: Path) -> None:
    waiting = old_desk(tmp_path, release, PENDING)
    assert upgrading.form_of(tmp_path / "desk.db", KEY) == release
    lost = not_come_along(tmp_path / "desk.db", waiting)
    record("R09", f"release {release}", PENDING, len(lost), 0)
    assert lost == []
    assert upgrading.form_of(tmp_path / "desk.db", KEY) == upgrading.RELEASES[-1]


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
def test_a_kill_at_every_call_of_a_migration_loses_nothing_of_a_thousand(tmp_path: Path) -> None:
    outcome = outcome_of("strike", "migrate a long queue", tmp_path / "strikes", "--step", 1)
    record("R09", "killed at every call", outcome["struck"], len(outcome["broken"]), 0)
    assert outcome["broken"] == []


def test_a_desk_of_a_newer_release_is_refused_untouched(tmp_path: Path) -> None:
    old_desk(tmp_path, upgrading.RELEASES[-1], 3)
    path = tmp_path / "desk.db"
    connection = unlocked(path, KEY)
    connection.execute(f"UPDATE {upgrading.VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(NewerDesk):
        open_desk(path, KEY)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_queue_in_which_one_operation_was_dropped_is_found_out(tmp_path: Path) -> None:
    waiting = old_desk(tmp_path, upgrading.RELEASES[0], 5)
    connection = unlocked(tmp_path / "desk.db", KEY)
    connection.execute("DELETE FROM journal WHERE seq = ?", (waiting[2].seq,))
    connection.close()
    lost = not_come_along(tmp_path / "desk.db", waiting)
    record("R09", "control: an operation dropped by the migration", 1, len(lost), 0)
    assert lost
