"""A bad road between a courier and a gateway: an httpx transport that does to requests what village lines do.

Laws: it stands in for the network alone, behind the same port as the production transport; what it does is written
down before it happens (`expect`), or drawn from a seed that the test names; what passed is remembered (`passed`).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx
from starlette.requests import ClientDisconnect

PORTAL_PAGE = "<html><body>请先登录无线网络</body></html>"

Forward = Callable[[httpx.Request], Awaitable[httpx.Response]]
Mishap = Callable[[httpx.Request, Forward], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Passed:
    """One request as the road saw it; no status when no answer came through."""

    method: str
    path: str
    offset: int | None
    length: int
    status: int | None


class FlakyRoad(httpx.AsyncBaseTransport):
    """The road to `far`; `expect` says what happens to the next request that a kind of mishap fits."""

    def __init__(self, far: httpx.AsyncBaseTransport) -> None:
        self.far = far
        self.passed: list[Passed] = []
        self._expected: deque[tuple[str, str, Mishap]] = deque()
        self._always: Mishap | None = None

    def expect(self, mishap: Mishap, *, method: str = "", path: str = "", times: int = 1) -> None:
        """Let this happen to the next `times` requests with this method and beginning of the path."""
        self._expected.extend([(method, path, mishap)] * times)

    def always(self, mishap: Mishap | None) -> None:
        """Let this happen to every request until told otherwise."""
        self._always = mishap

    @property
    def still_expected(self) -> int:
        """Mishaps that met no request yet."""
        return len(self._expected)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        said = request.headers.get("upload-offset")
        answer: httpx.Response | None = None
        try:
            mishap = self._next(request)
            answer = await (mishap(request, self._forward) if mishap else self._forward(request))
        finally:
            seen = (request.method, request.url.path, int(said) if said else None, len(request.content))
            self.passed.append(Passed(*seen, answer.status_code if answer else None))
        return answer

    def _next(self, request: httpx.Request) -> Mishap | None:
        for place, (method, path, mishap) in enumerate(self._expected):
            if method in {"", request.method} and request.url.path.startswith(path):
                del self._expected[place]
                return mishap
        return self._always

    async def _forward(self, request: httpx.Request) -> httpx.Response:
        answer = await self.far.handle_async_request(request)
        await answer.aread()
        return answer


def answers(status: int, *, text: str = "", headers: Mapping[str, str] | None = None) -> Mishap:
    """Somebody on the way answers; the gateway hears nothing."""

    async def mishap(request: httpx.Request, _forward: Forward) -> httpx.Response:
        return httpx.Response(status, text=text, headers=headers, request=request)

    return mishap


def portal() -> Mishap:
    """A captive portal: its own page, with status 200."""
    return answers(200, text=PORTAL_PAGE, headers={"content-type": "text/html; charset=utf-8"})


def no_line() -> Mishap:
    """Nothing can be reached."""

    async def mishap(request: httpx.Request, _forward: Forward) -> httpx.Response:
        raise httpx.ConnectError("no line", request=request)

    return mishap


def loses_the_answer() -> Mishap:
    """The gateway heard and committed; the answer is lost."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        await forward(request)
        raise httpx.ReadError("connection reset", request=request)

    return mishap


def truncates_the_answer(keep: int) -> Mishap:
    """The first `keep` bytes of the answer come through and look like all of it; negative: so many are missing."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = await forward(request)
        kept = answer.content[:keep]
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
        return httpx.Response(answer.status_code, headers=headers, content=kept, request=request)

    return mishap


def cuts_the_request(after: int) -> Mishap:
    """The line breaks when the gateway has read `after` bytes of the body."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        begun = httpx.Request(request.method, request.url, headers=request.headers, stream=_Cut(request.content, after))
        await _heard(forward, begun)
        raise httpx.WriteError("connection reset", request=request)

    return mishap


def doubles() -> Mishap:
    """The request arrives twice, as when a relay sends again on its own; the second answer comes through."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        await forward(request)
        return await forward(request)

    return mishap


def bad_day(rng: random.Random, chance: float) -> Mishap:
    """Any of the mishaps above, each request with this chance."""

    async def mishap(request: httpx.Request, forward: Forward) -> httpx.Response:
        if rng.random() >= chance:
            return await forward(request)
        drawn = rng.choice(
            [
                portal(),
                no_line(),
                loses_the_answer(),
                doubles(),
                truncates_the_answer(rng.randrange(1, 400)),
                cuts_the_request(rng.randrange(max(1, len(request.content)))),
                answers(rng.choice([302, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504])),
                answers(200),
                answers(204, headers={"upload-offset": str(rng.randrange(10_000_000))}),
            ]
        )
        return await drawn(request, forward)

    return mishap


class _Cut(httpx.AsyncByteStream):
    def __init__(self, content: bytes, after: int) -> None:
        self._content = content
        self._after = after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[: self._after]
        raise ClientDisconnect


async def _heard(forward: Forward, request: httpx.Request) -> None:
    """What the gateway says to a connection that is gone is heard by nobody."""
    try:
        await forward(request)
    except ClientDisconnect:
        return
