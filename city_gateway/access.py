"""Who is at the door: a node by its signed request, a department's clerk by the cookie of its session.

Laws: a node is proven from the head of its request, as a dependency of the router, before a byte of the body is
read; the body is proven at its end and what does not match was never received; a nonce is remembered for twice the
window, in this process (every act behind the door is idempotent, so a replay at another process costs work and
changes nothing).
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from city_gateway.acts.gateway import Gateway
from city_gateway.errors import NodeStopped, Replayed, TooLarge
from city_gateway.ledger import nodes
from wire.http_signature import WINDOW, BodyCheck, SignedBy, verify_request

EXCHANGE = "/v1/exchange"


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


async def signed_node(request: Request) -> SignedBy:
    """The node that signed this request; for `dependencies=` of a router, so that it comes before the body."""
    signed: SignedBy = await run_in_threadpool(_prove, request)
    request.state.signed = signed
    return signed


def _prove(request: Request) -> SignedBy:
    gateway = gateway_of(request)
    now = gateway.clock()
    query = f"?{request.url.query}" if request.url.query else ""
    signed = verify_request(
        method=request.method,
        url=f"{gateway.public_url.rstrip('/')}{request.scope['raw_path'].decode('ascii')}{query}",
        headers=request.headers.items(),
        public_of=lambda node_id: _transport_key(gateway, node_id),
        now=now,
    )
    window: NonceWindow = request.app.state.nonces
    window.note(signed, request.url.path, now)
    return signed


def _transport_key(gateway: Gateway, node_id: str) -> bytes | None:
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, node_id)
    return bytes(node.transport_public) if node else None


def active_node(signed: Annotated[SignedBy, Depends(signed_node)], request: Request) -> SignedBy:
    """As `signed_node`, and the identity was not stopped."""
    gateway = gateway_of(request)
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, signed.node_id)
    if node is None or node.standing != nodes.ACTIVE:
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


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The pieces of the body, or TooLarge as soon as there are more than `limit` bytes."""
    seen = 0
    async for piece in request.stream():
        seen += len(piece)
        if seen > limit:
            raise TooLarge(limit=limit)
        yield piece


Signed = Annotated[SignedBy, Depends(signed_node)]
