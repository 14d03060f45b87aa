"""The courier's rounds: envelopes first, scans up and down beside them, now and then the catalog.

Laws: an envelope that is saved while scans are under way goes up at once, beside them; a disk that refuses and an
answer that the city did not sign are both only "not now". On a full disk the reserve is given up for what the city
says, and taken again when there is room; no scan is fetched into it. When a round is made is the affair of `running`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import httpx

from offline_store.errors import DiskFull, StoreError
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.relay.bags import Bags
from offline_store.reserve import Reserve
from offline_store.vault.scans import Vault
from sync_agent import catalog_errand
from sync_agent.allowance import Allowance
from sync_agent.conversation import Conversation, Heard
from sync_agent.forwarding import Forwarder
from sync_agent.inbound import ScanFetcher
from sync_agent.line_telling import LineTelling
from sync_agent.scan_sender import ScanSender
from sync_agent.set_aside import SetAside
from sync_agent.settings import AgentSettings
from sync_agent.sound_scans import Damage
from sync_agent.uplink import Uplink
from wire.enrolment import EnrolmentDocument
from wire.fields import NodeRole
from wire.judgement import Expected

TICK_S = 0.2
CHANCE = random.SystemRandom().random
ROUNDS_MOST = 100_000
RECEIPT_S = 60.0
"""While many scans are under way, the city is asked so often which it holds, so that the screen knows."""
MIB = 1024 * 1024
RESERVE_BYTES = 2 * MIB
"""Enough for some hundred receipts and pages of the feed, until edge_node has taken them in."""
SPARE_BYTES = 4 * MIB
CATALOG_DAY_S = 86_400.0
"""The catalog is looked at so often even when the city says that nothing changed: an old one must be found out."""


class Rounds:
    """One courier at work for one node."""

    def __init__(
        self,
        paths: NodePaths,
        settings: AgentSettings,
        uplink: Uplink,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = CHANCE,
    ) -> None:
        node = read_node_file(paths.enrolment)
        self._node = node
        self._paths = paths
        self._settings = settings
        self._uplink = uplink
        self._clock = clock
        self._outgoing = Outgoing(paths.outgoing)
        self._incoming = Incoming(paths.incoming)
        vault = Vault(paths.vault)
        self.allowance = Allowance(paths.agent_folder, settings, uplink.now)
        self._sender = ScanSender(
            uplink,
            self._outgoing,
            vault,
            expected=Expected(node.gateway.signing_public, node.node_id, ""),
            piece_bytes=settings.piece_bytes,
            connections=settings.connections,
            allowance=self.allowance,
            aside=SetAside(clock, chance),
            tell_damage=self._tell_damage,
        )
        self._fetcher = ScanFetcher(uplink, self._outgoing, vault, self.allowance, clock)
        self._talk = Conversation(
            node,
            uplink=uplink,
            outgoing=self._outgoing,
            incoming=self._incoming,
            sender=self._sender,
            settings=settings,
            agent_folder=paths.agent_folder,
        )
        self._line = LineTelling(self._incoming, self._outgoing, self._sender, self.allowance, uplink)
        self._line.hwm = lambda: self._talk.hwm
        self._line.scan_problem = self._fetcher.problem
        self._line.standing_problem = "settings.bad" if settings.problem else None
        self._forwarder = _forwarder(node, paths, uplink, clock)
        self._seen = self._outgoing.stamp()
        self._talked_at = clock()
        self._catalog_due = 0.0
        self._catalog_mark: str | None = None
        self._was_held = False
        self._incoming.sweep()
        self._reserve = Reserve(paths.agent_reserve, RESERVE_BYTES)
        self._reserve.take(SPARE_BYTES)

    @property
    def halted(self) -> bool:
        """Nothing is said any more under this identity."""
        return self._talk.halted

    @property
    def has_met(self) -> bool:
        """Whether the city has ever answered this node."""
        return (self._paths.incoming / "receipt.json").exists()

    def saved_something(self) -> bool:
        """Whether mail was put into `outgoing` since the last question."""
        return self._outgoing.stamp() != self._seen

    def is_called(self) -> bool:
        """Whether there is a reason to make a round before the rest is over: something was saved, scans that were held
        or set aside may go, the catalog's time has come."""
        if self.saved_something():
            return True
        now = self._clock()
        if self._node.tuf_root is not None and now >= self._catalog_due:
            return True
        if self._forwarder is not None and self._forwarder.may_go(now):
            return True
        held = self.allowance.held() is not None
        freed, self._was_held = self._was_held and not held, held
        if freed:
            return True
        again = self._sender.next_try()
        return again is not None and now >= again and not held

    async def make_one(self) -> Heard:
        """Talk until nothing waits, or until the line or the gateway says not now. A disk that refuses to keep an
        answer is like no answer: it is asked for again."""
        heard = await self._made_once()
        if heard.why == DiskFull.__name__ and self._reserve.give_up():
            heard = await self._made_once()
        elif heard.ok:
            self._reserve.take(SPARE_BYTES)
        self._line.contact(up=heard.ok, why=heard.why)
        return heard

    async def _made_once(self) -> Heard:
        try:
            return await self._talk_and_carry()
        except* (httpx.HTTPError, OSError, StoreError) as broken:
            why = _first(broken)
        return Heard(ok=False, why=why)

    async def listen(self, hold_s: int) -> Heard:
        """Leave one question open at the city for so long."""
        self._line.next_try(hold_s, listening=True)
        try:
            heard = await self._talk.ask(hold_s, self._catalog_mark)
        except (httpx.HTTPError, OSError, StoreError) as broken:
            heard = Heard(ok=False, why=type(broken).__name__)
        self._line.contact(up=heard.ok, why=heard.why)
        mark = self._talk.catalog_mark
        if mark is not None and mark != self._catalog_mark:
            self._catalog_due = 0.0
            return replace(heard, news=True)
        return heard

    def tell_relay(self, problem: str | None) -> None:
        """Let the screen say how the road over the township goes."""
        self._line.relay(problem)

    def tell_next_try(self, in_seconds: float) -> None:
        """Let the screen say when the next try is."""
        self._line.next_try(in_seconds)

    async def _talk_and_carry(self) -> Heard:
        self._sender.begin_pass(self._incoming.damaged_scans())
        heard = await self._talk_out()
        for _ in range(ROUNDS_MOST):
            if not heard.ok:
                return heard
            before = len(self._sender.whole)
            carrying = asyncio.ensure_future(self._carry_scans())
            try:
                heard = await self._talk_beside(carrying, heard)
            finally:
                carrying.cancel()
                with suppress(asyncio.CancelledError):
                    await carrying
            if not heard.ok or (len(self._sender.whole) <= before and not self.saved_something()):
                break
            heard = await self._talk_out()
        if heard.ok:
            await self._look_at_catalog()
            await self._forward()
        return heard

    async def _forward(self) -> None:
        """Bags of villages, after this node's own work; its next envelope ends it."""
        if self._forwarder is not None:
            forwarded = await self._forwarder.forward(self.saved_something)
            if forwarded.tried:
                self._line.forwarding(forwarded.why)

    async def _talk_out(self) -> Heard:
        """Ask until there is nothing more to say on either side."""
        heard, self._talked_at = Heard(ok=False), self._clock()
        for _ in range(ROUNDS_MOST):
            self._seen = self._outgoing.stamp()
            heard = await self._talk.ask()
            if not heard.ok:
                return heard
            self._line.contact(up=True)
            if not heard.more:
                break
        return heard

    async def _talk_beside(self, carrying: asyncio.Future[None], heard: Heard) -> Heard:
        """While scans are under way, what is saved goes up at once on another connection, and receipts come."""
        while not carrying.done():
            await asyncio.wait({carrying}, timeout=TICK_S)
            receipt_due = bool(self._sender.whole) and self._clock() - self._talked_at >= RECEIPT_S
            if (self.saved_something() or receipt_due) and not carrying.done():
                heard = await self._talk_out()
                if not heard.ok:
                    return heard
        carrying.result()
        return heard

    async def _carry_scans(self) -> None:
        await self._sender.send(self._under_way)
        await self._fetcher.fetch(self._under_way)

    def _under_way(self) -> bool:
        """Asked between two pieces; nothing interrupts scans but being held."""
        self._line.contact(up=True, sparing=True)
        return self.allowance.held() is not None

    def _tell_damage(self, scan_hash: str, damage: Damage) -> None:
        self._incoming.mark_scan_damaged(scan_hash, damage.value)

    async def _look_at_catalog(self) -> None:
        now, mark = self._clock(), self._talk.catalog_mark
        if self._node.tuf_root is None or (now < self._catalog_due and mark in {None, self._catalog_mark}):
            return
        self._catalog_due = now + self._settings.catalog_s
        errand = await catalog_errand.send(self._paths, self._uplink.clock_offset.total_seconds())
        self._uplink.received_bytes += errand.received_bytes
        if errand.came_to == catalog_errand.NOT_REACHABLE:
            return
        self._line.standing_problem = errand.problem
        self._catalog_mark = mark
        if errand.problem is None and mark is not None:
            self._catalog_due = now + max(CATALOG_DAY_S, self._settings.catalog_s)


def _forwarder(
    node: EnrolmentDocument, paths: NodePaths, uplink: Uplink, clock: Callable[[], float]
) -> Forwarder | None:
    """Townships carry for villages; whether they take bags in is edge_node's setting."""
    if node.role is not NodeRole.TOWNSHIP:
        return None
    return Forwarder(
        uplink, Bags(paths.relay), node_id=node.node_id, gateway_public=node.gateway.signing_public, clock=clock
    )


def _first(broken: BaseExceptionGroup[BaseException]) -> str:
    one = broken.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else type(one).__name__
