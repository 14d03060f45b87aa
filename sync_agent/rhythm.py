"""When to try: a machine without clock, network or disk of its own.

Laws:
- The first contact after a start comes at a random moment of a span, so that a county whose power came back does not
  ask in one second.
- After a success without more work the agent rests for the idle interval, spread by up to a fifth either way, so that
  nodes which came up together drift apart. While it rests a question may lie open at the city (`listening`).
- After a failure it rests for a random time between zero and a bound that doubles with each failure in a row ("full
  jitter"), never above the ceiling; a `Retry-After` of the gateway is a floor under that.
- Something newly saved shortens an idle rest to nothing, but never a rest that a failure imposed below the gateway's
  own floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

FIRST_BACKOFF_S = 1.0
BACKOFF_CEILING_S = 300.0
IDLE_SPREAD = 0.2


class Mood(StrEnum):
    """Why the agent is resting."""

    STARTING = "starting"
    RESTING = "resting"
    BACKING_OFF = "backing_off"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The machine's whole state; times are seconds of a monotonic clock."""

    idle_s: float
    mood: Mood = Mood.STARTING
    next_try: float = 0.0
    not_before: float = 0.0
    failures: int = 0

    @property
    def may_listen(self) -> bool:
        """Whether a question may be left open at the city: the last one was answered, and not with a wish to wait."""
        return self.mood is Mood.RESTING

    def due(self, now: float) -> bool:
        """Whether a pass should start at `now`."""
        return now >= self.next_try


def started(idle_s: float, now: float, spread_s: float, chance: Callable[[], float]) -> Rhythm:
    """The program has begun."""
    return Rhythm(idle_s=idle_s, next_try=now + spread_s * chance())


def succeeded(rhythm: Rhythm, now: float, chance: Callable[[], float]) -> Rhythm:
    """The city answered and there is nothing more to move."""
    rest = rhythm.idle_s * (1 + IDLE_SPREAD * (2 * chance() - 1))
    return replace(rhythm, mood=Mood.RESTING, next_try=now + rest, not_before=now, failures=0)


def failed(rhythm: Rhythm, now: float, chance: Callable[[], float], retry_after_s: float | None = None) -> Rhythm:
    """The city did not answer, or not with its own signature."""
    failures = rhythm.failures + 1
    bound = min(BACKOFF_CEILING_S, FIRST_BACKOFF_S * 2 ** min(failures, 30))
    floor = now + (retry_after_s or 0.0)
    return replace(
        rhythm,
        mood=Mood.BACKING_OFF,
        next_try=max(floor, now + bound * chance()),
        not_before=floor,
        failures=failures,
    )


def woken(rhythm: Rhythm, now: float) -> Rhythm:
    """Something was saved. A resting agent goes at once; one that backs off keeps to its rest."""
    if rhythm.mood is Mood.BACKING_OFF:
        return rhythm
    return replace(rhythm, next_try=max(now, rhythm.not_before))
