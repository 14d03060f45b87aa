"""How long a question may lie open at the city: as long as the city holds it and everything on the way lets it live.

Laws: a machine without clock, network or disk. A hold that broke is tried shorter, below the time at which it broke;
one that lived to its end is tried longer; so the agent finds by itself what a router, a proxy or a carrier on the way
allows. A city that answers at once with nothing does not hold: then the agent asks in its own rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST_S = 20
SHORTER, LONGER = 0.75, 1.5
AT_ONCE_S = 2.0
TRIED_AGAIN_AFTER = 10
"""Rests in the agent's own rhythm, after which a city that does not hold is asked to hold once more."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What was learned of the way; `hold_s` is how long the next question may lie open, 0 when it may not."""

    most_s: int
    hold_s: int
    city_holds: bool = True
    rests: int = 0

    @classmethod
    def up_to(cls, most_s: int) -> Listening:
        """Begin with everything that is allowed."""
        return cls(most_s, most_s)

    @property
    def wanted_s(self) -> int:
        """How long to hold now; 0 is not at all."""
        return self.hold_s if self.city_holds else 0


def lived(listening: Listening, after_s: float, *, news: bool) -> Listening:
    """The city answered."""
    if news:
        return listening
    if after_s < min(AT_ONCE_S, listening.hold_s):
        return replace(listening, city_holds=False)
    if after_s >= listening.hold_s - 1:
        return replace(listening, hold_s=min(listening.most_s, int(listening.hold_s * LONGER) + 1))
    return listening


def broke(listening: Listening, after_s: float) -> Listening:
    """It ended without an answer of the city."""
    shorter = int(min(after_s, listening.hold_s) * SHORTER)
    return replace(listening, hold_s=min(listening.most_s, max(LEAST_S, shorter)))


def rested(listening: Listening) -> Listening:
    """A rest without holding is over; now and then it is tried again: the city may have been replaced meanwhile."""
    rests = listening.rests + 1
    return replace(listening, rests=rests % TRIED_AGAIN_AFTER, city_holds=rests >= TRIED_AGAIN_AFTER)
