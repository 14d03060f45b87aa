"""Who is at the door: a node by its signed request, a department's clerk by the cookie of its session.

Laws: a node is proven from the head of its request, as a dependency of the router, before a byte of the body is
read; the body is proven at its end and what does not match was never received; a nonce is remembered for twice the
window, in this process (every act behind the door is idempotent, so a replay at another process costs work and
changes nothing).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from city_gateway.acts.gateway import Gateway
from city_gateway.errors import NodeStopped, Replayed, TooLarge
from city_gateway.ledger import nodes
from wire.errors import RequestUnsigned
from wire.request_proof import WINDOW, BodyCheck, SignedBy, read_claim

EXCHANGE = "/v1/exchange"
REMEMBERED_FOR = timedelta(seconds=5)
REMEMBERED_AT_MOST = 10_000
ASKED_AT_ONCE = 500


class NonceWindow:
    """Signed requests seen within the window, each by node and nonce with the body that it was for."""

    def __init__(self, window: timedelta = 2 * WINDOW) -> None:
        self._window = window
        self._seen: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._order: deque[tuple[datetime, tuple[str, str]]] = deque()
        self._lock = Lock()

    def note(self, signed: SignedBy, path: str, now: datetime) -> None:
        """Remember, or Replayed; an exchange repeated word for word (its answer was lost) may be answered again."""
        key, content = (signed.node_id, signed.nonce), (path, signed.body_sha256)
        with self._lock:
            while self._order and now - self._order[0][0] > self._window:
                self._seen.pop(self._order.popleft()[1], None)
            before = self._seen.get(key)
            if before is None:
                self._seen[key] = content
                self._order.append((now, key))
            elif before != content or path != EXCHANGE:
                raise Replayed


def gateway_of(request: Request) -> Gateway:
    """The gateway that the composition root put into the application."""
    gateway: Gateway = request.app.state.gateway
    return gateway


@dataclass(frozen=True, slots=True)
class _Known:
    transport_public: bytes
    active: bool
    until: datetime


class KnownNodes:
    """What the ledger says of nodes, remembered for a moment, because a node that drains asks many times a second.
    Those who come together (a county after an outage) are looked up together, in one thread and with one question."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[str, _Known] = {}
        self._asked: dict[str, asyncio.Future[_Known | None]] = {}
        self._work: asyncio.Task[None] | None = None

    async def find(self, node_id: str) -> _Known | None:
        """The node; None when there is none."""
        known = self._known.get(node_id)
        if known is not None and known.until > self._gateway.clock():
            return known
        asked = self._asked.get(node_id)
        if asked is None:
            asked = self._asked[node_id] = asyncio.get_running_loop().create_future()
        if self._work is None:
            self._work = asyncio.create_task(self._answer_all())
        return await asyncio.shield(asked)

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                batch = dict(list(self._asked.items())[:ASKED_AT_ONCE])
                for node_id in batch:
                    del self._asked[node_id]
                try:
                    found = await run_in_threadpool(self._look_up, list(batch))
                except Exception as problem:  # noqa: BLE001 - whoever asked gets it, and the table of faults answers
                    for asked in batch.values():
                        asked.set_exception(problem)
                else:
                    for node_id, asked in batch.items():
                        asked.set_result(found.get(node_id))
        finally:
            self._work = None

    def _look_up(self, node_ids: Sequence[str]) -> dict[str, _Known]:
        with self._gateway.ledger.reading() as tx:
            rows = nodes.keys_of(tx, node_ids)
        until = self._gateway.clock() + REMEMBERED_FOR
        found = {
            row.node_id: _Known(row.transport_public, active=row.standing == nodes.ACTIVE, until=until) for row in rows
        }
        if len(self._known) + len(found) > REMEMBERED_AT_MOST:
            self._known.clear()
        self._known |= found
        return found


async def signed_node(request: Request) -> SignedBy:
    """The node that signed this request; for `dependencies=` of a router, so that it comes before the body."""
    query = request.scope["query_string"]
    claim = read_claim(
        method=request.method,
        target=(request.scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"),
        headers=request.headers.items(),
    )
    known: KnownNodes = request.app.state.known_nodes
    node = await known.find(claim.signed.node_id)
    if node is None:
        raise RequestUnsigned("unknown_node")
    now = gateway_of(request).clock()
    signed = claim.prove(node.transport_public, now)
    window: NonceWindow = request.app.state.nonces
    window.note(signed, request.url.path, now)
    request.state.signed = signed
    request.state.node_is_active = node.active
    return signed


async def active_node(signed: Annotated[SignedBy, Depends(signed_node)], request: Request) -> SignedBy:
    """As `signed_node`, and the identity was not stopped."""
    if not request.state.node_is_active:
        raise NodeStopped
    return signed


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body in memory, at most `limit` bytes, proven to be the signed one."""
    check = BodyCheck(request.state.signed)
    body = bytearray()
    async for piece in limited(request, limit):
        check.update(piece)
        body += piece
    check.finish()
    return bytes(body)


def announced_length(request: Request, limit: int) -> int:
    """How many bytes the body will have, as its head says; `limit` when it does not say."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 12 else limit


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The pieces of the body, or TooLarge as soon as there are more than `limit` bytes."""
    seen = 0
    async for piece in request.stream():
        seen += len(piece)
        if seen > limit:
            raise TooLarge(limit=limit)
        yield piece


Signed = Annotated[SignedBy, Depends(signed_node)]
