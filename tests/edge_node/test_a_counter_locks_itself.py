"""Sessions: in memory, locked after ten idle minutes, opened again only by a passphrase."""

import itertools

import pytest

from casework.application import Actor, Role
from edge_node.counter.errors import CounterLocked, NobodySignedIn
from edge_node.counter.sessions import FORGET_SECONDS, FORMS_KEPT, Sessions
from wire.counter import IDLE_LOCK_SECONDS

pytestmark = pytest.mark.fast

AGENT = Actor(Role.AGENT, "dby01", "a" * 32, "511603106205")


class Hand:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def sessions(hand):
    numbers = itertools.count(1)
    return Sessions(hand, lambda size: next(numbers).to_bytes(size, "big"))


def test_a_session_says_who_acts(sessions):
    token, who = sessions.begin(AGENT, "张测试")
    assert sessions.at_counter(token) == who
    assert token not in repr(who)


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_without_a_session_nobody_acts(sessions, token):
    with pytest.raises(NobodySignedIn):
        sessions.at_counter(token)


def test_an_idle_counter_locks_and_a_call_does_not_open_it(sessions, hand):
    token, who = sessions.begin(AGENT, "张测试")
    hand.now = IDLE_LOCK_SECONDS + 1
    for _ in range(2):
        with pytest.raises(CounterLocked):
            sessions.at_counter(token)
    assert sessions.unlock(token) == who
    assert sessions.at_counter(token) == who


def test_work_keeps_the_counter_open(sessions, hand):
    token, who = sessions.begin(AGENT, "张测试")
    for _ in range(5):
        hand.now += IDLE_LOCK_SECONDS - 1
        assert sessions.at_counter(token) == who


def test_a_session_of_yesterday_is_forgotten(sessions, hand):
    token, _ = sessions.begin(AGENT, "张测试")
    hand.now = FORGET_SECONDS + 1
    with pytest.raises(NobodySignedIn):
        sessions.unlock(token)


def test_signing_out_ends_it_and_twice_is_quiet(sessions):
    token, who = sessions.begin(AGENT, "张测试")
    assert sessions.end(token) == who
    assert sessions.end(token) is None
    with pytest.raises(NobodySignedIn):
        sessions.at_counter(token)


def test_half_typed_forms_are_bounded_and_leave_with_their_session(sessions):
    token, who = sessions.begin(AGENT, "张测试")
    for number in range(FORMS_KEPT + 1):
        sessions.keep_typed(who, f"/form/{number}", (("reason", "x"),))
    assert sessions.typed(who, "/form/0") is None
    assert sessions.typed(who, f"/form/{FORMS_KEPT}") == (("reason", "x"),)
    sessions.end(token)
    assert sessions.typed(who, f"/form/{FORMS_KEPT}") is None
    sessions.keep_typed(who, "/form/1", (("reason", "x"),))
    assert sessions.typed(who, "/form/1") is None
