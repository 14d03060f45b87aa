"""Scans whose sending failed, each with a rest of its own: one that cannot go delays no other.

Laws: after the first failure a scan is tried again in the next pass; from then on it rests for a random time below a
bound that doubles ("full jitter"), never above the ceiling, and never shorter than the city asked; any byte that went
ahead ends it. Clock and chance are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FIRST_REST_S = 5.0
LONGEST_REST_S = 900.0


@dataclass(frozen=True, slots=True)
class _Rest:
    failures: int
    until: float


class SetAside:
    """The scans that rest."""

    def __init__(self, clock: Callable[[], float], chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance
        self._rests: dict[str, _Rest] = {}

    def failed(self, scan_hash: str, at_least_s: float = 0.0) -> int:
        """It did not go; says how often in a row."""
        failures = self.failures(scan_hash) + 1
        bound = 0.0 if failures == 1 else min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** min(failures - 2, 20))
        self._rests[scan_hash] = _Rest(failures, self._clock() + max(at_least_s, bound * self._chance()))
        return failures

    def failures(self, scan_hash: str) -> int:
        """How often it failed since a byte of it went ahead."""
        rest = self._rests.get(scan_hash)
        return rest.failures if rest else 0

    def went_ahead(self, scan_hash: str) -> None:
        """A byte of it arrived, or it need not go any more."""
        self._rests.pop(scan_hash, None)

    def rests(self, scan_hash: str) -> bool:
        """Whether it is not to be tried now."""
        rest = self._rests.get(scan_hash)
        return rest is not None and self._clock() < rest.until

    def next_at(self) -> float | None:
        """When the first of them may go again."""
        return min((rest.until for rest in self._rests.values()), default=None)

    def keep_only(self, scan_hashes: set[str]) -> None:
        """Forget what nobody wants to send any more."""
        self._rests = {name: rest for name, rest in self._rests.items() if name in scan_hashes}
