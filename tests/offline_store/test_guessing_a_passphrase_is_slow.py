"""Clerks: sign-in, and a lock-out that survives restart and clock."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework.application import Role
from offline_store.desk import clerks, passphrases
from offline_store.desk.clerks import FREE_FAILURES, LONGEST_WAIT, Clerk, wait_after
from offline_store.desk.database import Desk, open_desk
from offline_store.desk.passphrases import ONLY_FOR_TESTS, SIGN_IN
from offline_store.errors import LockedOut, Unknown, WrongPassphrase
from tests.offline_store.desk_fixtures import KEY, NOON, counted_randomness, new_desk

pytestmark = pytest.mark.node

AGENT = Clerk("z01", "张测试", Role.AGENT, "511603106205", active=True)
OTHER = Clerk("z02", "李样例", Role.AGENT, "", active=True)


@pytest.fixture(autouse=True)
def _cheap_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = passphrases.hashed("", bytes(16), ONLY_FOR_TESTS)
    monkeypatch.setattr(clerks, "_nobody", lambda: cheap)


def with_clerks(folder: Path) -> Desk:
    desk = new_desk(folder)
    randomness = counted_randomness()
    with desk.transaction() as tx:
        for clerk in (AGENT, OTHER):
            clerks.save(tx, clerk, "稻田水渠", randomness=randomness, cost=ONLY_FOR_TESTS)
    return desk


def fail(desk: Desk, times: int, now=NOON) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassphrase):
            clerks.sign_in(desk, "z01", "wrong", now)


def test_the_right_passphrase_opens_in_either_width(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        assert clerks.sign_in(desk, "z01", "稻田水渠", NOON) == AGENT
        with desk.transaction() as tx:
            clerks.save(tx, AGENT, "ABC １２３", randomness=counted_randomness(), cost=ONLY_FOR_TESTS)
        assert clerks.sign_in(desk, "z01", "ＡＢＣ 123", NOON) == AGENT
        with desk.reading() as tx:
            assert clerks.everyone(tx) == [AGENT, OTHER]


def test_nobody_and_the_dismissed_get_the_same_answer_as_a_wrong_passphrase(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        with desk.transaction() as tx:
            clerks.set_active(tx, "z02", active=False)
            with pytest.raises(Unknown):
                clerks.set_active(tx, "nobody", active=False)
        for name in ("nobody", "z02", ""):
            with pytest.raises(WrongPassphrase):
                clerks.sign_in(desk, name, "稻田水渠", NOON)


def test_after_some_failures_even_the_right_passphrase_has_to_wait(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        fail(desk, FREE_FAILURES)
        with pytest.raises(LockedOut) as locked:
            clerks.sign_in(desk, "z01", "稻田水渠", NOON)
        assert locked.value.until == NOON + wait_after(FREE_FAILURES)
        assert clerks.sign_in(desk, "z02", "稻田水渠", NOON) == OTHER
        assert clerks.sign_in(desk, "z01", "稻田水渠", locked.value.until) == AGENT
        fail(desk, FREE_FAILURES - 1)
        assert clerks.sign_in(desk, "z01", "稻田水渠", NOON) == AGENT


def test_the_lock_out_survives_a_restart_and_a_clock_set_back(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        fail(desk, FREE_FAILURES)
    with open_desk(tmp_path / "desk" / "desk.db", KEY) as again:
        with pytest.raises(LockedOut) as locked:
            clerks.sign_in(again, "z01", "稻田水渠", NOON)
        assert locked.value.until == NOON + wait_after(FREE_FAILURES)
        earlier = NOON - timedelta(days=3650)
        for _ in range(2):
            with pytest.raises(LockedOut) as locked:
                clerks.sign_in(again, "z01", "稻田水渠", earlier)
            assert locked.value.until == earlier + wait_after(FREE_FAILURES)
        assert clerks.sign_in(again, "z01", "稻田水渠", locked.value.until) == AGENT


def test_the_wait_grows_and_has_an_end(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        fail(desk, FREE_FAILURES)
        now, waits = NOON, []
        for _ in range(12):
            now += LONGEST_WAIT
            fail(desk, 1, now)
            with pytest.raises(LockedOut) as locked:
                clerks.sign_in(desk, "z01", "稻田水渠", now)
            waits.append(locked.value.until - now)
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=2)
    assert waits[-1] == LONGEST_WAIT


def test_an_attempt_counts_before_its_passphrase_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> bool:
        raise Killed

    with with_clerks(tmp_path) as desk:
        with monkeypatch.context() as patch:
            patch.setattr(passphrases, "matches", killed)
            for _ in range(FREE_FAILURES):
                with pytest.raises(Killed):
                    clerks.sign_in(desk, "z01", "稻田水渠", NOON)
        with pytest.raises(LockedOut):
            clerks.sign_in(desk, "z01", "稻田水渠", NOON)


def test_a_new_passphrase_ends_the_lock_out(tmp_path: Path) -> None:
    with with_clerks(tmp_path) as desk:
        fail(desk, FREE_FAILURES)
        with desk.transaction() as tx:
            clerks.save(tx, AGENT, "新口令", randomness=counted_randomness(), cost=ONLY_FOR_TESTS)
        assert clerks.sign_in(desk, "z01", "新口令", NOON) == AGENT


def test_the_cost_of_a_guess_is_kept_beside_the_hash() -> None:
    assert passphrases.hashed("a", bytes(16), ONLY_FOR_TESTS).split("$")[3] == "m=64,t=1,p=1"
    assert SIGN_IN.memory_kib * SIGN_IN.iterations >= 19 * 1024 * 2
