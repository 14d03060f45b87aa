"""The road over the township: bags to its relay when the city itself does not answer, and the city's answers from it.

Laws: the relay is not believed. That it took a bag is noted only so that the next bag goes on behind it; nothing counts
as sent before the city's signed word covers it, and what no such word covers after some hours is handed over again.
What comes from it is a bundle like any other: proven whole, or not there. Why it takes no bag is told by the codes that
a relay has, and by none that it makes up.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from offline_store.errors import StoreError
from offline_store.mailbox.outgoing import Outgoing
from offline_store.paths import NodePaths
from sync_agent.arriving import LATER, Arrived, News, alone
from sync_agent.carried import Carried, remember, remembered
from sync_agent.courier_in import take_body
from sync_agent.errors import CourierError
from sync_agent.packing import Packed, Sack, pack_bag
from sync_agent.uplink import CONNECT_S
from wire.bundle import BUNDLE_TYPE, RELAY_REFUSALS, write_body
from wire.errors import WireError

MIB = 1024 * 1024
BAG_BYTES = 4 * MIB
BAGS_A_ROUND = 8
ANSWER_BYTES = 16 * MIB
REFUSAL_BYTES = 16 * 1024
ASK_AGAIN_S = 600.0
ERRAND_S = 300.0
NO_WORD = timedelta(hours=6)
OK, ACCEPTED, NO_CONTENT, NOT_MODIFIED = 200, 202, 204, 304


@dataclass(frozen=True, slots=True)
class RelayHeard:
    """What a round over the relay brought; `why` is a code when the relay did not do its part."""

    handed: int = 0
    news: bool = False
    why: str | None = None


class RelayRoad:
    """The way of one village to the relay of its township."""

    def __init__(
        self,
        paths: NodePaths,
        client: httpx.AsyncClient,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        ask_again_s: float = ASK_AGAIN_S,
        lay_catalog: Callable[[NodePaths], Awaitable[None]] | None = None,
    ) -> None:
        self._paths = paths
        self._client = client
        self._now = now
        self._monotonic = monotonic
        self._ask_again_s = ask_again_s
        self._lay_catalog = lay_catalog or in_its_own_process
        self._tag: str | None = None
        self._packed_at: tuple[int, int] | None = None
        self._asked_at: float | None = None

    def saved_something(self) -> bool:
        """Whether mail was put into `outgoing` since the last bag."""
        return self._packed_at is not None and Outgoing(self._paths.outgoing).stamp() != self._packed_at

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def make_one(self) -> RelayHeard:
        """Fetch the city's answer, then hand over what waits."""
        try:
            with alone(self._paths, self._now) as sack:
                arrived = await self._fetch(sack)
                handed, why = await self._hand_over(sack)
            if arrived is not None and arrived.catalog == LATER:
                await self._lay_catalog(self._paths)
        except httpx.HTTPError as broken:
            return RelayHeard(why=type(broken).__name__)
        except (CourierError, StoreError) as refused:
            return RelayHeard(why=refused.code)
        return RelayHeard(handed, arrived is not None and arrived.news is News.NEW, why)

    async def _fetch(self, sack: Sack) -> Arrived | None:
        headers = {"if-none-match": self._tag} if self._tag else {}
        address = f"/relay/answers/{sack.node.node_id}"
        async with self._client.stream("GET", address, headers=headers) as answer:
            if answer.status_code != OK or not _is_bundle(answer):
                return None
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > ANSWER_BYTES:
                    return None
            tag = answer.headers.get("etag")
        try:
            arrived = take_body(sack, bytes(body))
        except WireError:
            return None  # it is not the city's, or not whole: as if nothing had come
        self._tag = tag
        return arrived

    async def _hand_over(self, sack: Sack) -> tuple[int, str | None]:
        handed = 0
        while handed < BAGS_A_ROUND:
            carried = self._still_believed(sack)
            packed = pack_bag(sack, carried, BAG_BYTES)
            if not self._worth_a_bag(sack, packed):
                break
            body = write_body(packed.document, [b"".join(chunks()) for _, chunks in packed.parts])
            why = await self._refused(body)
            if why is not None:
                return handed, why
            remember(sack.paths.agent_folder, sack.node.node_id, packed.after)
            self._packed_at, self._asked_at = sack.outgoing.stamp(), self._monotonic()
            handed += 1
            if not packed.pieces or not packed.inventory.left.scans:
                break
        return handed, None

    async def _refused(self, body: bytes) -> str | None:
        """Hand a bag over; None when it was taken, else the code of why not."""
        headers = {"content-type": BUNDLE_TYPE}
        async with self._client.stream("POST", "/relay/bags", content=body, headers=headers) as answer:
            if answer.status_code == ACCEPTED:
                return None
            said = bytearray()
            async for piece in answer.aiter_bytes():
                said += piece
                if len(said) > REFUSAL_BYTES:
                    break
        return _code_in(bytes(said)) or f"relay.http_{answer.status_code}"

    def _still_believed(self, sack: Sack) -> Carried:
        """What was handed over; nothing any more when the city has said no word for too long."""
        carried = remembered(sack.paths.agent_folder, sack.node.node_id)
        if carried.since is not None and abs(self._now() - datetime.fromisoformat(carried.since)) > NO_WORD:
            return Carried(carried.number)
        return carried

    def _worth_a_bag(self, sack: Sack, packed: Packed) -> bool:
        """Something was saved since the last bag, pieces of scans wait, or the city was not asked for a while."""
        quiet = self._asked_at is not None and self._monotonic() - self._asked_at < self._ask_again_s
        return bool(packed.pieces) or sack.outgoing.stamp() != self._packed_at or not quiet


async def in_its_own_process(paths: NodePaths) -> None:
    """Lay out the catalog that came with a bundle where python-tuf may be loaded, as `catalog_errand` does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync_agent", "courier", "arrived", "--root", str(paths.root)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(process.wait(), ERRAND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def relay_client(relay_url: str, answer_s: float) -> httpx.AsyncClient:
    """A client for the LAN: without redirects, and without the proxies of the environment."""
    timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
    return httpx.AsyncClient(base_url=relay_url, timeout=timeout, follow_redirects=False, trust_env=False)


def _code_in(said: bytes) -> str | None:
    """The code of a relay's refusal; None for whatever is none, such as the page of a portal.

    >>> _code_in(b'{"error": {"code": "relay.full"}}'), _code_in(b'{"error": {"code": "paid.first"}}'), _code_in(b"[]")
    ('relay.full', None, None)
    """
    try:
        code = json.loads(said)["error"]["code"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return code if isinstance(code, str) and code in RELAY_REFUSALS else None


def _is_bundle(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower() == BUNDLE_TYPE
