"""What time it is, and how far that may be believed.

Laws
- `trusted = max(build time, stored floor, last signed server time + monotonic)`; it never runs backwards.
- Signed server time heard since this machine booted makes the clock *confirmed*; the wall clock alone, not before
  the floor, makes it *estimated*; a wall clock behind the floor makes it *doubtful* and is not used. A city that now
  signs a time long before one it signed earlier was wrong once: its present word is shown, and nothing rests on it.
- Only a confirmed clock may say "overdue". No clock at all refuses an act.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

BUILD_TIME = datetime(2026, 11, 1, tzinfo=UTC)
STEP_WORTH_RECORDING = timedelta(seconds=60)
FAR_AHEAD = timedelta(days=800)
CITY_WAS_WRONG = timedelta(days=2)
"""More than any delay of a receipt that is news: only a city whose clock was set right speaks so."""


class Confidence(StrEnum):
    """How far the shown time may be believed."""

    CONFIRMED = "confirmed"
    ESTIMATED = "estimated"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class MachineClock:
    """The three faces of the machine's own clock, handed in by the composition root."""

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]
    boot_id: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signed server time and the machine's monotonic reading when it arrived."""

    server_time: datetime
    monotonic: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clock."""

    now: datetime
    trusted: datetime
    confidence: Confidence
    wall: datetime
    monotonic: float
    boot_id: str

    @property
    def confident(self) -> bool:
        """Whether a verdict about a limit may rest on this reading."""
        return self.confidence is Confidence.CONFIRMED


class TrustedClock:
    """The node's clock; the only writer is the act that has just verified a signed server time."""

    def __init__(self, machine: MachineClock, *, floor: datetime | None = None, anchor: Anchor | None = None) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        self._floor = max(BUILD_TIME, floor) if floor is not None else BUILD_TIME
        self._anchor = anchor
        self._last_offset: timedelta | None = None
        self._started = machine.monotonic()

    @property
    def anchor(self) -> Anchor | None:
        """The last signed server time, to be stored with the desk."""
        return self._anchor

    def read(self) -> Reading:
        """Look at the clock."""
        with self._lock:
            return self._read()

    def for_waiting(self) -> datetime:
        """A time that no wall clock moves and that runs while the machine does, for the length of a lock-out."""
        reading = self.read()
        if reading.confident:
            return reading.now
        return reading.trusted + timedelta(seconds=max(0.0, reading.monotonic - self._started))

    def _read(self) -> Reading:
        wall, monotonic, boot_id = self._machine.wall(), self._machine.monotonic(), self._machine.boot_id
        anchor = self._anchor
        if anchor is not None and anchor.boot_id == boot_id and monotonic >= anchor.monotonic:
            served = anchor.server_time + timedelta(seconds=monotonic - anchor.monotonic)
            if self._floor - served > CITY_WAS_WRONG:
                return Reading(served, self._floor, Confidence.DOUBTFUL, wall, monotonic, boot_id)
            trusted = self._floor = max(self._floor, served)
            return Reading(trusted, trusted, Confidence.CONFIRMED, wall, monotonic, boot_id)
        trusted = max(self._floor, anchor.server_time) if anchor is not None else self._floor
        if trusted <= wall <= trusted + FAR_AHEAD:
            return Reading(wall, trusted, Confidence.ESTIMATED, wall, monotonic, boot_id)
        since_start = timedelta(seconds=max(0.0, monotonic - self._started))
        return Reading(trusted + since_start, trusted, Confidence.DOUBTFUL, wall, monotonic, boot_id)

    def hear(self, server_time: datetime) -> Anchor:
        """Take a server time whose signature was verified; an older one than is known changes nothing."""
        with self._lock:
            known = self._read()
            is_older = timedelta(0) < known.trusted - server_time <= CITY_WAS_WRONG
            if known.confidence is Confidence.CONFIRMED and is_older and self._anchor is not None:
                return self._anchor
            was_wrong = self._floor - server_time > CITY_WAS_WRONG
            moment = server_time if was_wrong else max(server_time, self._floor)
            self._anchor = Anchor(moment, self._machine.monotonic(), self._machine.boot_id)
            return self._anchor

    def not_before(self, server_time: datetime) -> datetime:
        """Raise the floor by a verified server time of unknown age; returns the floor."""
        with self._lock:
            self._floor = max(self._floor, server_time)
            return self._floor

    def step(self) -> timedelta | None:
        """How far the wall clock was stepped since the last call, or None when it ran on quietly."""
        with self._lock:
            offset = self._machine.wall() - datetime.fromtimestamp(self._machine.monotonic(), UTC)
            before, self._last_offset = self._last_offset, offset
        if before is None or abs(offset - before) < STEP_WORTH_RECORDING:
            return None
        return offset - before
