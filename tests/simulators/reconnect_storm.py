"""A reconnect storm: the line comes back for everybody at once, and in the middle the gateway is killed.

The clock starts when the first node may come; mail was sealed and machines were enrolled before. In the middle
(half of the mail acknowledged) every gateway process is killed and started again, and some machines are found
swapped: their successors send the same operations from the first on. From then on patience is limited.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

from tests.simulators.storm_city import Clerk, Reckoning, StormCity, reckon
from tests.simulators.storm_mail import Mail
from tests.simulators.storm_nodes import Diary, StormNode, storm_client

BIN_S = 5.0
LOOK_S = 0.05


@dataclass(slots=True)
class Storm:
    """One storm and what was seen of it."""

    city: StormCity
    villages: Sequence[Mail]
    townships: Sequence[Mail]
    rng: random.Random
    within_s: float = 2.0
    kill: bool = True
    patience_s: float = 3600.0
    diary: Diary = field(default_factory=Diary)
    clerk: Clerk | None = None
    nodes: list[StormNode] = field(default_factory=list)
    seconds: float = 0.0
    killed_at: float | None = None
    down_s: float = 0.0
    gave_up: bool = False
    unused: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def pass_over(self) -> None:
        """Until everybody has sent and read everything."""
        await self.city.start()
        self.clerk = Clerk(self.city.urls[0])
        stop = asyncio.Event()
        looking = asyncio.create_task(self.clerk.look(stop))
        urls = cycle(self.city.urls)
        operations = Counter(mail.machine.document.township for mail in self.villages for _ in mail.op_ids)
        for mail in self.villages:
            self._come(mail, next(urls), 0)
        for mail in self.townships:
            self._come(mail, next(urls), operations[mail.machine.document.region])
        self.diary.begun = time.monotonic()
        tasks = {id(node.mail): asyncio.create_task(node.drain()) for node in self.nodes}
        if self.kill:
            await self._kill_in_the_middle(tasks)
        _, waiting = await asyncio.wait(tasks.values(), timeout=self.patience_s)
        self.gave_up = bool(waiting)  # who still waits then is seen by the reckoning
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=self.gave_up)
        self.seconds = time.monotonic() - self.diary.begun
        stop.set()
        await looking
        await asyncio.gather(*(node.client.aclose() for node in self.nodes))
        self.city.look_at_memory()

    def _come(self, mail: Mail, url: str, feed: int) -> StormNode:
        first = self.rng.uniform(0, self.within_s)
        node = StormNode(mail, storm_client(self.unused), url, self.diary, self.rng.random, feed, first)
        self.nodes.append(node)
        return node

    async def _kill_in_the_middle(self, tasks: dict[int, asyncio.Task[None]]) -> None:
        half = sum(len(mail.envelopes) for mail in self.villages) / 2
        swapped = [node for node in self.nodes if node.mail.swapped is not None]
        while self._too_early(half, swapped):  # noqa: ASYNC110 - the marks are the nodes' own
            await asyncio.sleep(LOOK_S)
        self.killed_at = time.monotonic() - self.diary.begun
        self.city.kill()
        for node in swapped:
            tasks.pop(id(node.mail)).cancel()
        await self.city.start()
        self.down_s = time.monotonic() - self.diary.begun - self.killed_at
        for node in swapped:
            assert node.mail.swapped is not None
            successor = self._come(node.mail.swapped, node.url, 0)
            tasks[id(successor.mail)] = asyncio.create_task(successor.drain())

    def _too_early(self, half: float, swapped: list[StormNode]) -> bool:
        """A successor says something again only if the machine before it was heard."""
        unheard = bool(swapped) and not any(node.hwm for node in swapped)
        return unheard or sum(node.hwm for node in self.nodes) < half

    def reckon(self) -> Reckoning:
        """What it came to, read from the ledger."""
        with self.city.opened() as gateway:
            return reckon(gateway, self.villages, self.nodes)

    def over_time(self, *what: str) -> list[float]:
        """Answers of these kinds a second, in bins of five seconds."""
        at = [int(when / BIN_S) for when, kind in self.diary.answered if kind in what]
        bins = Counter(at)
        return [bins[number] / BIN_S for number in range(max(at, default=-1) + 1)]

    def capacity(self) -> float:
        """Exchanges a second that were accepted while there was a line: the median bin of those that were busy."""
        rates = sorted(rate for rate in self.over_time("accepted") if rate > 0)
        return rates[len(rates) // 2] if rates else 0.0

    def second_wave(self) -> float:
        """The most that came back in a bin because they had been told to, as a multiple of the capacity."""
        bins = Counter(int(when / BIN_S) for when in self.diary.returned)
        return max(bins.values(), default=0) / BIN_S / (self.capacity() or 1.0)
