"""The machine behind admission: first come first served by node, everybody's turn comes, all memory is bounded, and
those who were sent away together do not come back together."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city_gateway.errors import Busy
from city_gateway.turns import KEPT_AFTER_DUE_S, MEASURED_TURNS, Bounds, Standing, Turn, Turns

pytestmark = pytest.mark.fast

SMALL = Bounds(at_once=2, light_at_once=1, inside=5, inside_bytes=1000, per_node=2, kept=6, longest_wait_s=1e9)


def half() -> float:
    return 0.5


def node(number: int) -> str:
    return f"{number:032x}"


def come(turns: Turns, who: int, now: float, size: int = 10) -> Turn:
    turn, _ = turns.arrive(node(who), size, now)
    turns.ready(turn, now)
    return turn


steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "ready", "ask", "leave", "too_long", "time", "held"]),
        st.integers(0, 9),
        st.integers(0, 600),
    ),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_comes_memory_is_bounded_no_place_is_idle_and_no_later_one_is_kept_for_an_earlier(said) -> None:
    turns, now, held = Turns(half, SMALL), 0.0, 0
    alive: list[Turn] = []
    for what, which, size in said:
        now += 0.01
        chosen = alive[which % len(alive)] if alive else None
        match what:
            case "arrive" | "held":
                number = turns.kept[node(which)].number if node(which) in turns.kept else None
                try:
                    turn, leaving = turns.arrive(node(which), size, now, was_held=what == "held")
                except Busy:
                    assert what == "arrive"
                    assert number is None or all(one.number < number for one in turns.room) or _bytes_are_short(turns)
                else:
                    held += what == "held"
                    alive.append(turn)
                    assert all(one.standing is Standing.SENT_AWAY for one in leaving)
                    assert all(one.number > turn.number or one.node_id == turn.node_id for one in leaving)
            case "ready" | "ask" if chosen:
                turns.ready(chosen, now, light=what == "ask")
            case "leave" if chosen:
                turns.leave(chosen, now)
                alive.remove(chosen)
            case "too_long" if chosen:
                turns.waited_too_long(chosen, now)
            case "time":
                now += size
        inside = [one for one in alive if one.standing in (Standing.COMING, Standing.WAITING)]
        working = [one for one in alive if one.standing is Standing.WORKING]
        assert sorted(turns.room, key=lambda one: one.place) == turns.room
        assert {one.serial for one in turns.room} == {one.serial for one in inside}
        assert turns.working == len(working)
        assert turns.inside_bytes == sum(one.size for one in [*inside, *working])
        assert len(turns.room) <= SMALL.inside + held
        assert len(turns.kept) <= SMALL.kept
        assert sum(not one.light for one in working) <= SMALL.at_once
        assert sum(one.light for one in working) <= SMALL.light_at_once
        waiting = [one for one in inside if one.standing is Standing.WAITING]
        assert not (any(not one.light for one in waiting) and sum(not one.light for one in working) < SMALL.at_once)
        assert not (any(one.light for one in waiting) and not any(one.light for one in working))


def _bytes_are_short(turns: Turns) -> bool:
    return turns.inside_bytes > SMALL.inside_bytes - 600


def test_the_earlier_number_is_called_first_whoever_came_in_last() -> None:
    turns = Turns(half, Bounds(at_once=1, inside=2, longest_wait_s=1e9))
    working, second, third = come(turns, 1, 0.0), come(turns, 2, 0.0), come(turns, 3, 0.0)
    with pytest.raises(Busy):
        come(turns, 4, 0.0)
    turns.leave(second, 0.1)  # its line broke
    fifth = come(turns, 5, 0.2)
    again, leaving = turns.arrive(node(2), 10, 0.3)
    turns.ready(again, 0.3)
    assert ([one.node_id for one in leaving], fifth.standing) == ([node(5)], Standing.SENT_AWAY)
    assert turns.leave(working, 1.0) == [again]
    assert turns.leave(again, 2.0) == [third]


def test_who_came_late_waits_for_the_absent_with_earlier_numbers_but_not_before_an_empty_room() -> None:
    turns = Turns(half, Bounds(at_once=1, inside=2, longest_wait_s=0.9), seconds_each=1.0)
    working, waiting = come(turns, 1, 0.0), come(turns, 2, 0.0)
    for absent in (3, 4, 5):
        with pytest.raises(Busy):
            come(turns, absent, 0.0)
    turns.leave(working, 1.0)
    turns.leave(waiting, 2.0)
    late = come(turns, 6, 2.0)
    assert late.standing is Standing.WORKING, "an empty place serves nobody"
    came_back = come(turns, 3, 2.1)
    with pytest.raises(Busy) as busy:
        come(turns, 7, 2.1)
    assert busy.value.retry_after >= 3, "4 and 5 come first"
    assert turns.leave(late, 3.0) == [came_back]


def test_a_node_has_few_requests_at_once_and_the_newest_counts() -> None:
    turns = Turns(half, Bounds(at_once=1, per_node=2))
    first, second = come(turns, 1, 0.0), come(turns, 1, 0.0)
    third, leaving = turns.arrive(node(1), 10, 0.1)
    assert (leaving, second.standing, third.number) == ([second], Standing.SENT_AWAY, second.number)
    turns.ready(third, 0.1)
    assert turns.leave(first, 1.0) == [third]
    turns.leave(third, 2.0)
    assert (turns.room, turns.inside_bytes, turns.working) == ([], 0, 0)


def test_who_only_asks_does_not_wait_behind_batches() -> None:
    turns = Turns(half, Bounds(at_once=1, light_at_once=1))
    batches = [come(turns, number, 0.0) for number in range(1, 5)]
    asking, _ = turns.arrive(node(9), 10, 0.0)
    assert turns.ready(asking, 0.0, light=True) == [asking]
    assert [one.standing for one in batches] == [Standing.WORKING, *[Standing.WAITING] * 3]


def test_the_number_of_one_who_never_returns_is_forgotten() -> None:
    turns = Turns(half, Bounds(at_once=1, inside=1, longest_wait_s=1e9))
    come(turns, 1, 0.0)
    come(turns, 2, 0.0)
    with pytest.raises(Busy) as busy:
        come(turns, 3, 0.0)
    assert set(turns.kept) == {node(3)}
    with pytest.raises(Busy):
        come(turns, 4, busy.value.retry_after + KEPT_AFTER_DUE_S + 100.0)
    assert set(turns.kept) == {node(4)}


def test_when_too_many_are_absent_the_latest_number_is_not_kept() -> None:
    turns = Turns(half, Bounds(at_once=1, inside=2, kept=2, longest_wait_s=1e9))
    come(turns, 1, 0.0)
    second, third = come(turns, 2, 0.0), come(turns, 3, 0.0)
    for late in (4, 5, 6):
        with pytest.raises(Busy):
            come(turns, late, 0.0)
    assert set(turns.kept) == {node(4), node(5)}
    turns.leave(third, 0.1)
    assert set(turns.kept) == {node(3), node(4)}
    turns.leave(second, 0.1)
    assert set(turns.kept) == {node(2), node(3)}


# --- a county comes back ------------------------------------------------------------------------------------------


@dataclass
class County:
    """Nodes that obey, each with a batch to be worked on for about `each_s`, and a door."""

    turns: Turns
    rng: random.Random
    each_s: float
    batches: int = 1
    arrivals: list[float] = field(default_factory=list)
    served: list[tuple[float, str]] = field(default_factory=list)
    _events: list[tuple[float, int, str, Turn | None]] = field(default_factory=list)
    _tie: count = field(default_factory=count)

    def come_back(self, nodes: int, within_s: float) -> None:
        left = {node(number): self.batches for number in range(nodes)}
        for who in left:
            self._at(self.rng.uniform(0, within_s), who)
        while self._events:
            now, _, who, turn = heappop(self._events)
            if turn is None:
                called = self._arrive(who, now)
            else:
                called = self.turns.leave(turn, now)
                self.served.append((now, who))
                left[who] -= 1
                if left[who]:
                    self._at(now + self.rng.uniform(0.05, 0.3), who)
            for one in called:
                self._at(now + self.each_s * self.rng.uniform(0.5, 1.5), one.node_id, one)

    def _arrive(self, who: str, now: float) -> list[Turn]:
        self.arrivals.append(now)
        try:
            turn, leaving = self.turns.arrive(who, 20_000, now)
        except Busy as busy:
            self._at(now + busy.retry_after + self.rng.uniform(0, 0.3), who)
            return []
        for one in leaving:
            self._at(now + one.come_back + self.rng.uniform(0, 0.3), one.node_id)
        return self.turns.ready(turn, now)

    def _at(self, when: float, who: str, turn: Turn | None = None) -> None:
        heappush(self._events, (when, next(self._tie), who, turn))


@pytest.mark.parametrize(("nodes", "each_s"), [(600, 0.1), (600, 0.4), (3000, 0.05)])
def test_a_county_that_returns_drains_in_order_and_without_a_second_wave(nodes: int, each_s: float) -> None:
    rng = random.Random(nodes)
    county = County(Turns(rng.random, Bounds(inside=64)), rng, each_s)
    county.come_back(nodes, within_s=2.0)
    assert len({who for _, who in county.served}) == nodes
    ideal = nodes * each_s / 4
    assert county.served[-1][0] < 1.3 * ideal + 10
    assert len(county.arrivals) < 3 * nodes
    capacity = 4 / each_s
    later = Counter(int(at / 5) for at in county.arrivals if at > 5)
    assert max(later.values()) / 5 <= 1.5 * capacity


def test_three_thousand_at_the_pace_of_two_cores_are_through_in_ten_minutes_without_a_second_wave() -> None:
    """0.4 s a batch on four places is what the storm showed; times are the simulated clock's."""
    rng = random.Random(3000)
    county = County(Turns(rng.random, Bounds(inside=64)), rng, 0.4)
    county.come_back(3000, within_s=2.0)
    later = Counter(int(at / 5) for at in county.arrivals if at > 5)
    assert len({who for _, who in county.served}) == 3000
    assert (max(later.values()) / 5 <= 1.5 * 10.0, county.served[-1][0] <= 600.0) == (True, True)


