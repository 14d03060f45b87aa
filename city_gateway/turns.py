"""Whose turn it is at a busy door: a machine without clock, threads or network of its own; the time is handed in.

Laws:
- First come, first served, by node. Who is sent away keeps its number until it was served, so that its turn comes;
  when the room is full the latest number has to go, never an earlier one.
- Who is sent away is told when its turn will be: its place times the pace measured here, a tenth sooner or later by
  chance, so that those who were sent away together do not come back together; but never later than in ten minutes,
  because the pace may change, and then a new time is told.
- The pace is the mean of the last twenty turns. While many are sent away it only looks slower, because sending away
  takes the same processor: the more they are, the less another pace is believed; one much faster at once.
- No place stays empty while a request that is whole waits for one; requests that only ask have places of their own.
- All memory is bounded: the room by requests and bytes, the numbers kept for the absent by count and age, and each
  node by requests at once, of which the newest counts (the line of an older one has broken).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from city_gateway.errors import Busy

SPREAD = 0.1
SPREAD_AT_LEAST_S = 2.0
COME_BACK_MOST_S = 600.0
KEPT_AFTER_DUE_S = 600.0
SWEEP_S = 30.0
FIRST_GUESS_S = 0.5
MEASURED_TURNS = 20
BELIEVED_AT_ONCE = 0.2
"""So much faster than thought is no chance of twenty turns, and no flood makes turns look faster."""


class Standing(StrEnum):
    """Where a request is."""

    COMING = "coming"
    WAITING = "waiting"
    WORKING = "working"
    SENT_AWAY = "sent_away"
    GONE = "gone"


@dataclass(eq=False, slots=True)
class Turn:
    """One request; `light` if it only asks, `come_back` in so many seconds if it was sent away."""

    node_id: str
    number: int
    serial: int
    size: int
    standing: Standing = Standing.COMING
    light: bool = False
    began: float = 0.0
    come_back: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Its order in the room."""
        return self.number, self.serial


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of everything; as they stand, those of exchanges."""

    at_once: int = 4
    light_at_once: int = 2
    inside: int = 512
    inside_bytes: int = 64 * 1024 * 1024
    per_node: int = 2
    kept: int = 20_000
    longest_wait_s: float = 15.0


@dataclass(frozen=True, slots=True)
class _Kept:
    number: int
    until: float


@dataclass(slots=True)
class Turns:
    """The door of one process for one kind of request; `chance` gives numbers from 0 to 1."""

    chance: Callable[[], float]
    bounds: Bounds = field(default_factory=Bounds)
    seconds_each: float = FIRST_GUESS_S
    room: list[Turn] = field(default_factory=list)
    kept: dict[str, _Kept] = field(default_factory=dict)
    inside_bytes: int = 0
    _of_node: dict[str, list[Turn]] = field(default_factory=dict)
    _numbers: list[int] = field(default_factory=list)
    _working: list[int] = field(default_factory=lambda: [0, 0])
    _given: int = 0
    _measured: list[float] = field(default_factory=list)
    _sent_away: int = 0
    _swept: float = 0.0

    def arrive(self, node_id: str, size: int, now: float, *, was_held: bool = False) -> tuple[Turn, list[Turn]]:
        """Come in, or Busy; also those who had to leave for it. Who was held here before comes in in any case."""
        self._sweep(now)
        kept = self.kept.get(node_id)
        self._given += 1
        number = kept.number if kept else self._given
        own = self._of_node.get(node_id, [])
        leaving: list[Turn] = []
        if not was_held and len(own) >= self.bounds.per_node:
            older = next((turn for turn in own if turn.standing is not Standing.WORKING), None)
            if older is None:
                raise Busy(self._told(0))
            number, leaving = min(number, older.number), [older]
        if not was_held:
            others = self._who_leaves(number, size, leaving, known=kept is not None or bool(leaving))
            if others is None:
                seconds = self._told(bisect_left(self._numbers, number))
                self._keep(node_id, number, now + seconds)
                self._sent_away += 1
                raise Busy(seconds)
            leaving += others
        for turn in leaving:
            self._send_away(turn, now)
        self._drop(node_id)
        turn = Turn(node_id, number, self._given, min(size, self.bounds.inside_bytes))
        self._of_node.setdefault(node_id, []).append(turn)
        self.inside_bytes += turn.size
        insort(self.room, turn, key=lambda one: one.place)
        insort(self._numbers, number)
        return turn, leaving

    def ready(self, turn: Turn, now: float, *, light: bool = False) -> list[Turn]:
        """The request is whole and waits for a place; says who is called."""
        if turn.standing is Standing.COMING:
            turn.standing, turn.light = Standing.WAITING, light
        return self._call(now)

    def leave(self, turn: Turn, now: float) -> list[Turn]:
        """Done, or cut off; says who is called. Who was not served keeps its number."""
        if turn.standing is Standing.WORKING:
            self._working[turn.light] -= 1
            self._let_go(turn)
            if not turn.light:
                self._learn(max(0.0, now - turn.began))
        elif turn.standing in (Standing.COMING, Standing.WAITING):
            self._send_away(turn, now)
        turn.standing = Standing.GONE
        return self._call(now)

    def waited_too_long(self, turn: Turn, now: float) -> None:
        """Its answer would come too late to be heard; it is sent away with its number."""
        if turn.standing in (Standing.COMING, Standing.WAITING):
            self._send_away(turn, now)

    @property
    def working(self) -> int:
        """Places taken."""
        return sum(self._working)

    def _who_leaves(self, number: int, size: int, gone: list[Turn], *, known: bool) -> list[Turn] | None:
        """Those with later numbers who have to go so that it fits; None if it is this one that has to go."""
        room = [turn for turn in self.room if turn not in gone]
        ahead = bisect_left(self.room, (number, 0), key=lambda one: one.place)
        if not known and room:
            ahead = bisect_left(self._numbers, number)  # the absent go first, they were promised
        if ahead * self._pace > self.bounds.longest_wait_s:
            return None
        count = len(room)
        taken = self.inside_bytes - sum(turn.size for turn in gone) + min(size, self.bounds.inside_bytes)
        leaving = []
        while count >= self.bounds.inside or taken > self.bounds.inside_bytes:
            if not room or room[-1].number <= number:
                return None
            latest = room.pop()
            leaving.append(latest)
            count, taken = count - 1, taken - latest.size
        return leaving

    def _call(self, now: float) -> list[Turn]:
        called: list[Turn] = []
        for light, most in ((False, self.bounds.at_once), (True, self.bounds.light_at_once)):
            waiting = (turn for turn in self.room if turn.standing is Standing.WAITING and turn.light is light)
            called += [turn for turn, _ in zip(waiting, range(most - self._working[light]), strict=False)]
        for turn in called:
            self._take_from_room(turn)
            turn.standing, turn.began = Standing.WORKING, now
            self._working[turn.light] += 1
        return called

    def _send_away(self, turn: Turn, now: float) -> None:
        self._take_from_room(turn)
        self._let_go(turn)
        turn.standing = Standing.SENT_AWAY
        self._sent_away += 1
        turn.come_back = self._told(bisect_left(self._numbers, turn.number))
        self._keep(turn.node_id, turn.number, now + turn.come_back)

    def _take_from_room(self, turn: Turn) -> None:
        del self.room[bisect_left(self.room, turn.place, key=lambda one: one.place)]
        self._forget_number(turn.number)

    def _let_go(self, turn: Turn) -> None:
        self.inside_bytes -= turn.size
        own = self._of_node[turn.node_id]
        own.remove(turn)
        if not own:
            del self._of_node[turn.node_id]

    def _keep(self, node_id: str, number: int, due: float) -> None:
        before = self.kept.get(node_id)
        if before is None and len(self.kept) >= self.bounds.kept:
            latest = max(self.kept, key=lambda one: self.kept[one].number)
            if self.kept[latest].number <= number:
                return
            self._drop(latest)
        number = min(number, before.number) if before else number
        self._drop(node_id)
        self.kept[node_id] = _Kept(number, due + KEPT_AFTER_DUE_S)
        insort(self._numbers, number)

    def _drop(self, node_id: str) -> None:
        kept = self.kept.pop(node_id, None)
        if kept is not None:
            self._forget_number(kept.number)

    def _sweep(self, now: float) -> None:
        if now - self._swept >= SWEEP_S:
            self._swept = now
            for node_id in [node_id for node_id, kept in self.kept.items() if kept.until <= now]:
                self._drop(node_id)

    def _forget_number(self, number: int) -> None:
        del self._numbers[bisect_left(self._numbers, number)]

    def _learn(self, seconds: float) -> None:
        self._measured.append(seconds)
        if len(self._measured) == MEASURED_TURNS:
            slower = sum(self._measured) / MEASURED_TURNS - self.seconds_each
            doubtful = slower > -BELIEVED_AT_ONCE * self.seconds_each
            self.seconds_each += slower / (1 + self._sent_away / MEASURED_TURNS) if doubtful else slower
            self._measured, self._sent_away = [], 0

    @property
    def _pace(self) -> float:
        return self.seconds_each / self.bounds.at_once

    def _told(self, ahead: int) -> int:
        expected = ahead * self._pace
        if expected > COME_BACK_MOST_S:
            return ceil(COME_BACK_MOST_S * (0.5 + 0.5 * self.chance()))
        spread = max(SPREAD_AT_LEAST_S, 2 * SPREAD * expected)
        return max(1, ceil((1 - SPREAD) * expected + spread * self.chance()))
