"""A node of a reconnect storm: signed exchanges of prepared envelopes, in the courier's own rhythm.

What counts as an answer is judged by `wire.judgement`, when to come again is decided by `sync_agent.rhythm` and
`sync_agent.retry`, as in the courier; only disk and screen are missing. Each request has its own connection, as the
requests of thousands of machines have.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from sync_agent.retry import tried_again
from sync_agent.rhythm import Rhythm, failed, succeeded
from tests.simulators.storm_mail import Mail
from wire.http_signature import sign_request
from wire.judgement import Accepted, Expected, NotNow, Verdict, judge
from wire.keys import SigningKey
from wire.messages import CONTENT_TYPE, ExchangeHead, NodeReport, write_request

BATCH = 200
ANSWER_S = 60.0
HELD_S = 20
BUSY = "gateway.busy"


@dataclass(slots=True)
class Diary:
    """What happened when, in seconds since the line came back; and what went wrong for good. `returned` is when those
    came who had been told when to come."""

    begun: float = field(default_factory=time.monotonic)
    answered: list[tuple[float, str]] = field(default_factory=list)
    returned: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    told_to_wait: list[int] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the line came back."""
        return time.monotonic() - self.begun

    def note(self, what: str) -> None:
        """One answer, or none."""
        self.answered.append((self.now, what))


@dataclass(slots=True)
class StormNode:
    """One identity until everything of it is acknowledged and everything for it was read."""

    mail: Mail
    client: httpx.AsyncClient
    url: str
    diary: Diary
    chance: Callable[[], float]
    feed_to_read: int
    first_try: float = 0.0
    hwm: int = 0
    cursor: int = 0
    was_told: bool = False
    requests: int = 0

    @property
    def done(self) -> bool:
        """Nothing waits here, and nothing is awaited."""
        return self.hwm >= len(self.mail.envelopes) and self.cursor >= self.feed_to_read

    async def drain(self) -> None:
        """Come, send, be sent away, come again."""
        rhythm = Rhythm(idle_s=1.0, next_try=time.monotonic() + self.first_try)
        while not self.done:
            await asyncio.sleep(max(0.0, rhythm.next_try - time.monotonic()))
            verdict = await self._ask()
            now = time.monotonic()
            if isinstance(verdict, Accepted):
                rhythm = succeeded(rhythm, now, self.chance)
                if verdict.receipt.feed_more or self.hwm < len(self.mail.envelopes):
                    rhythm = Rhythm(idle_s=1.0, next_try=now)
            elif isinstance(verdict, NotNow):
                rhythm = failed(rhythm, now, self.chance, verdict.retry_after)
            else:
                self.diary.refused.append(verdict.code)
                return

    async def _ask(self) -> Verdict:
        nonce = os.urandom(16).hex()
        document = self.mail.machine.document
        waiting = self.mail.envelopes[self.hwm : self.hwm + BATCH]
        head = ExchangeHead(
            node=document.node_id,
            nonce=nonce,
            feed_cursor=self.cursor,
            wait_s=0 if waiting else HELD_S,
            report=NodeReport(catalog_version=1, program_version="storm"),
        )
        body = write_request(head, waiting)
        try:
            answer = await tried_again(lambda: self._send(body, nonce))
        except httpx.HTTPError as broken:
            self.diary.note("silence")
            self.was_told = False
            return NotNow(type(broken).__name__)
        expected = Expected(document.gateway.signing_public, document.node_id, nonce, self.cursor)
        verdict = judge(answer.status_code, answer.headers, answer.content, expected)
        if self.was_told:
            self.diary.returned.append(self.diary.now)
        self.was_told = isinstance(verdict, NotNow) and verdict.why == BUSY
        self._take(verdict)
        return verdict

    def _take(self, verdict: Verdict) -> None:
        if isinstance(verdict, Accepted):
            self.diary.note("accepted")
            self.hwm = verdict.receipt.hwm
            self.cursor += len(verdict.feed)
        elif isinstance(verdict, NotNow):
            self.diary.note("busy" if verdict.why == BUSY else verdict.why)
            if verdict.retry_after is not None:
                self.diary.told_to_wait.append(verdict.retry_after)

    async def _send(self, body: bytes, nonce: str) -> httpx.Response:
        self.requests += 1
        headers = sign_request(
            method="POST",
            url=f"{self.url}/v1/exchange",
            headers={"content-type": CONTENT_TYPE},
            body=body,
            node_id=self.mail.machine.document.node_id,
            transport_key=SigningKey.from_bytes(self.mail.machine.transport),
            created=datetime.now(UTC),
            nonce=nonce,
        )
        return await self.client.post(f"{self.url}/v1/exchange", content=body, headers=headers)


def storm_client(unused: ssl.SSLContext) -> httpx.AsyncClient:
    """A node's own client, and a connection for every request: one pool for thousands looks through all of them for
    each. The context is for nothing here, but making one for each node would take longer than the storm."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    transport = httpx.AsyncHTTPTransport(verify=unused, limits=limits, trust_env=False)
    return httpx.AsyncClient(transport=transport, timeout=ANSWER_S, trust_env=False, follow_redirects=False)
