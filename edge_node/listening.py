"""Two doors in one process: the counter socket for this machine's screen, the page port for the township's LAN.

Laws
- The socket is 0600 from the moment it exists; nobody else on the machine can knock.
- One edge_node per node folder: a lock is held for the life of the process, so the journal has one writer.
- A client that never finishes its headers is closed after a deadline; it holds no thread and no memory meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_DEADLINE_SECONDS = 15.0
KEEP_ALIVE_SECONDS = 30
CONNECTIONS = 256
SHUTDOWN_SECONDS = 5


class AlreadyRunning(RuntimeError):
    """Another edge_node serves this node folder."""


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for the headers of every request."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on while headers are unfinished, stop waiting when a request began."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE:
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(HEADER_DEADLINE_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class Door(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


@contextlib.contextmanager
def sole_process(lock_file: Path) -> Iterator[None]:
    """Hold the node folder for this process."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(str(lock_file)) from None
        yield
    finally:
        os.close(descriptor)


def counter_socket(path: Path) -> socket.socket:
    """The Unix socket of the screen, private to this account; a leftover of a killed process is replaced."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(before)
    return bound


def page_socket(host: str, port: int) -> socket.socket:
    """The LAN socket of the page."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class Doors:
    """The doors of this process; they close together."""

    def __init__(self) -> None:
        self._servers: list[Door] = []
        self.failed = False

    def stop(self) -> None:
        """Close after a failure of the disk: the process ends and says so."""
        self.failed = True
        self.close()

    def close(self) -> None:
        """Answer what was asked, and end."""
        for server in self._servers:
            server.should_exit = True

    async def serve(self, doors: Sequence[tuple[ASGIApp, socket.socket]]) -> None:
        """Serve each application on its socket until the process is told to stop."""
        self._servers = [door_of(app) for app, _ in doors]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.close)
        pairs = zip(self._servers, doors, strict=True)
        await asyncio.gather(*(server.serve(sockets=[bound]) for server, (_, bound) in pairs))


def door_of(app: ASGIApp, tls: ssl.SSLContext | None = None) -> Door:
    """A server for one application; with `tls` it speaks nothing else."""
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    config.load()
    config.ssl = tls
    return Door(config)
