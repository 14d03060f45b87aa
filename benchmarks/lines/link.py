"""A line between two network namespaces, in user space: every IP packet passes here and is counted, delayed or lost.

Laws
- A village and a city, each a namespace of its own with one tun device; nothing outside them is reachable. They are
  made and removed by this program, and vanish with it. Needs root.
- A direction is a queue that the rate empties; what does not fit into it is dropped, as on a real line; then comes half
  the round trip; then chance takes its share.
- A cut drops everything. Connections that lived when it began are reset: the next packet of either end is answered
  with a reset that has exactly the number the end expects.

    python -m benchmarks.lines.link SHAPE NAME REPORT: runs until SIGTERM, then writes what it counted as JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.lines.packets import begins_request, reset_of, segment_of
from benchmarks.lines.shapes import SHAPES, Shape

VILLAGE_ADDRESS, CITY_ADDRESS = "10.77.0.1", "10.77.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
MTU: Final = 1500
QUEUE_S: Final = 0.5  # how long a full queue takes to empty: what village modems are known to hold
QUEUE_LEAST: Final = 32 * MTU
READ_MOST: Final = 64
UP, DOWN = 0, 1


@dataclass(slots=True)
class Way:
    """One direction."""

    bit_s: int
    packets: int = 0
    bytes: int = 0
    lost: int = 0
    full: int = 0
    free_at: float = 0.0

    def departs(self, now: float, size: int) -> float | None:
        """When the last bit of a packet has left; None when the queue is full."""
        waiting = max(0.0, self.free_at - now)
        if waiting * self.bit_s / 8 > max(QUEUE_LEAST, QUEUE_S * self.bit_s / 8):
            self.full += 1
            return None
        self.free_at = max(now, self.free_at) + size * 8 / self.bit_s
        return self.free_at


@dataclass(slots=True)
class Line:
    """Both directions and the cuts; no sockets."""

    shape: Shape
    rng: random.Random
    began: float
    ways: tuple[Way, Way] = field(init=False)
    resets: int = 0
    first_packet_at: float = 0.0
    requests: set[tuple[int, int]] = field(default_factory=set)  # port and number: one sent again is the same one
    _lives: set[frozenset[tuple[bytes, int]]] = field(default_factory=set)
    _dead: set[frozenset[tuple[bytes, int]]] = field(default_factory=set)
    _was_down: bool = False

    def __post_init__(self) -> None:
        self.ways = (Way(self.shape.up_bit_s), Way(self.shape.down_bit_s))

    def is_down(self, now: float) -> bool:
        """Whether nothing passes; the cut is at the end of each period."""
        if not self.shape.every_s:
            return False
        return (now - self.began) % self.shape.every_s > self.shape.every_s - self.shape.cut_s

    def takes(self, now: float, way: int, packet: bytes) -> tuple[float, int, bytes] | None:
        """What becomes of a packet: when it comes out, at which end, and as what; None when it does not."""
        down = self.is_down(now)
        if down and not self._was_down:
            self._dead |= self._lives
            self._lives.clear()
        self._was_down = down
        self.first_packet_at = self.first_packet_at or now
        segment = segment_of(packet)
        if segment is not None:
            if segment.opens:
                self._dead.discard(segment.connection)
                self._lives.add(segment.connection)
            elif segment.connection in self._dead:
                self.resets += 1
                return now, 1 - way, reset_of(segment)
            if way == UP and begins_request(packet, segment):
                self.requests.add((segment.source_port, segment.seq))
        mine = self.ways[way]
        if down:
            mine.lost += 1
            return None
        departs = mine.departs(now, len(packet))
        if departs is None:
            return None
        mine.packets += 1
        mine.bytes += len(packet)
        if self.rng.random() < self.shape.loss:
            mine.lost += 1
            return None
        return departs + self.shape.round_trip_s / 2, way, packet


def namespace_of(name: str, end: str) -> str:
    """The namespace of one end."""
    return f"{name}-{end}"


def make_ends(name: str) -> tuple[int, int]:
    """Both namespaces, each with its device up; the two descriptors: what the village sends, what the city sends."""
    ends = []
    for end, own, other in (("v", VILLAGE_ADDRESS, CITY_ADDRESS), ("c", CITY_ADDRESS, VILLAGE_ADDRESS)):
        space = namespace_of(name, end)
        _ip("netns", "add", space)
        ends.append(_tun_in(space))
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", own, "peer", other, "dev", "line"),
            ("link", "set", "line", "mtu", str(MTU), "up"),
        ):
            _ip("netns", "exec", space, "ip", *words)
    return ends[0], ends[1]


def remove_ends(name: str) -> None:
    """Take both namespaces away."""
    for end in ("v", "c"):
        subprocess.run(["ip", "netns", "del", namespace_of(name, end)], check=False, capture_output=True)


def carry(line: Line, village: int, city: int, stop: list[bool]) -> None:
    """Carry packets until told to stop."""
    devices = (village, city)
    due: list[tuple[float, int, int, bytes]] = []
    number = 0
    while not stop:
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, way, packet = heapq.heappop(due)
            try:
                os.write(devices[1 - way], packet)
            except OSError:
                continue
        wait = min(0.05, due[0][0] - now) if due else 0.05
        ready, _, _ = select.select(devices, [], [], max(0.0, wait))
        for device in ready:
            way = UP if device == village else DOWN
            for _ in range(READ_MOST):
                try:
                    packet = os.read(device, MTU + 100)
                except BlockingIOError:
                    break
                comes = line.takes(time.monotonic(), way, packet)
                if comes is not None:
                    number += 1
                    heapq.heappush(due, (comes[0], number, comes[1], comes[2]))


def _tun_in(space: str) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open("rb") as here, Path(f"/run/netns/{space}").open("rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", b"line", IFF_TUN | IFF_NO_PI))
        finally:
            libc.setns(here.fileno(), CLONE_NEWNET)
    return device


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("name")
    parser.add_argument("report", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    stop: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    try:
        village, city = make_ends(asked.name)
        line = Line(SHAPES[asked.shape], random.Random(asked.seed), time.monotonic())
        signal.signal(signal.SIGUSR1, lambda *_: _begin_anew(line, asked.report))
        print("ready", flush=True)
        carry(line, village, city, stop)
        _write(line, asked.report)
    finally:
        remove_ends(asked.name)
    return 0


def _begin_anew(line: Line, report: Path) -> None:
    """Write what was counted, count from zero."""
    _write(line, report)
    line.resets, line.first_packet_at = 0, 0.0
    line.requests.clear()
    for way in line.ways:
        way.packets = way.bytes = way.lost = way.full = 0


def _write(line: Line, report: Path) -> None:
    said = {
        "up": asdict(line.ways[UP]),
        "down": asdict(line.ways[DOWN]),
        "resets": line.resets,
        "requests": len(line.requests),
        "first_packet_at": line.first_packet_at,
    }
    unfinished = report.with_suffix(".part")
    unfinished.write_text(json.dumps(said), "utf-8")
    unfinished.replace(report)


if __name__ == "__main__":
    sys.exit(main())
