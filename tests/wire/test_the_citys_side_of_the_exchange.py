"""The city's side of the conversation: what is new, what forks, what is said, and that it is kept before it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.audit_chain import GENESIS, Head, Link
from wire.errors import IllegalStep
from wire.exchange import (
    FORGED,
    FORK,
    STOPPED,
    TRANSITIONS,
    Answer,
    Asked,
    BackedUp,
    CityExchange,
    Kept,
    LeadBack,
    Phase,
    Refuse,
    Restored,
    StoodDown,
    Stop,
    Store,
    Tell,
    TurnPage,
    Undone,
    advance,
)
from wire.exchange.diagram import render

pytestmark = pytest.mark.fast


def name(seq: int, salt: int = 0) -> bytes:
    return bytes([seq, salt]) * 16


def chain(first: int, last: int, salt: int = 0) -> tuple[Link, ...]:
    """Links that follow one another; below number `first` the chain is the unsalted one."""
    prev = name(first - 1) if first > 1 else GENESIS.hash
    links = []
    for seq in range(first, last + 1):
        links.append(Link(seq, prev, name(seq, salt)))
        prev = name(seq, salt)
    return tuple(links)


def holding(hwm: int, **other: object) -> CityExchange:
    return CityExchange(**({"head": Head(hwm, name(hwm)) if hwm else GENESIS, "epoch": "e1"} | other))


EVENTS = {
    Asked: Asked(),
    Kept: Kept(),
    Undone: Undone(),
    BackedUp: BackedUp(1),
    StoodDown: StoodDown("revoked"),
    Restored: Restored("e2", GENESIS),
}


@pytest.mark.parametrize("phase", [Phase.SERVING, Phase.KEEPING, Phase.STOPPED])
@pytest.mark.parametrize("kind", EVENTS)
def test_a_step_of_the_city_that_is_not_in_the_table_is_illegal(phase: Phase, kind: type) -> None:
    before = holding(3, phase=phase)
    if kind in TRANSITIONS[phase]:
        assert advance(before, EVENTS[kind])[0].phase in TRANSITIONS[phase][kind].to
        return
    with pytest.raises(IllegalStep):
        advance(before, EVENTS[kind])


def test_the_committed_drawing_is_the_generated_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "machines" / "exchange.md"
    assert page.read_text() == render()


def test_what_continues_the_chain_is_stored_and_said_only_when_it_is_kept() -> None:
    keeping, done = advance(holding(2, stable=1), Asked(chain(3, 5), feed_cursor=0))
    assert done == (Store(chain(3, 5), Head(5, name(5))), TurnPage(0))
    assert (keeping.phase, keeping.head.seq) == (Phase.KEEPING, 2)
    after, said = advance(keeping, Kept())
    assert (after.phase, after.head, said) == (Phase.SERVING, Head(5, name(5)), (Answer(Head(5, name(5)), 1, "e1"),))


def test_what_could_not_be_kept_was_never_there() -> None:
    keeping, _ = advance(holding(2), Asked(chain(3, 5)))
    assert advance(keeping, Undone()) == (holding(2), ())


def test_known_links_are_passed_over_and_a_hole_only_asks() -> None:
    known = {2: name(2), 3: name(3)}.get
    _, done = advance(holding(3), Asked((*chain(2, 4), *chain(6, 7)), hash_at=known))
    assert done[0] == Store(chain(4, 4), Head(4, name(4)))


@pytest.mark.parametrize(
    "links", [(*chain(4, 4), Link(5, name(9), name(5, 1))), (*chain(4, 4), Link(2, name(1), name(2, 1)))]
)
def test_a_fork_stops_the_identity_and_what_came_before_is_kept(links: tuple[Link, ...]) -> None:
    keeping, done = advance(holding(3), Asked(links, hash_at={2: name(2)}.get))
    assert done == (Store(chain(4, 4), Head(4, name(4))), Stop(FORK))
    after, said = advance(keeping, Kept())
    assert (after.phase, after.head.seq, said) == (Phase.STOPPED, 4, (Refuse(FORK),))
    assert advance(after, Asked(chain(5, 6))) == (after, (Refuse(FORK),))


def test_a_fork_inside_the_batch_is_seen_against_what_the_batch_brought() -> None:
    _, done = advance(holding(0), Asked((*chain(1, 3), Link(2, name(1), name(2, 7)))))
    assert Stop(FORK) in done


def test_a_fork_whose_keeping_failed_is_found_again() -> None:
    keeping, _ = advance(holding(3), Asked((Link(4, name(9), name(4)),)))
    back, _ = advance(keeping, Undone())
    assert back == holding(3)


def test_a_batch_that_begins_with_a_forged_envelope_is_refused_and_changes_nothing() -> None:
    before = holding(3)
    assert advance(before, Asked((), forged=True)) == (before, (Refuse(FORGED),))
    assert advance(before, Asked(chain(4, 4), forged=True))[1][0] == Store(chain(4, 4), Head(4, name(4)))
    assert advance(before, Asked(chain(6, 6), forged=True))[1][0] == Store((), before.head)


@pytest.mark.parametrize(
    ("cursor", "said", "own", "head", "parted"),
    [
        (0, None, None, 9, False),
        (4, name(4), name(4), 9, False),
        (4, name(4), name(5), 9, True),
        (4, name(4), name(4), 3, True),
        (4, None, name(5), 9, False),
    ],
)
def test_a_node_that_holds_another_feed_is_led_back(
    cursor: int, said: bytes | None, own: bytes | None, head: int, parted: bool
) -> None:
    asked = Asked(feed_cursor=cursor, feed_hash=said, own_feed_hash=own, feed_head=head)
    assert advance(holding(1), asked)[1][-1] == (LeadBack() if parted else TurnPage(cursor))


def test_a_stopped_identity_is_told_why_and_nothing_of_it_is_looked_at() -> None:
    stopped, done = advance(holding(3), StoodDown("revoked"))
    assert (done, stopped.stopped_for) == ((Stop("revoked"),), "revoked")
    assert advance(stopped, Asked(chain(4, 4))) == (stopped, (Refuse(STOPPED),))


def test_the_stable_mark_never_falls_and_never_passes_the_head() -> None:
    once, _ = advance(holding(5), BackedUp(9))
    again, _ = advance(once, BackedUp(2))
    assert (once.stable, again.stable) == (5, 5)


def test_a_restore_begins_an_epoch_and_tells_when_it_lost_what_was_promised() -> None:
    kept, done = advance(holding(5, stable=3), Restored("e2", Head(3, name(3))))
    assert (kept, done) == (holding(3, stable=3, epoch="e2"), ())
    lost, done = advance(holding(5, stable=3), Restored("e2", Head(2, name(2))))
    assert (lost.stable, done) == (2, (Tell("ledger.below_stable"),))
    assert advance(holding(5), Restored("e2", GENESIS, stopped_for="fork"))[0].phase is Phase.STOPPED


@given(held=st.integers(0, 20), first=st.integers(1, 25), last=st.integers(0, 30), drop=st.sets(st.integers(1, 30)))
def test_the_mark_covers_what_is_held_whatever_the_batch(held: int, first: int, last: int, drop: set[int]) -> None:
    links = tuple(link for link in chain(first, last) if link.seq not in drop)
    before = holding(held)
    keeping, (store, *_) = advance(before, Asked(links, hash_at=lambda seq: name(seq) if seq <= held else None))
    assert isinstance(store, Store)
    assert [link.seq for link in store.links] == list(range(held + 1, store.head.seq + 1))
    after, _ = advance(keeping, Kept())
    assert after.head == store.head
