"""The township's courier carries bags of villages to the city, after its own work, and lays the answers out for them.

Laws: nothing of a bag is opened or decided here. A bag is removed when the gateway, with its signature, answered for it
or refused it for good; everything else is "not now" and leaves it lying. An answer is laid out only if the gateway
signed it for that village.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from offline_store.relay.bags import Bag, Bags
from sync_agent.retry import tried_again
from sync_agent.uplink import Answer, Uplink
from wire.bundle import BUNDLE_TYPE, open_body, read_down
from wire.errors import WireError
from wire.judgement import Expected, Refused, judge_refusal
from wire.messages import MAX_EXCHANGE_BYTES

OK = 200
REST_S = 30.0
ROUND_BYTES = 16 * 1024 * 1024
"""At most so much for others in one round, so that this node's own next envelope never waits behind more."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a round did."""

    bags: int = 0
    refused: int = 0
    why: str | None = None


class Forwarder:
    """Carries what lies in `relay/up`."""

    def __init__(
        self, uplink: Uplink, bags: Bags, *, node_id: str, gateway_public: bytes, clock: Callable[[], float]
    ) -> None:
        self._uplink = uplink
        self._bags = bags
        self._node_id = node_id
        self._public = gateway_public
        self._clock = clock
        self._rest_until = 0.0

    def may_go(self, now: float) -> bool:
        """Whether a bag waits, and the city did not say not now a moment ago."""
        return now >= self._rest_until and bool(self._bags.waiting())

    async def forward(self, interrupted: Callable[[], bool]) -> Forwarded:
        """Carry bags until done, interrupted, or told not now."""
        done, refused, size = 0, 0, 0
        for bag in self._bags.waiting():
            size += bag.length
            if interrupted() or (done and size > ROUND_BYTES):
                break
            try:
                body = bag.path.read_bytes()
            except FileNotFoundError:
                continue
            nonce = self._uplink.fresh_nonce()
            answer = await tried_again(partial(self._uplink.courier, body, nonce))
            why = self._take(bag, answer)
            if why is None:
                done += 1
            elif why == "refused":
                refused += 1
            else:
                self._rest_until = self._clock() + REST_S
                return Forwarded(done, refused, why)
        return Forwarded(done, refused)

    def _take(self, bag: Bag, answer: Answer) -> str | None:
        """None when it was answered, `refused` when it never will be, else why not now."""
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status == OK and kind == BUNDLE_TYPE:
            try:
                document, _ = open_body(answer.body, MAX_EXCHANGE_BYTES)
                read_down(document, self._public, node=bag.node_id)
            except WireError as broken:
                return broken.code
            self._bags.put_down(bag.node_id, answer.body)
            self._bags.forwarded(bag)
            return None
        expected = Expected(self._public, self._node_id, answer.nonce)
        verdict = judge_refusal(answer.status, answer.headers, answer.body, expected)
        if isinstance(verdict, Refused):
            self._bags.forwarded(bag)
            return "refused"
        return verdict.why
