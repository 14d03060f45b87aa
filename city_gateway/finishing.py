"""Uploads whose last byte is here become stored scans, many in one transaction and with one flush of the folder.

Laws: an upload is answered when its scan is safe; whoever comes while others are being finished is in the next group,
so nobody waits for company and a busy door pays once for many; one that fails fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import anyio.to_thread

from city_gateway.acts.uploads import Complete, Upload

AT_ONCE = 16

Finished = Sequence[Upload | Exception]


class FinishingDesk:
    """The complete uploads of this process."""

    def __init__(self, finish: Callable[[Sequence[Complete]], Finished]) -> None:
        self._finish = finish
        self._waiting: list[tuple[Complete, asyncio.Future[Upload]]] = []
        self._work: asyncio.Task[None] | None = None

    async def finish(self, complete: Complete) -> Upload:
        """Wait until it is a stored scan, or raise what kept it from becoming one."""
        done: asyncio.Future[Upload] = asyncio.get_running_loop().create_future()
        self._waiting.append((complete, done))
        if self._work is None:
            self._work = asyncio.create_task(self._all())  # its own task: a caller may be cut off, its group may not
        return await done

    async def _all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                outcomes = await self._outcomes([complete for complete, _ in group])
                for (_, done), outcome in zip(group, outcomes, strict=True):
                    if done.cancelled():
                        continue
                    if isinstance(outcome, Exception):
                        done.set_exception(outcome)
                    else:
                        done.set_result(outcome)
        finally:
            self._work = None

    async def _outcomes(self, group: Sequence[Complete]) -> Finished:
        try:
            return await anyio.to_thread.run_sync(self._finish, group)
        except Exception as problem:  # noqa: BLE001 - whoever waits gets it, and the door's table of faults answers
            return [problem] * len(group)
