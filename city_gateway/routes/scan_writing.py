"""Writing the body of one PATCH to disk while it streams, by one writer at a time.

Laws: bytes reach the file as they arrive and are flushed before anything is said about them; a body that came whole
and does not match its checksum or its signed digest is taken back to where it began; a body that was cut stays, and
the hash of the finished scan decides.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from city_gateway.acts import uploads
from city_gateway.acts.uploads import Upload
from city_gateway.errors import ScanBusy, ScanChecksumWrong, TooLarge
from wire.errors import RequestChanged
from wire.request_proof import BodyCheck

SILENCE_S = 60.0
LEAVING_S = 10.0


@dataclass(slots=True)
class _Writer:
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Writers:
    """Who writes which upload in this process (one site's uploads go to one process)."""

    def __init__(self) -> None:
        self._writers: dict[tuple[str, str], _Writer] = {}

    @contextmanager
    def alone(self, node_id: str, scan_hash: str) -> Iterator[asyncio.Event]:
        """Be the one writer, or ScanBusy; the event tells that somebody asks this writer to leave."""
        key = (node_id, scan_hash)
        if key in self._writers:
            raise ScanBusy
        writer = self._writers[key] = _Writer()
        try:
            yield writer.leave
        finally:
            del self._writers[key]
            writer.gone.set()

    async def interrupt(self, node_id: str, scan_hash: str) -> None:
        """End a writer whose connection hangs: its node is asking anew."""
        writer = self._writers.get((node_id, scan_hash))
        if writer is not None:
            writer.leave.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(writer.gone.wait(), LEAVING_S)


async def write_body(request: Request, upload: Upload, checksum: bytes | None, leave: asyncio.Event) -> int:
    """Append the body; returns the offset that is on disk. Raises ScanBusy when it was cut."""
    proof, digest = BodyCheck(request.state.signed), hashlib.sha256()
    reached = upload.offset
    with upload.path.open("r+b") as file:
        file.seek(reached)
        try:
            async for piece in _until(request, leave):
                reached += len(piece)
                if reached > upload.length:
                    raise TooLarge(limit=upload.length)
                file.write(piece)
                digest.update(piece)
                proof.update(piece)
            if checksum is not None and digest.digest() != checksum:
                raise ScanChecksumWrong(offset=upload.offset)
            proof.finish()
        except ClientDisconnect:
            raise ScanBusy from None  # nobody hears it; what arrived is flushed below and stays
        except (TooLarge, ScanChecksumWrong, RequestChanged):
            file.seek(upload.offset)
            file.truncate()
            raise
        finally:
            file.flush()
            await run_in_threadpool(uploads.flush, file.fileno())
    return reached


async def _until(request: Request, leave: asyncio.Event) -> AsyncIterator[bytes]:
    """The pieces of the body; ScanBusy when this writer is to leave or nothing came for too long."""
    pieces = aiter(request.stream())
    leaving = asyncio.ensure_future(leave.wait())
    try:
        while True:
            coming = asyncio.ensure_future(anext(pieces, None))
            await asyncio.wait({coming, leaving}, timeout=SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                with suppress(asyncio.CancelledError):
                    await coming
                raise ScanBusy
            piece = coming.result()
            if piece is None:
                return
            yield piece
    finally:
        leaving.cancel()
