"""Admission: requests wait in the order of `turns` for a place to work, and come back later when that takes too long.

Laws: a node is known before it may take up room, and has room before its body is read; a body that comes slowly takes
no place to work; a node that only asks does not wait behind batches, and a held request takes neither room nor place;
exchanges and uploads do not share places, and the back office, enrolment and health need none. Each process has its own
door and knows nothing of the others': a node that comes back to another one is new there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from city_gateway.errors import Busy
from city_gateway.turns import Bounds, Standing, Turn, Turns

UPLOADS = Bounds(at_once=128, inside=1024, per_node=16)
READING_MOST_S = 300.0
WRONG_CODES_A_MINUTE = 60

Came = TypeVar("Came")


class Inside:
    """A request that has room; what it raises when it has to leave is Busy."""

    def __init__(self, door: Admission, turn: Turn) -> None:
        self._door = door
        self.turn = turn
        self.call = asyncio.Event()
        self._patience: asyncio.Timeout | None = None

    async def reading(self, body: Awaitable[Came]) -> Came:
        """The body, as long as it may take and nobody earlier needs the room."""
        try:
            async with asyncio.timeout(READING_MOST_S) as self._patience:
                return await body
        except TimeoutError:
            raise self._sent_away() from None
        finally:
            self._patience = None

    @asynccontextmanager
    async def at_work(self, *, light: bool = False) -> AsyncIterator[None]:
        """Wait for a place, and have it."""
        self._door.is_ready(self.turn, light=light)
        try:
            async with asyncio.timeout(self._door.longest_wait_s):
                await self.call.wait()
        except TimeoutError:
            if self.turn.standing is not Standing.WORKING:
                raise self._sent_away() from None
        if self.turn.standing is not Standing.WORKING:
            raise self._sent_away()
        try:
            yield
        finally:
            self._door.leave(self.turn)

    def told(self) -> None:
        """Called, or sent away: it looks at its turn."""
        self.call.set()
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    def _sent_away(self) -> Busy:
        self._door.waited_too_long(self.turn)
        return Busy(max(1, self.turn.come_back))


class Admission:
    """The door of one process for one kind of request."""

    def __init__(self, randomness: Callable[[int], bytes], bounds: Bounds | None = None) -> None:
        self._turns = Turns(lambda: int.from_bytes(randomness(4)) / 2**32, bounds or Bounds())
        self._inside: dict[Turn, Inside] = {}

    @property
    def longest_wait_s(self) -> float:
        """How long a whole request may wait; its node gives up on an answer later."""
        return 2 * self._turns.bounds.longest_wait_s

    @asynccontextmanager
    async def inside(self, node_id: str, size: int = 0, *, was_held: bool = False) -> AsyncIterator[Inside]:
        """Room for a request of so many bytes, or Busy with the time of its turn."""
        turn, leaving = self._turns.arrive(node_id, size, _now(), was_held=was_held)
        here = self._inside[turn] = Inside(self, turn)
        self._tell(leaving)
        try:
            yield here
        finally:
            del self._inside[turn]
            self.leave(turn)

    def is_ready(self, turn: Turn, *, light: bool) -> None:
        """A request is whole."""
        self._tell(self._turns.ready(turn, _now(), light=light))

    def leave(self, turn: Turn) -> None:
        """A request is done with its place, or gone."""
        self._tell(self._turns.leave(turn, _now()))

    def waited_too_long(self, turn: Turn) -> None:
        """A request is not going to be answered in time."""
        self._turns.waited_too_long(turn, _now())

    def _tell(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            if turn in self._inside:
                self._inside[turn].told()


def _now() -> float:
    return asyncio.get_running_loop().time()


class GuessLimit:
    """Enrolment codes that were wrong, counted per minute over everybody: fifty bits are not guessed at this pace."""

    def __init__(self) -> None:
        self._wrong: deque[datetime] = deque()

    def check(self, now: datetime) -> None:
        """Busy while too many codes were wrong."""
        while self._wrong and now - self._wrong[0] > timedelta(minutes=1):
            self._wrong.popleft()
        if len(self._wrong) >= WRONG_CODES_A_MINUTE:
            raise Busy(60)

    def wrong(self, now: datetime) -> None:
        """One more."""
        self._wrong.append(now)
