"""Scans go up, the most urgent and smallest first, over several connections.

Laws: a scan continues at the byte that the gateway names; of one that was sent to its last byte and not taken as whole
it is first asked where it stands; bytes that are not those of the scan's name are not sent, but
told; one scan that fails (refused, unknown, rotten, vanished, cut) delays no other scan; nothing is removed here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Container
from functools import partial

import httpx

from offline_store.errors import StoreError
from offline_store.mailbox.outgoing import Outgoing, ScanTicket
from offline_store.vault.scans import Vault
from sync_agent.allowance import HEAD_BYTES, Allowance
from sync_agent.retry import tried_again
from sync_agent.set_aside import SetAside
from sync_agent.sound_scans import Damage, SoundScans
from sync_agent.uplink import Answer, Uplink
from wire.judgement import Expected, NotNow, judge_refusal

CREATED, NO_CONTENT, OK, CONFLICT, UNKNOWN = 201, 204, 200, 409, 404
NOTHING_WENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
FRESH_FAILURES = 2
"""So often in a row a broken connection may be the line's fault; afterwards it is this scan's."""
_OFFSET = re.compile(r"[0-9]{1,12}")


class ScanSender:
    """Carries scans up over several connections; remembers within this run how far each one came.

    `tell_damage` is called once for each scan whose bytes here are not (or no longer) those of its name.
    """

    def __init__(
        self,
        uplink: Uplink,
        outgoing: Outgoing,
        vault: Vault,
        *,
        expected: Expected,
        piece_bytes: int,
        connections: int,
        allowance: Allowance,
        aside: SetAside,
        tell_damage: Callable[[str, Damage], None],
    ) -> None:
        self._uplink = uplink
        self._outgoing = outgoing
        self._vault = vault
        self._expected = expected
        self._piece_bytes = piece_bytes
        self._connections = connections
        self._allowance = allowance
        self._aside = aside
        self._tell_damage = tell_damage
        self._sound = SoundScans(vault)
        self.offsets: dict[str, int] = {}
        self.whole: set[str] = set()
        self.damaged: dict[str, Damage] = {}
        self._stored: set[str] = set()
        self._denied: set[str] = set()
        self._given_up: set[str] = set()
        self._tried: set[str] = set()
        self._said_all: set[str] = set()
        self._queue: deque[ScanTicket] = deque()
        self._looked_at: tuple[int, int] | None = None
        self._fruitless = 0
        self._broken: httpx.HTTPError | None = None

    def waiting(self) -> list[ScanTicket]:
        """Tickets of scans that the gateway does not hold whole as far as this run knows, in the order to be sent."""
        tickets = self._outgoing.scan_tickets()
        known = {ticket.scan_hash for ticket in tickets}
        self._stored &= known
        self._said_all &= known
        self._aside.keep_only(known)
        for gone in set(self.damaged) - known:
            del self.damaged[gone]
        passed = self.whole | self.damaged.keys() | self._stored
        return [ticket for ticket in tickets if ticket.scan_hash not in passed]

    def stored(self, scan_hash: str) -> None:
        """A signed receipt says that the gateway holds it: not asked about again; edge_node takes its ticket away."""
        self.whole.discard(scan_hash)
        self.offsets.pop(scan_hash, None)
        self._stored.add(scan_hash)

    def waiting_bytes(self) -> int:
        """Bytes of scans still to send."""
        return sum(ticket.length - self.offsets.get(ticket.scan_hash, 0) for ticket in self.waiting())

    def next_try(self) -> float | None:
        """When a scan that was set aside may go again; None when none waits for that."""
        return self._aside.next_at() if self.waiting() else None

    def doubt_all(self) -> None:
        """The gateway was restored: what it held is asked about again."""
        self.whole |= self._stored
        self._stored.clear()

    def send_again(self, scan_hash: str) -> None:
        """The gateway does not hold it after all: begun anew in the next pass, or two who disagree would never rest."""
        self.whole.discard(scan_hash)
        self.offsets.pop(scan_hash, None)
        self._sound.doubt(scan_hash)
        self._aside.failed(scan_hash)
        self._denied.add(scan_hash)

    def begin_pass(self, told_damaged: Container[str]) -> None:
        """What was said to be whole and is not held may be begun anew; what was told as damaged and taken back (because
        edge_node found it sound) is looked at again."""
        self._given_up |= self._denied
        self._denied.clear()
        for scan_hash in [name for name in self.damaged if name not in told_damaged]:
            del self.damaged[scan_hash]
            self._sound.doubt(scan_hash)

    async def send(self, interrupted: Callable[[], bool]) -> None:
        """Send what waits until done or `interrupted`; raises what broke the line, if it was the line."""
        self._fruitless, self._broken = 0, None
        self._tried.clear()
        self._looked_at = None

        async def worker() -> None:
            while not interrupted() and self._fruitless <= self._connections and (ticket := self._next()):
                self._tried.add(ticket.scan_hash)
                await self._send_or_set_aside(ticket, interrupted)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(worker())
        if self._broken is not None:
            raise self._broken

    def _next(self) -> ScanTicket | None:
        """The first in order that may go now; one that failed lately stands behind all others. The folder is looked at
        again when something came or went, and before it is said that nothing is left: not for every scan."""
        if self._allowance.held() is not None:
            return None
        fresh = self._outgoing.stamp()
        if fresh != self._looked_at:
            self._look(fresh)
        while True:
            while self._queue:
                ticket = self._queue.popleft()
                if self._may_go(ticket.scan_hash):
                    return ticket
            self._look(fresh)
            if not self._queue:
                return None

    def _look(self, at: tuple[int, int]) -> None:
        ready = [ticket for ticket in self.waiting() if self._may_go(ticket.scan_hash)]
        self._queue = deque(sorted(ready, key=lambda ticket: self._aside.failures(ticket.scan_hash) > 0))
        self._looked_at = at

    def _may_go(self, scan_hash: str) -> bool:
        passed = (self.whole, self.damaged, self._stored, self._tried, self._denied)
        return not any(scan_hash in names for names in passed) and not self._aside.rests(scan_hash)

    async def _send_or_set_aside(self, ticket: ScanTicket, interrupted: Callable[[], bool]) -> None:
        scan_hash = ticket.scan_hash
        try:
            failed = await self._send_one(ticket, interrupted)
        except httpx.HTTPError as broken:
            self._fruitless += 1
            if self._aside.failed(scan_hash) <= FRESH_FAILURES:
                self._broken = broken
            return
        except (StoreError, OSError):  # its file went away or cannot be read: the next look says which
            self._sound.doubt(scan_hash)
            self._aside.failed(scan_hash)
            return
        if failed is not None:
            self._aside.failed(scan_hash, failed)

    async def _send_one(self, ticket: ScanTicket, interrupted: Callable[[], bool]) -> float | None:
        """None when it went as far as it may; otherwise it failed, and how long the city wants to be left alone."""
        scan_hash = ticket.scan_hash
        damage = await self._sound.damage(scan_hash)
        if damage is not None:
            self.damaged[scan_hash] = damage
            self._tell_damage(scan_hash, damage)
            return None
        length = self._vault.length(scan_hash)
        if scan_hash in self._given_up:
            await tried_again(partial(self._uplink.give_up_scan, scan_hash))
            self._given_up.discard(scan_hash)
        with self._vault.open(scan_hash) as sealed:
            while (offset := self.offsets.get(scan_hash)) is None or offset < length:
                if interrupted():
                    return None
                granted = self._allowance.take(min(self._piece_bytes, length - (offset or 0)))
                if granted == 0:
                    return None
                sealed.seek(offset or 0)
                answer = await self._say(scan_hash, length, offset, sealed.read(granted))
                refused = self._take_offset(scan_hash, length, offset, answer)
                if refused is not None:
                    if (offset or 0) + granted == length:
                        self._said_all.add(scan_hash)
                    return refused
        self._said_all.discard(scan_hash)
        self.whole.add(scan_hash)
        return None

    async def _say(self, scan_hash: str, length: int, offset: int | None, piece: bytes) -> Answer:
        """The answer to sending bytes; if the line broke or the place was wrong, where the upload stands: asking costs
        a few bytes, sending the piece again would cost the piece."""
        send: Callable[[], Awaitable[Answer]]
        if offset is None and scan_hash in self._said_all:
            asked = await tried_again(partial(self._uplink.scan_offset, scan_hash))
            if asked.status != UNKNOWN:
                self._allowance.give_back(len(piece))
                return asked
            self._said_all.discard(scan_hash)
        if offset is None:
            send = partial(self._uplink.create_scan, scan_hash, length, piece, _checksum(piece))
        else:
            send = partial(self._uplink.patch_scan, scan_hash, offset, piece, _checksum(piece))
        answer: Answer | None = None
        try:
            answer = await send()
        except NOTHING_WENT:
            self._allowance.give_back(len(piece) + HEAD_BYTES)
        except httpx.TransportError:
            pass
        if answer is None or answer.status == CONFLICT:
            answer = await tried_again(partial(self._uplink.scan_offset, scan_hash))
        return answer

    def _take_offset(self, scan_hash: str, length: int, before: int | None, answer: Answer) -> float | None:
        """Believe the gateway how far it is, as a hint; when it did not say or did not advance, it failed: how long it
        wants to be left alone."""
        said = answer.headers.get("upload-offset", "")
        offset = int(said) if _OFFSET.fullmatch(said) else None
        if answer.status in (CREATED, OK, NO_CONTENT) and offset is not None and offset <= length:
            self.offsets[scan_hash] = offset
            if offset > (before or 0):
                self._fruitless, self._broken = 0, None
                self._aside.went_ahead(scan_hash)
                return None
            return None if before is None else 0.0  # what does not advance waits for the next pass, or it would not end
        self.offsets.pop(scan_hash, None)
        self._sound.doubt(scan_hash)
        verdict = judge_refusal(answer.status, answer.headers, answer.body, self._asked(answer))
        if isinstance(verdict, NotNow):
            self._fruitless += verdict.server_time is None  # not the gateway: whatever it is, it answers every scan so
            return float(verdict.retry_after or 0)
        return float(verdict.refusal.retry_after or 0)

    def _asked(self, answer: Answer) -> Expected:
        return Expected(self._expected.gateway_public, self._expected.node, answer.nonce)


def _checksum(piece: bytes) -> str:
    return base64.b64encode(hashlib.sha256(piece).digest()).decode()
