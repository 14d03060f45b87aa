"""Writing the body of one request to disk while it streams, by one writer at a time.

Laws: bytes reach the file as they arrive and are flushed before anything is said about them; a body that came whole
and does not match its checksum or its signed digest is taken back to where it began; a body that was cut stays, and
the hash of the finished scan decides. A body is hashed once: signature, checksum and, if it is the whole scan, the
scan's name are judged by the same digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from city_gateway.acts import uploads
from city_gateway.acts.uploads import Complete, Upload
from city_gateway.errors import ScanBusy, ScanChecksumWrong, TooLarge
from city_gateway.finishing import FinishingDesk
from wire.errors import RequestChanged
from wire.request_proof import BodyCheck

SILENCE_S = 60.0
LEAVING_S = 10.0


@dataclass(slots=True)
class Writer:
    """Who writes one upload, and how long it may still be silent."""

    gone: asyncio.Event = field(default_factory=asyncio.Event)
    patience: asyncio.Timeout | None = None
    unwanted: bool = False

    def leave(self) -> None:
        """Somebody asks this writer to leave."""
        self.unwanted = True
        if self.patience is not None and not self.patience.expired():
            self.patience.reschedule(asyncio.get_running_loop().time())

    def heard(self) -> None:
        """A piece came; the silence begins anew."""
        if self.patience is not None and not self.unwanted:
            self.patience.reschedule(asyncio.get_running_loop().time() + SILENCE_S)


class Writers:
    """Who writes which upload in this process; between processes the lock on the file decides."""

    def __init__(self) -> None:
        self._writers: dict[tuple[str, str], Writer] = {}

    @contextmanager
    def alone(self, node_id: str, scan_hash: str) -> Iterator[Writer]:
        """Be the one writer, or ScanBusy."""
        key = (node_id, scan_hash)
        if key in self._writers:
            raise ScanBusy
        writer = self._writers[key] = Writer()
        try:
            yield writer
        finally:
            del self._writers[key]
            writer.gone.set()

    async def interrupt(self, node_id: str, scan_hash: str) -> None:
        """End a writer whose connection hangs: its node is asking anew."""
        writer = self._writers.get((node_id, scan_hash))
        if writer is not None:
            writer.leave()
            with suppress(TimeoutError):
                await asyncio.wait_for(writer.gone.wait(), LEAVING_S)


async def write_body(
    request: Request, upload: Upload, checksum: bytes | None, writer: Writer, desk: FinishingDesk
) -> Upload:
    """Append the body and, with its last byte, make it a stored scan; what is returned is on disk."""
    proof = BodyCheck(request.state.signed)
    with uploads.writing(upload) as file:
        complete = False
        try:
            reached = await _append(request, upload, proof, file, writer)
            if checksum is not None and proof.digest() != checksum:
                raise ScanChecksumWrong(offset=upload.offset)
            proof.finish()
            complete = reached == upload.length
        except (TimeoutError, ClientDisconnect):
            raise ScanBusy from None  # nobody hears it; what arrived is flushed below and stays
        except (TooLarge, ScanChecksumWrong, RequestChanged):
            file.seek(upload.offset)
            file.truncate()
            raise
        finally:
            file.flush()
            if not complete:
                await run_in_threadpool(uploads.flush, file.fileno())
        if complete:
            content = proof.digest() if upload.offset == 0 else None
            return await desk.finish(Complete(upload, content, file.fileno()))
        return upload.grown(reached)


async def _append(request: Request, upload: Upload, proof: BodyCheck, file: BinaryIO, writer: Writer) -> int:
    """Raises TimeoutError when this writer is to leave or nothing came for too long."""
    reached = upload.offset
    try:
        async with asyncio.timeout(SILENCE_S) as writer.patience:
            async for piece in request.stream():
                writer.heard()
                reached += len(piece)
                if reached > upload.length:
                    raise TooLarge(limit=upload.length)
                file.write(piece)
                proof.update(piece)
    finally:
        writer.patience = None  # nothing more is waited for: who asks this writer to leave now waits for its end
    return reached
