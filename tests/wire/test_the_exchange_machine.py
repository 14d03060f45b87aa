"""The node's side of the conversation: obeys the mark, finds forks, and an illegal step changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wire.errors import IllegalStep
from wire.exchange import (
    TRANSITIONS,
    Answered,
    Ask,
    Brought,
    DeliverFeed,
    Doubt,
    Epoch,
    GoBack,
    GoBackInFeed,
    Halt,
    KeepReceipt,
    NodeExchange,
    Phase,
    Resume,
    Send,
    Silence,
    Tell,
    WaitFor,
    advance,
)
from wire.judgement import Accepted, NotNow, Refused
from wire.messages import Refusal
from wire.receipt import CARRIED, Receipt, page_hash

pytestmark = pytest.mark.fast

NONCE = "0b" * 16
NOW = datetime(2026, 11, 23, tzinfo=UTC)
HERE, THERE = "02" * 16, "0e" * 16


def accepted(*, hwm: int = 0, nonce: str = NONCE, feed: int = 0, at: int = 0, **other: object) -> Accepted:
    page = tuple(bytes([number]) for number in range(feed))
    parts = {
        "gateway": "01" * 16,
        "epoch": "02" * 16,
        "node": "0a" * 16,
        "hwm": hwm,
        "head_hash": "03" * 32,
        "stable_hwm": 0,
        "server_time": NOW,
        "nonce": nonce,
        "feed_head": at + feed,
        "feed_more": False,
        "page_hash": page_hash(page),
    }
    return Accepted(Receipt(**(parts | other)), {}, page)


def waiting(**other: object) -> NodeExchange:
    asked = {"phase": Phase.WAITING, "nonce": NONCE, "asked_after": other.get("feed_cursor", 0)}
    return NodeExchange(**(asked | other))


def epochs(*names: str, at: datetime = NOW) -> tuple[Epoch, ...]:
    return tuple(Epoch(name, at, names[:place]) for place, name in enumerate(names))


EVENTS = {
    Ask: Ask(NONCE),
    Answered: Answered(NotNow("x")),
    Brought: Brought(accepted()),
    Silence: Silence(),
    Resume: Resume(),
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("kind", EVENTS)
def test_a_step_that_is_not_in_the_table_is_illegal_and_changes_nothing(phase: Phase, kind: type) -> None:
    before = NodeExchange(phase=phase, hwm=3, nonce=NONCE if phase is Phase.WAITING else None)
    if kind in TRANSITIONS[phase]:
        advance(before, EVENTS[kind])
        return
    with pytest.raises(IllegalStep) as told:
        advance(before, EVENTS[kind])
    assert told.value.allowed == tuple(sorted(allowed.__name__ for allowed in TRANSITIONS[phase]))
    assert before == NodeExchange(phase=phase, hwm=3, nonce=before.nonce)


def test_asking_sends_what_the_city_does_not_have() -> None:
    after, done = advance(NodeExchange(hwm=7, feed_cursor=4), Ask(NONCE))
    assert done == (Send(7, 4, NONCE),)
    assert (after.phase, after.nonce) == (Phase.WAITING, NONCE)


def test_a_receipt_is_kept_before_anything_else_and_moves_the_mark() -> None:
    verdict = accepted(hwm=9, feed=2, at=4, stable_hwm=5)
    after, done = advance(waiting(hwm=7, feed_cursor=4), Answered(verdict, written=9))
    assert done == (KeepReceipt(verdict.receipt, {}), DeliverFeed(5, verdict.feed))
    assert (after.hwm, after.stable, after.feed_cursor, after.phase) == (9, 5, 6, Phase.READY)


def test_a_mark_that_goes_backwards_is_obeyed() -> None:
    after, done = advance(waiting(hwm=7), Answered(accepted(hwm=2, epoch="0e" * 16), written=9))
    assert GoBack(2) in done
    assert after.hwm == 2
    assert advance(after, Ask("0c" * 16))[1] == (Send(2, 0, "0c" * 16),)


def test_a_feed_that_became_shorter_is_read_from_its_beginning() -> None:
    """A node knows only its last link: what lies below the new end may be another feed, too."""
    after, done = advance(waiting(feed_cursor=9), Answered(accepted(feed_head=5)))
    assert GoBackInFeed(0) in done
    assert after.feed_cursor == 0


def test_a_mark_beyond_the_own_journal_is_a_fork() -> None:
    after, done = advance(waiting(hwm=3), Answered(accepted(hwm=8), written=5))
    assert (after.phase, after.hwm) == (Phase.HALTED, 3)
    assert done[-1] == Halt("chain.fork")


def test_a_head_that_is_not_the_own_envelope_is_a_fork() -> None:
    after, done = advance(waiting(hwm=3), Answered(accepted(hwm=4), written=5, hash_at=lambda _seq: bytes(32)))
    assert (after.phase, done[-1]) == (Phase.HALTED, Halt("chain.fork"))
    same = Answered(accepted(hwm=4), written=5, hash_at=lambda _seq: bytes([3]) * 32)
    assert advance(waiting(hwm=3), same)[0].phase is Phase.READY


def test_an_answer_to_an_earlier_question_changes_nothing() -> None:
    after, done = advance(waiting(hwm=3), Answered(accepted(hwm=9, nonce="ff" * 16)))
    assert (after.hwm, after.phase) == (3, Phase.READY)
    assert done == (WaitFor("wire.replayed"),)


def test_an_epoch_that_was_left_behind_is_not_believed_again() -> None:
    after, done = advance(waiting(epochs=epochs(HERE)), Answered(accepted(epoch=THERE, epochs_left=[HERE])))
    assert (after.epochs, Doubt() in done) == (epochs(HERE, THERE), True)
    for event in (Answered(accepted(hwm=9, epoch=HERE)), Brought(accepted(hwm=9, epoch=HERE))):
        again, done = advance(waiting(epochs=after.epochs, hwm=3), event)
        assert (again.hwm, done) == (3, (WaitFor("receipt.abandoned_epoch"),))


def test_what_another_road_brings_is_obeyed_and_the_open_question_stays_open() -> None:
    brought = accepted(hwm=8, nonce="ff" * 16, feed=3, at=4, server_time=NOW + timedelta(hours=1))
    after, done = advance(waiting(hwm=7, feed_cursor=5, epochs=epochs(HERE)), Brought(brought, first=5, written=9))
    assert done == (KeepReceipt(brought.receipt, {}), DeliverFeed(5, brought.feed))
    assert (after.phase, after.nonce, after.hwm, after.feed_cursor) == (Phase.WAITING, NONCE, 8, 7)
    answer = accepted(hwm=9, feed=2, at=5)
    after, done = advance(after, Answered(answer, written=9))
    assert (after.feed_cursor, done[1]) == (7, DeliverFeed(6, answer.feed))


def test_a_page_brought_with_a_hole_before_it_is_left_lying() -> None:
    after, done = advance(NodeExchange(feed_cursor=2), Brought(accepted(hwm=1, feed=3, at=4), first=5))
    assert (after.feed_cursor, after.hwm, [type(one) for one in done]) == (2, 1, [KeepReceipt])


def test_an_old_receipt_brought_again_changes_nothing() -> None:
    now = NodeExchange(hwm=7, stable=4, feed_cursor=5, epochs=epochs(HERE))
    shorter = {"hwm": 7, "stable_hwm": 4, "feed_head": 4, "nonce": CARRIED}
    for older in ({"hwm": 6}, {"hwm": 7, "stable_hwm": 3}, shorter):
        for at in (NOW - timedelta(hours=1), NOW):
            replayed = accepted(**({"feed_head": 9, "server_time": at} | older))
            assert advance(now, Brought(replayed)) == (now, (WaitFor("wire.replayed"),))


def test_a_shorter_feed_from_the_line_leads_back_even_while_the_citys_clock_stands_still() -> None:
    now = NodeExchange(hwm=7, stable=4, feed_cursor=5, epochs=epochs(HERE))
    for at in (NOW - timedelta(days=3650), NOW):
        after, done = advance(now, Brought(accepted(hwm=7, stable_hwm=4, feed_head=0, server_time=at)))
        assert (after.feed_cursor, after.hwm, GoBackInFeed(0) in done) == (0, 7, True)


def test_a_clock_of_the_city_that_was_set_right_silences_no_other_road() -> None:
    now = NodeExchange(hwm=7, stable=4, feed_cursor=5, epochs=epochs(HERE, at=NOW + timedelta(days=3650)))
    after, _ = advance(now, Brought(accepted(hwm=8, stable_hwm=4, feed_head=5)))
    assert (after.hwm, after.epochs) == (8, epochs(HERE))


def test_a_newer_word_that_says_less_is_obeyed_for_the_city_may_have_been_set_back() -> None:
    now = NodeExchange(hwm=7, epochs=epochs(HERE))
    after, done = advance(now, Brought(accepted(hwm=2, server_time=NOW + timedelta(hours=1))))
    assert (after.hwm, GoBack(2) in done, Doubt() in done) == (2, True, True)


def test_a_timeline_that_is_over_is_known_even_to_a_node_that_never_heard_of_it() -> None:
    """The gateway that was given up goes on talking, with a clock that is years ahead."""
    new, _ = advance(waiting(), Answered(accepted(hwm=4, epoch=THERE, epochs_left=[HERE])))
    late = accepted(hwm=9, epoch=HERE, server_time=NOW + timedelta(days=3650))
    assert advance(new, Brought(late)) == (new, (WaitFor("receipt.abandoned_epoch"),))
    assert advance(replace(new, phase=Phase.WAITING, nonce=NONCE), Answered(late))[0] == new


def test_a_declared_successor_is_believed_whatever_the_clocks_said() -> None:
    now = NodeExchange(hwm=7, epochs=epochs(HERE, at=NOW + timedelta(days=3650)))
    after, _ = advance(now, Brought(accepted(hwm=3, epoch=THERE, nonce=CARRIED, epochs_left=[HERE])))
    assert (after.hwm, after.epoch) == (3, Epoch(THERE, NOW, (HERE,)))


def test_of_two_timelines_from_one_backup_the_living_one_counts() -> None:
    """Neither has left the other. A carrier's word must not be older; a fresh answer is alive."""
    later = NOW + timedelta(hours=1)
    there, _ = advance(NodeExchange(), Brought(accepted(hwm=5, epoch=THERE, server_time=later)))
    stray = accepted(hwm=3, epoch=HERE, nonce=CARRIED)
    assert advance(there, Brought(stray)) == (there, (WaitFor("wire.replayed"),))
    latest = later + timedelta(hours=1)
    strayed, _ = advance(there, Brought(accepted(hwm=3, epoch=HERE, nonce=CARRIED, server_time=latest)))
    back, _ = advance(
        replace(strayed, phase=Phase.WAITING, nonce=NONCE), Answered(accepted(hwm=6, epoch=THERE, server_time=NOW))
    )
    assert (strayed.hwm, back.hwm, back.epoch) == (3, 6, Epoch(THERE, NOW))


