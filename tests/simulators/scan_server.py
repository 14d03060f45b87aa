"""A real S3-compatible server (SeaweedFS) on this machine, and a road to it on which things go wrong.

The server runs as a process of its own with its files in a folder, so that it can be killed and started again; the road
is a small HTTP relay in this process, so that a test can cut it at a chosen place.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

ACCESS, SECRET, BUCKET = "gateway-of-a-test", "secret-of-a-test", "guangan"
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
START_S = 40.0
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
_prefixes = count(1)


def free_ports(number: int) -> list[int]:
    """Different ports that are free now."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


class ScanServer:
    """One server; `killed` and `start` may follow one another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = free_ports(len(PORTS) + 2)
        *others, self.port, own = self._ports
        (folder / "who.json").write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": "gateway",
                            "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
                            "actions": ["Admin", "Read", "Write", "List"],
                        }
                    ]
                }
            )
        )
        self._arguments = [
            str(Path(sys.executable).with_name("weed")),
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *(f"-{name}={port}" for name, port in zip(PORTS, others, strict=True)),
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
            "-volume.max=16",
            "-volume.preStopSeconds=0",
            "-filer",
            "-s3",
            f"-s3.port={self.port}",
            f"-s3.port.grpc={own}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={folder / 'who.json'}",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it takes and gives an object."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"},
            )
        from city_gateway.errors import ScanStoreAway

        road, until = _road(f"s3://{BUCKET}/is-it-up?endpoint={self.endpoint}"), time.monotonic() + START_S
        while time.monotonic() < until:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            with contextlib.suppress(ScanStoreAway, OSError):
                road.put("here", b"yes")
                if b"".join(road.pieces("here")) == b"yes":
                    return
            road.rested()
            time.sleep(0.05)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """As a power cut of its machine ends it, but for what the page cache holds."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        for port in self._ports:  # which a killed server leaves behind
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)


def _road(address: str) -> Any:
    """A way to the server that can be told to ask again at once."""
    from city_gateway.scan_store.s3_place import read_keys, read_place
    from city_gateway.scan_store.s3_road import Road

    class Again(Road):
        def rested(self) -> None:
            self._rests_until = 0.0

    return Again(read_place(address), read_keys(KEYS))


@contextlib.contextmanager
def scan_server_at(folder: Path) -> Iterator[ScanServer]:
    """A running server, ended in the end."""
    server = ScanServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def scan_server() -> Iterator[ScanServer]:
    """For a fixture: one server for a whole run, in a folder below the system's."""
    folder = Path(tempfile.mkdtemp(prefix="guangan-s3-"))
    try:
        with scan_server_at(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_address(endpoint: str) -> str:
    """A place of its own in the bucket."""
    return f"s3://{BUCKET}/of-a-test/{next(_prefixes)}?endpoint={endpoint}"


Fault = Callable[["Passing"], bool]


@dataclass
class BadRoad:
    """A relay to the server. `fault` is asked for each request and says whether it dealt with it."""

    upstream: int
    fault: Fault | None = None
    passed: list[str] = field(default_factory=list)
    """Methods and paths of all requests, those that were dealt with included."""

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Passing,), {"road": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Passing(BaseHTTPRequestHandler):
    """One request under way; a fault uses `pass_on`, `answer` and `cut`."""

    protocol_version = "HTTP/1.1"
    road: BadRoad
    sent: bytes

    def _any(self) -> None:
        self.road.passed.append(f"{self.command} {self.path}")
        self.sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.road.fault
        try:
            if fault is None or not fault(self):
                self.answer(*self.pass_on())
        except OSError:
            self.cut()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any

    def pass_on(self, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        """The server's answer to this request."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.road.upstream, timeout=20)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(self.sent if body is None else body)
            said = upstream.getresponse()
            return said.status, dict(said.getheaders()), said.read()
        finally:
            upstream.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes, *, length: int | None = None) -> None:
        """Give an answer, which may claim another length than it has."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"} or (
                name.lower() == "content-length" and self.command == "HEAD"
            ):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut(self) -> None:
        """Hang up."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_said: object) -> None:
        """Nothing is printed."""


def is_scan(passing: Passing, *commands: str) -> bool:
    """Whether this request is about a finished scan."""
    return "/whole/" in passing.path and (not commands or passing.command in commands)


def busy(passing: Passing) -> bool:
    """503 to everything."""
    passing.answer(503, {"retry-after": "1"}, b"<Error><Code>SlowDown</Code></Error>")
    return True


def cut_in_the_put(passing: Passing) -> bool:
    """Half of a scan comes to the server, then the line is gone."""
    if not is_scan(passing, "PUT"):
        return False
    with contextlib.suppress(OSError, http.client.HTTPException):
        half = http.client.HTTPConnection("127.0.0.1", passing.road.upstream, timeout=2)
        half.putrequest("PUT", passing.path, skip_host=True, skip_accept_encoding=True)
        for name, value in passing.headers.items():
            half.putheader(name, value)
        half.endheaders(passing.sent[: len(passing.sent) // 2])
        half.close()
    passing.cut()
    return True


def answer_lost(passing: Passing) -> bool:
    """The server stored the scan, and nobody hears of it."""
    if not is_scan(passing, "PUT"):
        return False
    passing.pass_on()
    passing.cut()
    return True


def truncated(passing: Passing) -> bool:
    """A scan's bytes end in the middle."""
    if not is_scan(passing, "GET"):
        return False
    status, headers, body = passing.pass_on()
    passing.answer(status, headers, body[: len(body) // 2], length=len(body))
    passing.cut()
    return True


def garbled(passing: Passing) -> bool:
    """A scan's last byte is another one."""
    if not is_scan(passing, "GET"):
        return False
    status, headers, body = passing.pass_on()
    passing.answer(status, headers, body[:-1] + bytes([body[-1] ^ 1]) if body else body)
    return True
