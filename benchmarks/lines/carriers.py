"""What carries the same mail over a line: our courier to our gateway, and two peers with the same bytes as files.

Each carrier has a city's side that is started before the clock, and a village's side that is started with it; each says
when everything has arrived. Peers do neither check nor open anything, nor wait for an fsync.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.lines.link import CITY_ADDRESS, namespace_of
from benchmarks.lines.mail import Mail

ROOT = Path(__file__).parents[2]
GATEWAY_PORT, RSYNC_PORT, TUS_PORT = 8440, 8730, 8080
START_S, LOOK_S = 60.0, 0.05
TUS_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a line."""

    name: str
    folder: Path

    def start(self, end: str, *words: object, log: str, **environment: str) -> subprocess.Popen[bytes]:
        """A process in the namespace of one end."""
        line = ["ip", "netns", "exec", namespace_of(self.name, end), *map(str, words)]
        with (self.folder / f"{log}.log").open("ab") as out:
            return subprocess.Popen(line, cwd=ROOT, env=os.environ | environment, stdout=out, stderr=out)


class Carrier(Protocol):
    """One way to bring mail over a line."""

    name: str

    @contextlib.contextmanager
    def city(self, ends: Ends, mail: Mail) -> Iterator[None]:
        """The receiving side, ready."""

    def village(self, ends: Ends, mail: Mail) -> subprocess.Popen[bytes]:
        """The sending side, started."""

    def arrived(self, ends: Ends, mail: Mail) -> bool:
        """Whether everything is there, as far as the sender may know."""

    def said(self, ends: Ends, mail: Mail) -> dict[str, float]:
        """What the carrier itself counted."""


@contextlib.contextmanager
def _running(program: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        program.terminate()
        try:
            program.wait(15)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _listens(ends: Ends, port: int) -> None:
    probe = f"import socket; socket.create_connection(('{CITY_ADDRESS}', {port}), 2).close()"
    until = time.monotonic() + START_S
    words = ["ip", "netns", "exec", namespace_of(ends.name, "c"), sys.executable, "-c", probe]
    while subprocess.run(words, check=False, capture_output=True).returncode:
        if time.monotonic() > until:
            raise TimeoutError(f"nobody listens on {port}")
        time.sleep(0.2)


class Ours:
    """sync_agent to city_gateway."""

    name = "ours"

    @contextlib.contextmanager
    def city(self, ends: Ends, mail: Mail) -> Iterator[None]:
        address = f"{CITY_ADDRESS}:{GATEWAY_PORT}"
        words = ["-m", "city_gateway", "serve", "--database", mail.ledger, "--folder", mail.gateway]
        words += ["--listen", address, "--public-url", f"http://{address}"]
        with _running(ends.start("c", sys.executable, *words, log="gateway")):
            _listens(ends, GATEWAY_PORT)
            yield

    def village(self, ends: Ends, mail: Mail) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "sync_agent", "run", "--root", mail.node.root]
        url = f"http://{CITY_ADDRESS}:{GATEWAY_PORT}"
        return ends.start("v", *words, log="courier", GUANGAN_AGENT_GATEWAY_URL=url, GUANGAN_AGENT_FIRST_CONTACT_S="0")

    def arrived(self, ends: Ends, mail: Mail) -> bool:
        try:
            document = json.loads((mail.node.incoming / "receipt.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        receipt = json.loads(base64.b64decode(document["payload"]))
        stored = sum(1 for one in os.scandir(mail.node.incoming / "scans-stored") if one.name.endswith(".stored"))
        return bool(receipt["hwm"] >= mail.count and stored >= len(mail.scans))

    def said(self, ends: Ends, mail: Mail) -> dict[str, float]:
        line = json.loads((mail.node.incoming / "line.json").read_bytes())
        return {"bodies_up": line["sent_bytes"], "beyond_the_mail": line["sent_bytes"] - mail.sealed_bytes}


class Rsync:
    """rsync with --partial, from a spool folder to a daemon, tried again until it is through."""

    name = "rsync"

    @contextlib.contextmanager
    def city(self, ends: Ends, mail: Mail) -> Iterator[None]:
        target, config = ends.folder / "rsync-target", ends.folder / "rsyncd.conf"
        target.mkdir()
        config.write_text(
            f"use chroot = no\nuid = root\ngid = root\n[mail]\npath = {target}\nread only = no\n", "utf-8"
        )
        words = ["rsync", "--daemon", "--no-detach", f"--port={RSYNC_PORT}", f"--config={config}"]
        with _running(ends.start("c", *words, log="rsyncd")):
            _listens(ends, RSYNC_PORT)
            yield

    def village(self, ends: Ends, mail: Mail) -> subprocess.Popen[bytes]:
        once = f"rsync -a --partial --timeout=20 {mail.spool}/ rsync://{CITY_ADDRESS}:{RSYNC_PORT}/mail/"
        return ends.start(
            "v", "sh", "-c", f"until {once}; do sleep 1; done; touch {ends.folder}/rsync-done", log="rsync"
        )

    def arrived(self, ends: Ends, mail: Mail) -> bool:
        return (ends.folder / "rsync-done").exists()

    def said(self, ends: Ends, mail: Mail) -> dict[str, float]:
        return {}


class Tus:
    """tus 1.0 with the public client and server, four connections side by side."""

    name = "tus"

    def __init__(self, python: Path) -> None:
        self._python = python

    @contextlib.contextmanager
    def city(self, ends: Ends, mail: Mail) -> Iterator[None]:
        script = Path(__file__).with_name("tus_peer.py")
        words = [self._python, script, "serve", CITY_ADDRESS, TUS_PORT, ends.folder / "tus-target"]
        with _running(ends.start("c", *words, log="tusd")):
            _listens(ends, TUS_PORT)
            yield

    def village(self, ends: Ends, mail: Mail) -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("tus_peer.py")
        url = f"http://{CITY_ADDRESS}:{TUS_PORT}/files/"
        words = [self._python, script, "send", url, mail.spool, TUS_CONNECTIONS, ends.folder / "tus-done"]
        return ends.start("v", *words, log="tus")

    def arrived(self, ends: Ends, mail: Mail) -> bool:
        return (ends.folder / "tus-done").exists()

    def said(self, ends: Ends, mail: Mail) -> dict[str, float]:
        return {}


def carriers(peers: Path | None) -> list[Carrier]:
    """Ours, rsync where it is installed, tus where a Python with the two public packages was named."""
    found: list[Carrier] = [Ours()]
    if shutil.which("rsync"):
        found.append(Rsync())
    if peers is not None:
        found.append(Tus(peers))
    return found


def digest_of(folder: Path) -> str:
    """One hash over all files below a folder, whatever their names: what came is what was sent."""
    parts = sorted(hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file())
    return hashlib.sha256("".join(parts).encode()).hexdigest()