def test_a_fork_is_seen_on_any_road() -> None:
    halted, done = advance(NodeExchange(hwm=3), Brought(accepted(hwm=8), written=5))
    assert (halted.phase, halted.hwm, done[-1]) == (Phase.HALTED, 3, Halt("chain.fork"))


@pytest.mark.parametrize("event", [Silence("reset"), Answered(NotNow("http_503", 30))])
def test_not_now_and_silence_keep_the_mark(event: Silence | Answered) -> None:
    after, done = advance(waiting(hwm=3, stable=1, feed_cursor=2), event)
    assert after == NodeExchange(hwm=3, stable=1, feed_cursor=2)
    assert done in ((WaitFor("reset"),), (WaitFor("http_503", 30),))


def test_a_signed_refusal_is_shown_and_a_fork_halts_until_somebody_clears_it() -> None:
    refusal = Refusal(code="exchange.too_large", server_time=datetime(2026, 11, 23, tzinfo=UTC))
    after, done = advance(waiting(), Answered(Refused(refusal.code, refusal)))
    assert (after.phase, done[0]) == (Phase.READY, Tell("exchange.too_large"))
    for code in ("chain.fork", "fork"):
        halted, done = advance(waiting(), Answered(Refused(code, refusal)))
        assert (halted.phase, done) == (Phase.HALTED, (Halt(code),))
    assert advance(halted, Resume())[0].phase is Phase.READY


