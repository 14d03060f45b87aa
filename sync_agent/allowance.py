"""How many bytes of scans may move now: a person's "operations only", quiet hours, and a cap for each day of the city.

Laws:
- Only scans are held, up and down; an operation, a receipt and news never wait for any of this.
- Bytes are counted before they go, and durably, so that a courier that dies or is started again forgets nothing that
  was spent; given back is only what surely did not go.
- A day is a day of the city by the city's own signed time. A clock that was set back gives nothing back: the count of
  the later day goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from casework.working_days import CITY_TIME, city_day
from offline_store.placing import place
from sync_agent.quiet_hours import quiet_until
from sync_agent.settings import AgentSettings

FILE = "scan-bytes.json"
MIB = 1024 * 1024
OPERATIONS_ONLY, BAD_SETTINGS, QUIET_HOURS, DAILY_CAP = "operations_only", "bad_settings", "quiet_hours", "daily_cap"
HEAD_BYTES = 1024
"""Counted for each request beside its body: headers both ways, measured 0.9 KiB."""
LEAST_PIECE = 4096
"""What is left of a day below this is not worth a request."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why scans wait, and until when if that ends by itself."""

    because: str
    until: datetime | None = None


class Allowance:
    """The allowance of one node; `clock` is corrected by the city's signed time."""

    def __init__(self, folder: Path, settings: AgentSettings, clock: Callable[[], datetime]) -> None:
        self._path = folder / FILE
        self._settings = settings
        self._clock = clock
        self._day, self._spent = self._remembered()

    @property
    def cap(self) -> int | None:
        """Bytes for a day; None without limit."""
        mib = self._settings.scan_mib_per_day
        return None if mib is None else mib * MIB

    @property
    def spent(self) -> int:
        """Bytes of this day so far; 0 while nobody asked to count."""
        self._turn_page()
        return self._spent if self.cap is not None else 0

    def held(self) -> Held | None:
        """Why no scan may move now, or None."""
        if self._settings.operations_only:
            return Held(BAD_SETTINGS if self._settings.problem else OPERATIONS_ONLY)
        now = self._clock()
        ends = quiet_until(now, self._settings.quiet_hours)
        if ends is not None:
            return Held(QUIET_HOURS, ends)
        if self.cap is not None and self.spent + HEAD_BYTES + LEAST_PIECE > self.cap:
            return Held(DAILY_CAP, _next_day(now))
        return None

    def take(self, wanted: int) -> int:
        """Spend up to `wanted` bytes and what a request costs beside them; says how many bytes may go, perhaps none."""
        if self.held() is not None:
            return 0
        if self.cap is None:
            return wanted
        granted = min(wanted, self.cap - self._spent - HEAD_BYTES)
        self._keep(self._spent + granted + HEAD_BYTES)
        return granted

    def give_back(self, taken: int) -> None:
        """These bytes, taken before, surely did not go."""
        if self.cap is not None and taken:
            self._keep(max(0, self._spent - taken))

    def _turn_page(self) -> None:
        today = city_day(self._clock())
        if today > self._day:
            self._day, self._spent = today, 0

    def _keep(self, spent: int) -> None:
        self._spent = spent
        place(self._path, json.dumps({"day": self._day.isoformat(), "bytes": spent}).encode())

    def _remembered(self) -> tuple[date, int]:
        """What was spent on the last day that was counted; a damaged file costs the rest of today, never more."""
        today = city_day(self._clock())
        try:
            said = json.loads(self._path.read_bytes())
            day, spent = date.fromisoformat(said["day"]), int(said["bytes"])
        except FileNotFoundError:
            return today, 0
        except (ValueError, KeyError, TypeError):
            return today, self.cap or 0
        # A day that is yet to come was written under a wrong clock; it must not hold scans until it does come.
        return min(day, today), spent


def _next_day(now: datetime) -> datetime:
    here = now.astimezone(CITY_TIME)
    return here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
