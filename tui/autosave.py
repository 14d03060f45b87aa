"""Every change of a draft goes to the node by itself, soon and in order.

Laws:
- A change is sent at most `delay` seconds after it was made; `flush` sends at once and tells whether all is saved.
- Changes are merged by key, the last one wins; one call is under way at a time.
- When the node is away the changes stay here, are shown as unsaved and are sent again every `again` seconds.
- What the node refuses as a whole is kept too and reported; it is never silently dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tui.errors import CounterError, NodeAway

DELAY_SECONDS = 0.25
AGAIN_SECONDS = 2.0


class Kept(StrEnum):
    """Where the newest change is."""

    SAVED = "saved"
    WAITING = "waiting"
    AWAY = "away"
    REFUSED = "refused"


@dataclass
class Changes:
    """What is not saved yet, by part of the draft and key."""

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, part: str, key: str, value: object) -> None:
        self.parts.setdefault(part, {})[key] = value

    def take(self) -> "Changes":
        taken, self.parts = Changes(self.parts), {}
        return taken

    def put_back(self, older: "Changes") -> None:
        """Changes that could not be sent come back under the newer ones."""
        for part, values in older.parts.items():
            self.parts[part] = values | self.parts.get(part, {})

    def __bool__(self) -> bool:
        return any(self.parts.values())


class Autosave:
    """Carries changes to `save`; `told` hears each change of standing."""

    def __init__(
        self,
        save: Callable[[dict[str, dict[str, Any]]], Awaitable[None]],
        told: Callable[[Kept], None],
        *,
        delay: float = DELAY_SECONDS,
        again: float = AGAIN_SECONDS,
    ) -> None:
        self._save = save
        self._told = told
        self._delay = delay
        self._again = again
        self._changes = Changes()
        self._lock = asyncio.Lock()
        self._timer: asyncio.Task[None] | None = None
        self.kept = Kept.SAVED

    def put(self, part: str, key: str, value: object) -> None:
        """Note a change; it leaves by itself."""
        self._changes.put(part, key, value)
        if self.kept is Kept.SAVED:
            self._stand(Kept.WAITING)
        if self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(self._later())

    async def _later(self) -> None:
        pause = self._delay
        while self._changes:
            await asyncio.sleep(pause)
            await self.flush()
            pause = self._again if self.kept in {Kept.AWAY, Kept.REFUSED} else self._delay

    async def flush(self) -> bool:
        """Send everything now; True when the node has confirmed all of it."""
        async with self._lock:
            while self._changes:
                taken = self._changes.take()
                try:
                    await self._save(taken.parts)
                except CounterError as failure:
                    self._changes.put_back(taken)
                    self._stand(Kept.AWAY if isinstance(failure, NodeAway) else Kept.REFUSED)
                    return False
                except asyncio.CancelledError:
                    self._changes.put_back(taken)
                    raise
            self._stand(Kept.SAVED)
            return True

    def close(self) -> None:
        """Stop the timer; what is unsaved is for the caller to flush before."""
        if self._timer is not None:
            self._timer.cancel()

    def _stand(self, kept: Kept) -> None:
        if kept is not self.kept:
            self.kept = kept
            self._told(kept)
