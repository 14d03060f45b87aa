"""Reading and proving the head of a request in one step, as the city's door does it in two (`city_gateway.access`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from wire.errors import RequestUnsigned
from wire.request_proof import WINDOW, SignedBy, read_claim


def verify_request(
    *,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    public_of: Callable[[str], bytes | None],
    now: datetime,
    window: timedelta = WINDOW,
) -> SignedBy:
    """Read and prove in one step; `public_of` finds a node's transport key by node id."""
    claim = read_claim(method=method, target=target, headers=headers)
    public = public_of(claim.signed.node_id)
    if public is None:
        raise RequestUnsigned("unknown_node")
    return claim.prove(public, now, window)
