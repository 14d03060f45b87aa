"""Admission: so many batches at once, so many in line, and everybody else comes back later.

Laws: a county that returns after an outage drains in order instead of timing out together; the time to come back is
spread by chance, so that they do not return together either; held requests do not count, they do no work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from city_gateway.errors import Busy

AT_ONCE = 4
IN_LINE = 64
COME_BACK_FROM_S, COME_BACK_SPREAD_S = 5, 30
WRONG_CODES_A_MINUTE = 60


class Admission:
    """The door of one process."""

    def __init__(self, randomness: Callable[[int], bytes], *, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self._randomness = randomness
        self._places = asyncio.Semaphore(at_once)
        self._in_line = in_line
        self._waiting = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Wait in line for a place, or Busy when the line is full."""
        if self._waiting >= self._in_line:
            raise Busy(COME_BACK_FROM_S + self._randomness(1)[0] % COME_BACK_SPREAD_S)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


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