def test_a_flood_that_is_sent_away_makes_the_pace_look_slower_and_is_not_believed() -> None:
    for sent_away, believed in ((0, 2.0), (95, 0.5)):
        turns = Turns(half, Bounds(at_once=1, inside=1, longest_wait_s=1e9), seconds_each=0.5)
        now = 0.0
        for _ in range(MEASURED_TURNS):
            turn = come(turns, 0, now)
            if sent_away:
                waiting = come(turns, 1, now)
                for other in range(sent_away):
                    with pytest.raises(Busy):
                        come(turns, 2 + other, now)
                turns.waited_too_long(waiting, now)
            now += 2.0
            turns.leave(turn, now)
        assert turns.seconds_each == pytest.approx(believed, abs=0.02), sent_away


def test_nobody_waits_for_ever_while_others_never_stop_coming() -> None:
    rng = random.Random(7)
    county = County(Turns(rng.random, Bounds(inside=8)), rng, 0.1, batches=20)
    county.come_back(60, within_s=1.0)
    first: dict[str, float] = {}
    for at, who in county.served:
        first.setdefault(who, at)
    everyone_once = 60 * 0.1 / 4
    assert max(first.values()) < 4 * everyone_once + 10, "every first batch goes before the bulk of the later ones"
    assert Counter(who for _, who in county.served) == {node(number): 20 for number in range(60)}


def test_without_the_measured_pace_there_is_a_second_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: told the same few seconds, whoever was sent away returns together."""
    monkeypatch.setattr(Turns, "_told", lambda _self, _ahead: 8)
    rng = random.Random(3)
    county = County(Turns(rng.random, Bounds(inside=64)), rng, 0.1)
    county.come_back(1500, within_s=2.0)
    later = Counter(int(at / 5) for at in county.arrivals if at > 5)
    assert max(later.values()) / 5 > 1.5 * 4 / 0.1
