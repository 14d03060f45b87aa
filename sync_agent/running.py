"""The composition root of the courier: clock, chance, network and disk come in here; rounds are made as the rhythm
says, and while it rests one question lies open at the city.

Laws:
- Whatever is saved ends the listening at once and makes a round; an answer that was under way then is asked for again.
- Being told to stop ends whatever is under way: nothing here needs to be finished to be safe.
- A new enrolment and new settings are noticed and taken up without a restart.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from offline_store.node_file import read_node_file
from offline_store.node_toml import BadSetting
from offline_store.paths import NodePaths
from sync_agent.conversation import Heard
from sync_agent.courier_order import watch_orders
from sync_agent.listening import Listening, broke, lived, rested
from sync_agent.loop import CHANCE, TICK_S, Rounds
from sync_agent.relay_road import RelayRoad, relay_client
from sync_agent.rhythm import failed, started, succeeded, woken
from sync_agent.settings import AgentSettings, read_settings
from sync_agent.uplink import Uplink, line_client
from sync_agent.wording import words
from wire.keys import SigningKey

Said = TypeVar("Said")

RELAY_IDLE_S = 20.0
"""Between two looks at the relay: it is on the LAN, where bytes cost nothing."""
LISTEN_AGAIN_S = 0.5
"""Between two questions held: a city that loses its mind is not asked without a breath."""


async def run(paths: NodePaths, stopped: asyncio.Event) -> None:
    """Carry mail until `stopped`; orders of the screen are done beside that."""
    watching = asyncio.create_task(watch_orders(paths, stopped))
    try:
        await _keep(paths, stopped)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _keep(paths: NodePaths, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        begun_with = _stamps(paths)
        settings = settings_of(paths)
        relay = open_relay(paths, settings)

        def over(begun: tuple[int, int] = begun_with) -> bool:
            return stopped.is_set() or _stamps(paths) != begun

        async with open_uplink(paths, settings) as uplink:
            keeping = Keeping(Rounds(paths, settings, uplink), settings, over, relay=relay)
            try:
                await keeping.time()
            finally:
                if relay is not None:
                    await relay.close()


class Keeping:
    """Keeps the time of one courier; `over` says when to leave off."""

    def __init__(
        self,
        rounds: Rounds,
        settings: AgentSettings,
        over: Callable[[], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = CHANCE,
        relay: RelayRoad | None = None,
    ) -> None:
        self._rounds = rounds
        self._relay = relay
        self._relay_rhythm = started(RELAY_IDLE_S, clock(), 0.0, chance)
        self._over = over
        self._clock = clock
        self._chance = chance
        spread = settings.first_contact_s if rounds.has_met else 0.0
        self.rhythm = started(settings.idle_s, clock(), spread, chance)
        self.listening = Listening.up_to(settings.hold_s)
        rounds.tell_next_try(self.rhythm.next_try - clock())

    async def time(self) -> None:
        """Until it is over."""
        while not self._over():
            now, rounds = self._clock(), self._rounds
            if rounds.saved_something():
                self.rhythm = woken(self.rhythm, now)
            resting = self.rhythm.may_listen
            if self._relay is not None and self.rhythm.failures and not rounds.halted:
                await self._over_the_township(self._relay)
            if rounds.halted:
                await asyncio.sleep(TICK_S)
            elif self.rhythm.due(now) or (resting and rounds.is_called()):
                await self._round()
            elif resting and self.listening.wanted_s:
                await self._listen(self.listening.wanted_s)
            else:
                await asyncio.sleep(TICK_S)

    async def _round(self) -> None:
        heard = await _unless(self._over, self._rounds.make_one())
        if heard is None:
            return
        if not self.listening.city_holds:
            self.listening = rested(self.listening)
        self._take(heard)
        self._rounds.tell_next_try(self.rhythm.next_try - self._clock())

    async def _over_the_township(self, relay: RelayRoad) -> None:
        """While the city does not answer, at a pace of its own: what is saved goes at once, a relay that is away is
        asked less and less."""
        now = self._clock()
        if relay.saved_something():
            self._relay_rhythm = woken(self._relay_rhythm, now)
        if not self._relay_rhythm.due(now):
            return
        heard = await _unless(self._over, relay.make_one())
        if heard is None:
            return
        self._rounds.tell_relay(heard.why)
        move = failed if heard.why else succeeded
        self._relay_rhythm = move(self._relay_rhythm, self._clock(), self._chance)

    async def _listen(self, hold_s: int) -> None:
        begun = self._clock()
        heard = await _unless(lambda: self._over() or self._rounds.is_called(), self._rounds.listen(hold_s))
        if heard is None:
            return
        lasted = self._clock() - begun
        if not heard.ok:
            self.listening = broke(self.listening, lasted)
            self._take(heard)
        else:
            self.listening = lived(self.listening, lasted, news=heard.news)
            self._take(heard)
        self._rounds.tell_next_try(self.rhythm.next_try - self._clock())
        await asyncio.sleep(LISTEN_AGAIN_S * self._chance())

    def _take(self, heard: Heard) -> None:
        now = self._clock()
        if heard.ok:
            self.rhythm = succeeded(self.rhythm, now, self._chance)
        else:
            self.rhythm = failed(self.rhythm, now, self._chance, heard.retry_after)


async def _unless(interrupted: Callable[[], bool], work: Coroutine[Any, Any, Said]) -> Said | None:
    """What the work brings, or None when it was broken off."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=TICK_S)
            if not task.done() and interrupted():
                return None
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def open_uplink(paths: NodePaths, settings: AgentSettings) -> Uplink:
    """The signed way of this node to its gateway."""
    node = read_node_file(paths.enrolment)
    return Uplink(
        line_client(settings.gateway_url or node.gateway_url, settings.answer_s, settings.connections),
        node_id=node.node_id,
        transport_key=SigningKey.from_bytes(paths.transport_key.read_bytes()),
        clock=lambda: datetime.now(UTC),
        nonce=lambda: os.urandom(16).hex(),
    )


def open_relay(paths: NodePaths, settings: AgentSettings) -> RelayRoad | None:
    """The road over the township, for a village whose installer named it."""
    if settings.relay_url is None:
        return None
    return RelayRoad(
        paths,
        relay_client(settings.relay_url, settings.answer_s),
        now=lambda: datetime.now(UTC),
        ask_again_s=settings.relay_ask_s,
    )


def settings_of(paths: NodePaths) -> AgentSettings:
    """The settings that hold; cautious ones, with a sentence in the log, while a person has to put them right."""
    try:
        return read_settings(paths.settings)
    except BadSetting as bad:
        problem = words("settings.bad", name=bad.name, allowed=bad.allowed)
        sys.stderr.write(problem + "\n")
        return AgentSettings().cautious(problem)


def _stamps(paths: NodePaths) -> tuple[int, int]:
    return _modified(paths.enrolment), _modified(paths.settings)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