@given(hwm=st.integers(0, 50), before=st.integers(0, 50), stable=st.integers(0, 50))
def test_after_every_receipt_the_mark_is_the_citys(hwm: int, before: int, stable: int) -> None:
    after, _ = advance(waiting(hwm=before), Answered(accepted(hwm=hwm, stable_hwm=stable), written=50))
    assert (after.hwm, after.stable) == (hwm, stable)


class TalkOverABadRoad(RuleBasedStateMachine):
    """A city that stores, forgets on restore, and answers late: nothing the node wrote is ever skipped."""

    def __init__(self) -> None:
        super().__init__()
        self.node = NodeExchange()
        self.written = 0
        self.city: list[int] = []
        self.sent: list[int] = []
        self.asked = 0
        self.epoch = 1

    @rule()
    def write(self) -> None:
        self.written += 1

    @rule()
    def ask(self) -> None:
        if self.node.phase is Phase.READY:
            self.asked += 1
            self.node, (send,) = advance(self.node, Ask(f"{self.asked:032x}"))
            assert isinstance(send, Send)
            self.sent = list(range(send.after + 1, self.written + 1))

    @rule(arrives=st.integers(0, 5), answered=st.booleans())
    def answer(self, arrives: int, answered: bool) -> None:
        if self.node.phase is not Phase.WAITING:
            return
        for seq in self.sent[:arrives]:
            if seq == len(self.city) + 1:
                self.city.append(seq)
        if not answered:
            self.node, _ = advance(self.node, Silence())
            return
        verdict = accepted(hwm=len(self.city), nonce=f"{self.asked:032x}", epoch=f"{self.epoch:032x}")
        self.node, _ = advance(self.node, Answered(verdict, written=self.written))
        assert self.node.hwm == len(self.city)

    @rule(back=st.integers(1, 5))
    def restore(self, back: int) -> None:
        del self.city[max(0, len(self.city) - back) :]
        self.epoch += 1

    @invariant()
    def the_city_has_no_holes_and_the_node_is_never_halted(self) -> None:
        assert self.city == list(range(1, len(self.city) + 1))
        assert self.node.phase is not Phase.HALTED

    def teardown(self) -> None:
        if self.node.phase is Phase.WAITING:
            self.answer(0, answered=True)
        for _ in range(2):  # the first question may learn of a restore, the second brings everything
            self.ask()
            self.answer(10**6, answered=True)
        assert self.city == list(range(1, self.written + 1))


TestTalkOverABadRoad = TalkOverABadRoad.TestCase
