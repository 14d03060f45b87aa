"""The courier's rounds: envelopes first, then scans up and down, now and then the catalog; rest as the rhythm says.

The composition root of `sync_agent`: clock, chance, network and disk come in here and are handed down.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from sync_agent.catalog_fetch import CatalogNotReachable, CatalogRefused, fetch_catalog
from sync_agent.conversation import Conversation, Heard
from sync_agent.inbound import ScanFetcher
from sync_agent.outbound import ScanSender
from sync_agent.rhythm import Rhythm, failed, succeeded, woken
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Uplink, line_client
from wire.keys import SigningKey

TICK_S = 0.2
LINE_STATE_S = 1.0
ROUNDS_MOST = 100_000


class Rounds:
    """One courier at work for one node."""

    def __init__(self, paths: NodePaths, settings: AgentSettings, uplink: Uplink) -> None:
        node = read_node_file(paths.enrolment)
        self._node = node
        self._paths = paths
        self._settings = settings
        self._uplink = uplink
        self._outgoing = Outgoing(paths.outgoing)
        self._incoming = Incoming(paths.incoming)
        vault = Vault(paths.vault)
        self._sender = ScanSender(
            uplink, self._outgoing, vault, piece_bytes=settings.piece_bytes, connections=settings.connections
        )
        self._fetcher = ScanFetcher(uplink, self._outgoing, vault)
        self._talk = Conversation(
            node,
            uplink=uplink,
            outgoing=self._outgoing,
            incoming=self._incoming,
            sender=self._sender,
            settings=settings,
            agent_folder=paths.agent_folder,
        )
        self._seen = (0, 0)
        self._line = self._incoming.line() or LineState()
        self._line_written = 0.0
        self._catalog_due = 0.0
        self._catalog_problem: str | None = None
        self._incoming.sweep()

    @property
    def halted(self) -> bool:
        """Nothing is said any more under this identity."""
        return self._talk.halted

    def saved_something(self) -> bool:
        """Whether mail was put into `outgoing` since the last question."""
        return self._outgoing.stamp() != self._seen

    async def make_one(self) -> Heard:
        """Talk until nothing waits, or until the line or the gateway says not now."""
        try:
            heard = await self._talk_and_carry()
        except* httpx.HTTPError as broken:
            heard = Heard(ok=False, why=type(broken.exceptions[0]).__name__)
        self._tell(up=heard.ok, why=heard.why)
        return heard

    async def _talk_and_carry(self) -> Heard:
        await self._sender.begin_pass()
        for _ in range(ROUNDS_MOST):
            self._seen = self._outgoing.stamp()
            heard = await self._talk.ask()
            if not heard.ok:
                return heard
            self._tell(up=True, why=None)
            if heard.more:
                continue
            before = len(self._sender.whole)
            offsets = dict(self._sender.offsets)
            await self._sender.send(self._interrupted)
            await self._fetcher.fetch(self._interrupted)
            arrived = len(self._sender.whole) > before
            if not arrived and not (self.saved_something() and self._sender.offsets != offsets):
                break
        await self._look_at_catalog()
        return heard

    def _interrupted(self) -> bool:
        """Asked between two pieces: a new envelope goes before the rest of a scan."""
        self._tell(up=True, why=None, sparing=True)
        return self.saved_something()

    async def _look_at_catalog(self) -> None:
        now = time.monotonic()
        if now < self._catalog_due or self._node.tuf_root is None:
            return
        self._catalog_due = now + self._settings.catalog_s
        try:
            await asyncio.to_thread(self._fetch_catalog, self._node.tuf_root)
            self._catalog_problem = None
        except CatalogNotReachable:
            return
        except CatalogRefused as refused:
            self._catalog_problem = f"{refused.code}.{refused.check}"

    def _fetch_catalog(self, trusted_root: bytes) -> None:
        with httpx.Client(timeout=self._settings.answer_s, trust_env=False) as client:
            fetch_catalog(
                cache=self._paths.catalog_cache,
                trusted_root=trusted_root,
                gateway_url=self._settings.gateway_url or self._node.gateway_url,
                county=self._node.region[:6],
                client=client,
                now=lambda: datetime.now(UTC) + self._uplink.clock_offset,
                received=self._count,
            )

    def _count(self, received: int) -> None:
        self._uplink.received_bytes += received

    def tell_next_try(self, in_seconds: float) -> None:
        """Let the screen say when the next try is."""
        at = datetime.now(UTC) + timedelta(seconds=max(0.0, in_seconds))
        self._put_line(next_try=at.isoformat())

    def _tell(self, *, up: bool, why: str | None, sparing: bool = False) -> None:
        if sparing and time.monotonic() - self._line_written < LINE_STATE_S:
            return
        now = datetime.now(UTC).isoformat()
        since = self._line.since if self._line.up is up and self._line.since else now
        self._put_line(up=up, since=since, last_try=now, last_error=why or self._catalog_problem)

    def _put_line(self, **changes: object) -> None:
        envelopes = [path for _, path in self._outgoing.envelopes(self._talk.hwm)]
        waiting = self._sender.waiting()
        told = {
            "up": self._line.up,
            "since": self._line.since,
            "last_try": self._line.last_try,
            "next_try": self._line.next_try,
            "last_error": self._line.last_error,
        } | changes
        self._line = LineState(
            **told,  # type: ignore[arg-type]  # the five fields above, each of the type it came with
            backlog_ops=len(envelopes),
            backlog_scans=len(waiting),
            backlog_bytes=self._sender.waiting_bytes() + sum(_size(path) for path in envelopes),
            sent_bytes=self._uplink.sent_bytes,
            received_bytes=self._uplink.received_bytes,
        )
        self._incoming.put_line(self._line)
        self._line_written = time.monotonic()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


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


async def run(paths: NodePaths, settings: AgentSettings, stopped: asyncio.Event) -> None:
    """Carry mail until `stopped`; a new enrolment is noticed and taken up."""
    chance: Callable[[], float] = random.SystemRandom().random
    while not stopped.is_set():
        enrolled_at = paths.enrolment.stat().st_mtime_ns
        async with open_uplink(paths, settings) as uplink:
            rounds = Rounds(paths, settings, uplink)
            rhythm = Rhythm(idle_s=settings.idle_s)
            while not stopped.is_set() and paths.enrolment.stat().st_mtime_ns == enrolled_at:
                now = time.monotonic()
                if rounds.saved_something():
                    rhythm = woken(rhythm, now)
                if rhythm.due(now) and not rounds.halted:
                    heard = await rounds.make_one()
                    now = time.monotonic()
                    if heard.ok:
                        rhythm = succeeded(rhythm, now, chance)
                    else:
                        rhythm = failed(rhythm, now, chance, heard.retry_after)
                    rounds.tell_next_try(rhythm.next_try - now)
                await _rest(stopped)


async def _rest(stopped: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), TICK_S)
    except TimeoutError:
        return
