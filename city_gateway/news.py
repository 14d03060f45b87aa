"""Waking held requests: a node that asked to wait hears at once that its feed has grown, and soon of a new catalog.

Laws: a wake-up is only a hint, the feed is read from the ledger; what another process appended is seen by one query
a round for all waiting nodes together; nothing is remembered for a node that does not wait; a new catalog, which
concerns everybody, wakes a few nodes a round, so that a whole county does not fetch it in the same second; when too
many wait, the next are answered at once and ask again in their own rhythm; a gateway that ends lets everybody go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import anyio.to_thread

ROUND_S = 2.0
CATALOG_A_ROUND = 40
HELD_MOST = 4000


class NewsDesk:
    """The held requests of this process."""

    def __init__(
        self, feed_ends: Callable[[list[str]], dict[str, int]], catalog_mark: Callable[[], str | None] = lambda: None
    ) -> None:
        self._feed_ends = feed_ends
        self._catalog_mark = catalog_mark
        self._marks: dict[str, str] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._cursors: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def is_full(self) -> bool:
        """Whether no further request is held."""
        return len(self._waiting) >= HELD_MOST

    @property
    def is_closed(self) -> bool:
        """Whether the gateway is about to end."""
        return self._closed

    def close(self) -> None:
        """Let everybody go and hold nobody any more; may be called from any thread and from a signal's handler."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: self._wake(list(self._waiting)))

    def tell(self, node_ids: Iterable[str]) -> None:
        """These nodes have news; may be called from any thread."""
        known = [node_id for node_id in node_ids if node_id in self._waiting]
        if known and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, known)

    async def wait(self, node_id: str, cursor: int, seconds: float, catalog_mark: str | None = None) -> bool:
        """Hold until there is news for this node; False when the time is over. A node that says which catalog it has
        looked at is also woken for another one."""
        if self._closed:
            return False
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._waiting.setdefault(node_id, set()).add(event)
        self._cursors[node_id] = cursor
        if catalog_mark is not None:
            self._marks[node_id] = catalog_mark
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)
            return event.is_set()
        finally:
            self._waiting[node_id].discard(event)
            if not self._waiting[node_id]:
                del self._waiting[node_id], self._cursors[node_id]
                self._marks.pop(node_id, None)

    async def watch(self, stop: asyncio.Event) -> None:
        """Look for what other processes appended, until told to stop."""
        while not stop.is_set():
            await pause(stop, ROUND_S)
            cursors = dict(self._cursors)
            if cursors and not stop.is_set():
                ends = await anyio.to_thread.run_sync(self._feed_ends, list(cursors))
                self._wake([node_id for node_id, end in ends.items() if end > cursors.get(node_id, end)])
                mark = await anyio.to_thread.run_sync(self._catalog_mark)
                behind = [
                    node_id for node_id, looked_at in self._marks.items() if mark is not None and looked_at != mark
                ]
                self._wake(behind[:CATALOG_A_ROUND])

    def _wake(self, node_ids: Iterable[str]) -> None:
        for node_id in node_ids:
            for event in self._waiting.get(node_id, ()):
                event.set()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
