"""The one place that speaks HTTP to the gateway.

Laws: every request is signed with the transport key; redirects are not followed; what comes back is bytes for
`wire.judgement`, never a decision of this module; the gateway's signed time corrects the clock used for signing.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from wire.bundle import BUNDLE_TYPE
from wire.http_signature import sign_request
from wire.keys import SigningKey
from wire.messages import CONTENT_TYPE, MAX_EXCHANGE_BYTES

CONNECT_S = 15.0
UNDER_WAY_BYTES = 48 * 1024
"""One chunk of 64 KiB is what a cut may cost; with this at most 55 KiB were seen under way when a line was cut. Four
connections at 400 ms still carry 480 KB a second."""
PROBE_AFTER_S, PROBE_AGAIN_S, PROBES = 240, 20, 3
TAKEN_AT_ONCE = 32 * 1024
TUS = {"tus-resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"


class AnswerWithoutEnd(httpx.HTTPError):
    """The answer is longer than anything the gateway says."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, believed by nobody yet; `nonce` is that of the question."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    nonce: str


class Uplink:
    """A signed way to one gateway."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        node_id: str,
        transport_key: SigningKey,
        clock: Callable[[], datetime],
        nonce: Callable[[], str],
    ) -> None:
        self._client = client
        self._node_id = node_id
        self._key = transport_key
        self._clock = clock
        self._nonce = nonce
        self.clock_offset = timedelta(0)
        self.sent_bytes = 0
        self.received_bytes = 0

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    def fresh_nonce(self) -> str:
        """Thirty-two hex digits that were never used before."""
        return self._nonce()

    def now(self) -> datetime:
        """The time as the city last said it, carried on by this machine's clock."""
        return self._clock() + self.clock_offset

    def learn_time(self, server_time: datetime) -> None:
        """The gateway said, with its signature, what time it is."""
        self.clock_offset = server_time - self._clock()

    async def exchange(self, body: bytes, nonce: str, held_s: float = 0.0) -> Answer:
        """Batch up, receipt and feed page down; `held_s` is how long the city may hold the answer."""
        return await self._send("POST", "/v1/exchange", {"content-type": CONTENT_TYPE}, body, nonce, held_s)

    async def courier(self, body: bytes, nonce: str) -> Answer:
        """A bag of another node up, the city's answer to it down."""
        return await self._send("POST", "/v1/courier", {"content-type": BUNDLE_TYPE}, body, nonce)

    async def create_scan(self, scan_hash: str, length: int, first: bytes, checksum: str) -> Answer:
        """Announce a scan with its first bytes; if it was announced before, the answer says how far it came."""
        name = base64.b64encode(scan_hash.encode()).decode()
        headers = TUS | {
            "content-type": OFFSET,
            "upload-length": str(length),
            "upload-metadata": f"hash {name}",
            "upload-checksum": f"sha256 {checksum}",
        }
        return await self._send("POST", "/v1/scans", headers, first)

    async def scan_offset(self, scan_hash: str) -> Answer:
        """Ask how much of a scan the gateway holds."""
        return await self._send("HEAD", f"/v1/scans/{scan_hash}", dict(TUS), b"")

    async def patch_scan(self, scan_hash: str, offset: int, piece: bytes, checksum: str) -> Answer:
        """Add a piece; `checksum` is base64 of its SHA-256."""
        headers = TUS | {"content-type": OFFSET, "upload-offset": str(offset), "upload-checksum": f"sha256 {checksum}"}
        return await self._send("PATCH", f"/v1/scans/{scan_hash}", headers, piece)

    async def give_up_scan(self, scan_hash: str) -> Answer:
        """Drop an unfinished upload; a scan that the gateway holds whole stays."""
        return await self._send("DELETE", f"/v1/scans/{scan_hash}", dict(TUS), b"")

    async def fetch_scan(self, scan_hash: str, first: int, last: int) -> Answer:
        """A range of a scan that this node may read; both ends are included."""
        return await self._send("GET", f"/v1/scans/{scan_hash}", {"range": f"bytes={first}-{last}"}, b"")

    async def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        nonce: str | None = None,
        held_s: float = 0.0,
    ) -> Answer:
        nonce = nonce or self._nonce()
        request = self._client.build_request(
            method,
            path,
            content=self._counted(body) if body else None,
            headers={"content-length": str(len(body))} if body else None,
        )
        if held_s:
            patience: dict[str, float | None] = request.extensions["timeout"]
            request.extensions["timeout"] = patience | {"read": (patience["read"] or 0.0) + held_s}
        signed = sign_request(
            method=method,
            url=str(request.url),
            headers=headers,
            body=body,
            node_id=self._node_id,
            transport_key=self._key,
            created=self.now(),
            nonce=nonce,
        )
        request.headers.update(signed)
        answer = await self._client.send(request, stream=True)
        try:
            content = await _read(answer)
        finally:
            await answer.aclose()
            self.received_bytes += answer.num_bytes_downloaded
        return Answer(answer.status_code, answer.headers, content, nonce)

    async def _counted(self, body: bytes) -> AsyncIterator[bytes]:
        """The body as the connection takes it, so that what a cut swallowed is counted, too."""
        for start in range(0, len(body), TAKEN_AT_ONCE):
            piece = body[start : start + TAKEN_AT_ONCE]
            self.sent_bytes += len(piece)
            yield piece


