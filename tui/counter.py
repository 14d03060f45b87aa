"""What all screens of one run have in hand: the node, the clock, who is working, and how things stand.

Laws:
- A locked or lost session never ends a call: `ask` waits until somebody has unlocked, then asks again.
- `standing` is None when the node did not answer the last time; a stale standing is never shown as present.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from tui.counter_client import CounterClient
from tui.errors import NodeAway, NodeLocked, SessionLocked, SessionOver
from wire.counter import ClerkView, RegionRow, StatusBar

T = TypeVar("T")


@dataclass
class Counter:
    """The counter at which one clerk works."""

    client: CounterClient
    now: Callable[[], datetime]
    scan_folder: Path
    clerk: ClerkView | None = None
    standing: StatusBar | None = None
    away_since: datetime | None = None
    session_lost: bool = False
    practice: bool = False
    offers_practice: bool = False
    print_command: str = ""
    node_locked: bool = False
    """The node was started and waits for a clerk's passphrase."""
    lock: Callable[[], None] = lambda: None
    region_names: dict[str, str] = field(default_factory=dict)
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer to a call, however often the session had to be unlocked in between."""
        while True:
            try:
                return await call()
            except (SessionLocked, SessionOver) as closed:
                self.session_lost = isinstance(closed, SessionOver)
                self._open.clear()
                self.lock()
                await self._open.wait()

    @property
    def is_elsewhere(self) -> bool:
        """Whether the node that answered is a practice store while this is no practice, or the other way round."""
        return self.standing is not None and self.standing.practice is not self.practice

    def opened(self) -> None:
        """Somebody unlocked: calls that wait go on."""
        self.session_lost = False
        self._open.set()

    async def look(self) -> None:
        """Ask the node how things stand."""
        try:
            self.standing = await self.client.status()
            self.away_since = None
            self.node_locked = False
        except NodeLocked:
            self.standing, self.away_since, self.node_locked = None, None, True
        except NodeAway:
            self.standing = None
            self.away_since = self.away_since or self.now()

    async def regions(self, parent: str) -> list[RegionRow]:
        """The regions under a region; their names are remembered."""
        found = await self.ask(lambda: self.client.regions(parent))
        self.region_names.update({region.code: region.name for region in found})
        return found

    async def region_words(self, code: str) -> str:
        """A region's name with the regions above it, as far as the node knows them."""
        chain = [code[:6] + "000000", code[:9] + "000", code]
        for at, step in enumerate(dict.fromkeys(chain)):
            if step not in self.region_names:
                above = code[:4] + "00000000" if at == 0 else chain[at - 1]
                await self.regions(above)
        names = [self.region_names.get(step, "") for step in dict.fromkeys(chain)]
        return "".join(names) or code
