"""A road between a courier and a gateway that knows bytes: cut at exactly byte K of either direction, answers dropped.

Laws:
- Up is from courier to gateway. A cut at byte K, counted from `arm` over all connections, passes exactly K bytes of its
  direction; then every connection ends, by a close or a reset, and the road is whole again.
- Bytes are counted as they pass. What the courier's kernel had taken and the road had not passed when it was cut
  is read from the kernel's own table (`under_way`): it crossed the courier's end and has to be sent again.
- Real sockets on the loopback: what is tested is the client that is shipped, with its options.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

PIECE = 4096
RECEIVE_BYTES = 4096
RESET = struct.pack("ii", 1, 0)
Way = Literal["up", "down"]
How = Literal["close", "reset"]


@dataclass
class Cut:
    """One cut that struck: what had passed, and what was under way towards the road."""

    way: Way
    passed: int
    under_way: int


@dataclass
class CuttingRoad:
    """The road to `far`; use it as an asynchronous context."""

    far: tuple[str, int]
    up: int = 0
    down: int = 0
    cuts: list[Cut] = field(default_factory=list)
    _limits: dict[Way, int | None] = field(default_factory=lambda: {"up": None, "down": None})
    _counted: dict[Way, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    _how: How = "close"
    _further: Sequence[tuple[int, How]] = ()
    _open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        door = socket.create_server(("127.0.0.1", 0))
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)  # inherited by what is accepted
        self._server = await asyncio.start_server(self._carry, sock=door, limit=PIECE)
        self.url = "http://{}:{}".format(*door.getsockname()[:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.end_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def arm(self, way: Way, after: int, how: How = "close") -> None:
        """Cut when so many more bytes have gone this way."""
        self._limits = {"up": None, "down": None}
        self._counted = {"up": 0, "down": 0}
        self._limits[way], self._how = after, how

    def arm_in_turn(self, way: Way, cuts: Sequence[tuple[int, How]]) -> None:
        """Cut again and again, each so many bytes after the one before."""
        (after, how), *self._further = cuts
        self.arm(way, after, how)

    def disarm(self) -> None:
        """Whatever was armed and did not strike will not."""
        self._limits = {"up": None, "down": None}
        self._further = []

    @property
    def armed(self) -> bool:
        """Whether a cut is still to come."""
        return any(limit is not None for limit in self._limits.values())

    def end_all(self, how: How = "close") -> None:
        """Every connection ends now."""
        for near, far in list(self._open):
            for end in (near, far):
                if how == "reset":
                    end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.transport.abort() if how == "reset" else end.close()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            answers, far = await asyncio.open_connection(*self.far, limit=PIECE)
        except OSError:
            near.close()
            return
        pair = (near, far)
        self._open.add(pair)
        ways = {
            asyncio.ensure_future(self._pass("up", reader, far, near)),
            asyncio.ensure_future(self._pass("down", answers, near, near)),
        }
        self._tasks |= ways
        _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        for task in left:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._tasks -= ways
        self._open.discard(pair)
        for end in pair:
            end.close()

    async def _pass(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, near: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while True:
                limit = self._limits[way]
                room = PIECE if limit is None else min(PIECE, limit - self._counted[way])
                if room <= 0:
                    self._strike(way, near, reader)
                    return
                piece = await reader.read(room)
                if not piece:
                    return
                limit = self._limits[way]  # armed meanwhile: this piece may be the one that is cut
                if limit is not None and self._counted[way] + len(piece) > limit:
                    piece = piece[: limit - self._counted[way]]
                self._counted[way] += len(piece)
                setattr(self, way, getattr(self, way) + len(piece))
                writer.write(piece)
                await writer.drain()
                if limit is not None and self._counted[way] >= limit:
                    self._strike(way, near, reader)
                    return

    def _strike(self, way: Way, near: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        if not self.armed:
            return
        passed = self._counted[way]
        waiting = len(reader._buffer) if way == "up" else 0  # type: ignore[attr-defined]
        under_way = waiting + sum(in_kernel(one.get_extra_info("peername")[1]) for one, _ in self._open)
        self.cuts.append(Cut(way, passed, under_way))
        how, further = self._how, self._further
        self.disarm()
        self.end_all(how)
        if further:
            self.arm_in_turn(way, further)


def in_kernel(port: int) -> int:
    """Bytes that the courier's kernel holds unacknowledged on its connection from this port, and that the road's kernel
    has taken and the road has not read."""
    held = 0
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        words = line.split()
        local, remote = int(words[1].split(":")[1], 16), int(words[2].split(":")[1], 16)
        sending, receiving = (int(part, 16) for part in words[4].split(":"))
        if local == port:
            held += sending
        elif remote == port:
            held += receiving
    return held