async def _read(answer: httpx.Response) -> bytes:
    """The whole body, as far as anything the gateway says can be long: nobody on the way can fill this memory."""
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MAX_EXCHANGE_BYTES:
            raise AnswerWithoutEnd(MAX_EXCHANGE_BYTES)
    return bytes(content)


def trust() -> ssl.SSLContext:
    """Whom TLS believes: the authorities of this machine, so that an administrator can add one of the province.

    A folder of them is looked into when one is needed; the bundle of certifi, which is taken where a machine has none,
    would lie in memory for good (1.7 MiB).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    folder = Path(ssl.get_default_verify_paths().openssl_capath)
    if next(folder.glob("*.0"), None) is not None:
        context.load_verify_locations(capath=folder)
        return context
    import certifi

    context.load_verify_locations(cafile=certifi.where())
    return context


def line_client(gateway_url: str, answer_s: float, connections: int) -> httpx.AsyncClient:
    """The client for a village line: patient, without redirects, saying nothing that the city does not need to hear."""
    transport = httpx.AsyncHTTPTransport(
        verify=trust(),
        limits=httpx.Limits(max_connections=connections + 2, max_keepalive_connections=connections + 2),
        socket_options=socket_options(),
        trust_env=False,
    )
    timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
    client = httpx.AsyncClient(base_url=gateway_url, transport=transport, timeout=timeout, follow_redirects=False)
    for name in ("accept", "accept-encoding", "user-agent", "connection"):
        del client.headers[name]
    return client


def socket_options() -> list[tuple[int, int, int] | tuple[int, int, bytes]]:
    """What is asked of the kernel for each connection; what it does not know is left out.

    - Few bytes under way: what a connection holds that the city does not have yet is what a cut sends again.
    - Keep-alive: a line that died in silence under a held question is noticed within five minutes, and the small
      probes keep the table entries of routers on the way alive: carriers forget a silent connection after five minutes
      at the least (270 s is what long-lived connections of phones are kept with).
    - BBR: on a lossy line it is worth three times the stock congestion control.
    """
    options: list[tuple[int, int, int] | tuple[int, int, bytes]] = [
        (socket.SOL_SOCKET, socket.SO_SNDBUF, UNDER_WAY_BYTES // 2),  # the kernel doubles it for its own needs
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_AFTER_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_AGAIN_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES),
    ]
    congestion = getattr(socket, "TCP_CONGESTION", None)
    if congestion is not None:
        with socket.socket() as probe:
            try:
                probe.setsockopt(socket.IPPROTO_TCP, congestion, b"bbr")
                options.append((socket.IPPROTO_TCP, congestion, b"bbr"))
            except OSError:
                pass
    return options
