"""Scans that became whole and whose keys are still to be shared, many in one transaction.

Laws: an upload is answered when its scan is safe, sharing its key follows, after a moment in which the other scans
of its application come in (an entry is sealed for each reader, so one for all of them is cheaper); what could not
be shared is tried again, and what a crash of any program left is found by `acts.arrival.share_missed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import anyio.to_thread

from city_gateway.news import pause

AT_ONCE = 200
GATHERED_FOR_S = 0.3
AGAIN_AFTER_S = 2.0


class ArrivalDesk:
    """The scans that arrived at this process."""

    def __init__(self, share: Callable[[Sequence[str]], bool]) -> None:
        self._share = share
        self._arrived: dict[str, None] = {}
        self._news = asyncio.Event()

    def arrived(self, scan_hash: str) -> None:
        """A scan is whole and safe."""
        self._arrived[scan_hash] = None
        self._news.set()

    async def work(self, stop: asyncio.Event) -> None:
        """Share until told to stop, then what is left."""
        stopping = asyncio.ensure_future(stop.wait())
        while not stop.is_set() or self._arrived:
            coming = asyncio.ensure_future(self._news.wait())
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            coming.cancel()
            self._news.clear()
            await pause(stop, GATHERED_FOR_S)
            while self._arrived:
                batch = list(self._arrived)[:AT_ONCE]
                if await anyio.to_thread.run_sync(self._share, batch):
                    for scan_hash in batch:
                        self._arrived.pop(scan_hash, None)
                elif stop.is_set():
                    return
                else:
                    await pause(stop, AGAIN_AFTER_S)
