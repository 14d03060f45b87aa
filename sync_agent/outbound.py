"""What goes up: the next envelopes exactly as they lie, then scans, the most urgent and smallest first.

Laws: an envelope always goes before a scan; between two pieces of a scan the courier looks whether a new envelope
was saved and lets it pass; a scan continues at the byte that the gateway names; nothing is removed here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import httpx

from offline_store.errors import StoreError
from offline_store.mailbox.outgoing import Outgoing, ScanTicket
from offline_store.vault.scans import Vault
from sync_agent.retry import tried_again
from sync_agent.uplink import Answer, Uplink

CREATED, NO_CONTENT, OK, CONFLICT = 201, 204, 200, 409
_OFFSET = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Envelopes that follow one another without a hole."""

    envelopes: tuple[bytes, ...]
    last: int


def next_batch(outgoing: Outgoing, after: int, most: int, most_bytes: int) -> Batch:
    """The envelopes after number `after`, in order; empty when the next one does not lie here."""
    envelopes: list[bytes] = []
    last, size = after, 0
    for seq, path in outgoing.envelopes(after):
        if seq != last + 1 or len(envelopes) == most:
            break
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            break
        if envelopes and size + len(data) > most_bytes:
            break
        envelopes.append(data)
        last, size = seq, size + len(data)
    return Batch(tuple(envelopes), last)


class ScanSender:
    """Carries scans up over several connections; remembers within this run how far each one came."""

    def __init__(self, uplink: Uplink, outgoing: Outgoing, vault: Vault, *, piece_bytes: int, connections: int) -> None:
        self._uplink = uplink
        self._outgoing = outgoing
        self._vault = vault
        self._piece_bytes = piece_bytes
        self._connections = connections
        self.offsets: dict[str, int] = {}
        self.whole: set[str] = set()
        self.missing: set[str] = set()
        self._stored: set[str] = set()
        self._denied: set[str] = set()

    def waiting(self) -> list[ScanTicket]:
        """Tickets of scans that the gateway does not hold whole as far as this run knows."""
        tickets = self._outgoing.scan_tickets()
        self._stored &= {ticket.scan_hash for ticket in tickets}
        passed = self.whole | self.missing | self._stored
        return [ticket for ticket in tickets if ticket.scan_hash not in passed]

    def stored(self, scan_hash: str) -> None:
        """A signed receipt says that the gateway holds it: not asked about again; edge_node takes its ticket away."""
        self.whole.discard(scan_hash)
        self.offsets.pop(scan_hash, None)
        self._stored.add(scan_hash)

    def waiting_bytes(self) -> int:
        """Bytes of scans still to send."""
        return sum(ticket.length - self.offsets.get(ticket.scan_hash, 0) for ticket in self.waiting())

    def doubt_all(self) -> None:
        """The gateway was restored: what it held is asked about again."""
        self.whole |= self._stored
        self._stored.clear()

    def send_again(self, scan_hash: str) -> None:
        """The gateway does not hold it after all: in the next pass, or two who disagree would never rest."""
        self.whole.discard(scan_hash)
        self.offsets.pop(scan_hash, None)
        self._denied.add(scan_hash)

    async def begin_pass(self) -> None:
        """What was said to be whole and is not held: its unfinished upload is given up, so that it begins anew."""
        for scan_hash in sorted(self._denied):
            await tried_again(partial(self._uplink.give_up_scan, scan_hash))
            self._denied.discard(scan_hash)

    async def send(self, interrupted: Callable[[], bool]) -> None:
        """Send what waits until done or `interrupted`; a transport error of one scan ends the whole sending."""
        queue = iter([ticket for ticket in self.waiting() if ticket.scan_hash not in self._denied])

        async def worker() -> None:
            for ticket in queue:
                if interrupted():
                    return
                await self._send_one(ticket, interrupted)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(worker())

    async def _send_one(self, ticket: ScanTicket, interrupted: Callable[[], bool]) -> None:
        scan_hash = ticket.scan_hash
        try:
            length = self._vault.length(scan_hash)
        except StoreError:
            self.missing.add(scan_hash)
            return
        with self._vault.open(scan_hash) as sealed:
            if scan_hash not in self.offsets:
                first = sealed.read(self._piece_bytes)
                announce = partial(self._uplink.create_scan, scan_hash, length, first, _checksum(first))
                if not self._take_offset(scan_hash, length, await self._said(scan_hash, announce)):
                    return
            while (offset := self.offsets[scan_hash]) < length:
                if interrupted():
                    return
                sealed.seek(offset)
                piece = sealed.read(self._piece_bytes)
                append = partial(self._uplink.patch_scan, scan_hash, offset, piece, _checksum(piece))
                answer = await self._said(scan_hash, append)
                if not self._take_offset(scan_hash, length, answer) or self.offsets[scan_hash] <= offset:
                    return  # an upload that does not advance waits for the next round, or it would never end
        self.whole.add(scan_hash)

    async def _said(self, scan_hash: str, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to sending bytes; if the line broke or the place was wrong, where the upload stands: asking costs
        a few bytes, sending the piece again would cost the piece."""
        try:
            answer = await send()
        except httpx.TransportError:
            answer = None
        if answer is None or answer.status == CONFLICT:
            answer = await tried_again(partial(self._uplink.scan_offset, scan_hash))
        return answer

    def _take_offset(self, scan_hash: str, length: int, answer: Answer) -> bool:
        """How far the gateway says it is; False when it did not say (not now, try in the next round)."""
        said = answer.headers.get("upload-offset", "")
        offset = int(said) if _OFFSET.fullmatch(said) else None
        if answer.status not in (CREATED, OK, NO_CONTENT) or offset is None or offset > length:
            self.offsets.pop(scan_hash, None)
            return False
        self.offsets[scan_hash] = offset
        return True


def _checksum(piece: bytes) -> str:
    return base64.b64encode(hashlib.sha256(piece).digest()).decode()
