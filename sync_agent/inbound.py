"""What comes down: receipts and feed are laid into the mailbox as they are, wanted scans into the vault.

Laws: nothing is opened or decided here; a scan continues at the byte where it was cut, and becomes visible only
when its hash is its name. One whose bytes are all here and that found no room for its last step is finished as soon as
there is some, and not fetched again. One that came whole with other bytes rests, each time longer, stands behind all
others, and is told: else it would cost its length in every round. No scan is fetched into the last room of the disk.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx

from offline_store.errors import DamagedFile, DiskFull, StoreError
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.vault.scans import Part, Vault
from sync_agent.allowance import Allowance
from sync_agent.retry import tried_again
from sync_agent.uplink import Uplink
from wire.envelope import envelope_hash

RANGE_BYTES = 256 * 1024
BROKEN_MOST = 2
ROOM_FOR_SCANS_BYTES = 32 * 1024 * 1024
"""Below it scans of other sites stay at the city: the room is for what was saved here and what the city says."""
ROTTEN = "scan.rotten_at_city"
"""What the state of the line says while the city gives a scan with other bytes than those of its name."""
FIRST_REST_S, LONGEST_REST_S = 3_600.0, 86_400.0
PARTIAL, NOTHING_THERE = 206, 416
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def feed_place(outgoing: Outgoing, incoming: Incoming) -> tuple[int, str | None]:
    """The last feed number this node has (what edge_node has taken in, then what lies here without a hole) and the hash
    of that envelope, by which a restored city sees whether its feed is still the same."""
    facts = outgoing.facts()
    cursor, last = (facts.feed_cursor, facts.feed_hash) if facts else (0, None)
    for seq, data in incoming.feed(cursor):
        if seq != cursor + 1:
            break
        cursor, last = seq, envelope_hash(data).hex()
    return cursor, last if cursor else None


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often a scan came with other bytes, and until when it rests."""

    times: int
    until: float


class ScanFetcher:
    """Brings scans that edge_node asked for."""

    def __init__(
        self, uplink: Uplink, outgoing: Outgoing, vault: Vault, allowance: Allowance, clock: Callable[[], float]
    ) -> None:
        self._uplink = uplink
        self._outgoing = outgoing
        self._vault = vault
        self._allowance = allowance
        self._clock = clock
        self._rests: dict[str, _Rest] = {}
        self._complete: set[str] = set()

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._vault.folder).free

    def waiting(self) -> list[str]:
        """Wanted scans that are not here yet."""
        return [scan_hash for scan_hash in self._outgoing.wanted() if not self._vault.has(scan_hash)]

    def problem(self) -> str | None:
        """A code while a scan that is still wanted came with other bytes the last time."""
        return ROTTEN if self._rests and not self._rests.keys().isdisjoint(self.waiting()) else None

    def _ready(self) -> list[str]:
        """What may be fetched now; what came with other bytes before stands behind all others."""
        waiting, now = self.waiting(), self._clock()
        self._rests = {name: rest for name, rest in self._rests.items() if name in waiting}
        ready = [name for name in waiting if name not in self._rests or now >= self._rests[name].until]
        return sorted(ready, key=self._rests.__contains__)

    def _set_aside(self, scan_hash: str) -> None:
        times = self._rests[scan_hash].times + 1 if scan_hash in self._rests else 0
        rest = min(FIRST_REST_S * 2 ** min(times, 30), LONGEST_REST_S)
        self._rests[scan_hash] = _Rest(times, self._clock() + rest)

    async def fetch(self, interrupted: Callable[[], bool]) -> int:
        """Fetch what is wanted; returns how many scans became whole. One that breaks the line is passed over once."""
        whole, broken = 0, 0
        ready = self._ready()
        for scan_hash in ready:
            if interrupted() or self._free_bytes() < ROOM_FOR_SCANS_BYTES:
                break
            try:
                whole += await self._fetch_one(scan_hash, interrupted)
                broken = 0
            except httpx.HTTPError:
                broken += 1
                if broken > BROKEN_MOST or (whole == 0 and len(ready) == broken):
                    raise
        return whole

    async def _fetch_one(self, scan_hash: str, interrupted: Callable[[], bool]) -> bool:
        part = self._vault.part(scan_hash)
        if scan_hash in self._complete:
            return self._finish(scan_hash, part)
        while not interrupted():
            offset = part.offset
            taken = self._allowance.take(RANGE_BYTES)
            if taken == 0:
                return False
            fetch = partial(self._uplink.fetch_scan, scan_hash, offset, offset + taken - 1)
            answer = await tried_again(fetch)
            self._allowance.give_back(max(0, taken - len(answer.body)))
            said = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
            if answer.status == NOTHING_THERE and offset:  # an earlier run had all of it
                return self._finish(scan_hash, part)
            if answer.status != PARTIAL or said is None or int(said[1]) != offset:
                return False
            offset = part.append(offset, answer.body)
            if offset >= int(said[3]):
                return self._finish(scan_hash, part)
        return False

    def _finish(self, scan_hash: str, part: Part) -> bool:
        self._complete.discard(scan_hash)
        try:
            part.finish()
        except DamagedFile:
            self._set_aside(scan_hash)
            return False
        except DiskFull:
            self._complete.add(scan_hash)
            return False
        except StoreError:
            return False
        return True
