"""The township's courier carries bags of villages to the city, after its own work, and lays the answers out for them.

Laws: nothing of a bag is opened or decided here. A bag is removed when the gateway, with its signature, answered for it
or refused it for good; everything else is "not now" and leaves it lying. A bag that is not taken now rests alone, each
time longer, and delays no other; two in a row end the round, for then it is the line. A request that breaks is
"not now" like any other: how this node's own line stands is said by its own exchange alone; why a bag did not go is
told by its code, apart from that. An answer is laid out only if the gateway signed it for that village.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from offline_store.relay.bags import Bag, Bags
from sync_agent.retry import tried_again
from sync_agent.uplink import Answer, Uplink
from wire.bundle import BUNDLE_TYPE, open_body, read_down
from wire.errors import WireError
from wire.judgement import Expected, Refused, judge_refusal
from wire.messages import MAX_EXCHANGE_BYTES

OK = 200
REST_S, LONGEST_REST_S = 30.0, 3600.0
STUCK_MOST = 2
ROUND_BYTES = 16 * 1024 * 1024
"""At most so much for others in one round, so that this node's own next envelope never waits behind more."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a round did; `why` is the code of the last bag that did not go, refused for good or not taken now."""

    bags: int = 0
    refused: int = 0
    why: str | None = None

    @property
    def tried(self) -> bool:
        """Whether there was anything to carry."""
        return bool(self.bags or self.refused or self.why)


@dataclass(frozen=True, slots=True)
class _NotTaken:
    """Why the city has not answered for a bag; `for_good` when it never will."""

    why: str
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often a bag was not taken, and until when it rests."""

    times: int
    until: float


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
        self._rests: dict[Path, _Rest] = {}

    def may_go(self, now: float) -> bool:
        """Whether a bag waits that the city did not refuse for now a moment ago."""
        waiting = self._bags.waiting()
        self._rests = {bag.path: self._rests[bag.path] for bag in waiting if bag.path in self._rests}
        return any(self._may_go(bag, now) for bag in waiting)

    def _may_go(self, bag: Bag, now: float) -> bool:
        rest = self._rests.get(bag.path)
        return rest is None or now >= rest.until

    def _set_aside(self, bag: Bag) -> None:
        times = self._rests[bag.path].times + 1 if bag.path in self._rests else 0
        self._rests[bag.path] = _Rest(times, self._clock() + min(REST_S * 2 ** min(times, 30), LONGEST_REST_S))

    async def forward(self, interrupted: Callable[[], bool]) -> Forwarded:
        """Carry bags until done, interrupted, or told not now."""
        done, refused, size, stuck = 0, 0, 0, 0
        last: str | None = None
        for bag in self._bags.waiting():
            if not self._may_go(bag, self._clock()):
                continue
            size += bag.length
            if interrupted() or (done and size > ROUND_BYTES):
                break
            try:
                body = bag.path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError:  # the disk cannot read it now; the village still has its own
                self._set_aside(bag)
                continue
            not_taken = await self._carry(bag, body)
            if not_taken is None:
                done, stuck = done + 1, 0
                continue
            last = not_taken.why
            if not_taken.for_good:
                refused, stuck = refused + 1, 0
                continue
            self._set_aside(bag)
            stuck += 1
            if stuck == STUCK_MOST:
                break
        return Forwarded(done, refused, last)

    async def _carry(self, bag: Bag, body: bytes) -> _NotTaken | None:
        """What `_take` says of the answer; a request that broke is not raised, or its bag would fail every round."""
        try:
            answer = await tried_again(partial(self._uplink.courier, body, self._uplink.fresh_nonce()))
        except httpx.HTTPError as broken:
            return _NotTaken(type(broken).__name__)
        return self._take(bag, answer)

    def _take(self, bag: Bag, answer: Answer) -> _NotTaken | None:
        """None when it was answered, else why not."""
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status == OK and kind == BUNDLE_TYPE:
            try:
                document, _ = open_body(answer.body, MAX_EXCHANGE_BYTES)
                read_down(document, self._public, node=bag.node_id)
            except WireError as broken:
                return _NotTaken(broken.code)
            self._bags.put_down(bag.node_id, answer.body)
            self._bags.forwarded(bag)
            return None
        expected = Expected(self._public, self._node_id, answer.nonce)
        verdict = judge_refusal(answer.status, answer.headers, answer.body, expected)
        if isinstance(verdict, Refused):
            self._bags.forwarded(bag)
            return _NotTaken(verdict.code, for_good=True)
        return _NotTaken(verdict.why)
