"""A line between one node and the gateway that can be cut and mended, and that counts what passes.

A TCP relay on the loopback, in threads of this process, because the demo's own script is written as a story and not as
coroutines. Bytes are counted as the programs hand them to TCP; a cut resets every connection and each new one.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

PIECE_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class DemoLine:
    """One node's line to `target`; listens on a free port of 127.0.0.1."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._whole = True
        self._closed = False
        self.up_bytes = 0
        self.down_bytes = 0
        self._mended_at = 0
        threading.Thread(target=self._listen, name="demo-line", daemon=True).start()

    @property
    def url(self) -> str:
        """Where the node finds the gateway."""
        host, port = self._door.getsockname()[:2]
        return f"http://{host}:{port}"

    @property
    def total_bytes(self) -> int:
        """Bytes in both directions since the start."""
        return self.up_bytes + self.down_bytes

    def cut(self) -> None:
        """From now on every connection is reset, those under way included."""
        with self._guard:
            self._whole = False
            broken = list(self._open)
        for side in broken:
            _reset(side)

    def mend(self) -> None:
        """Let bytes pass again."""
        self._mended_at = self.up_bytes
        self._whole = True

    @property
    def up_bytes_since_mended(self) -> int:
        """What the node has sent since the line came back."""
        return self.up_bytes - self._mended_at

    def close(self) -> None:
        """Stop listening and drop everything."""
        self._closed = True
        self._door.close()
        self.cut()

    def _listen(self) -> None:
        while not self._closed:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        if not self._whole:
            _reset(near)
            return
        try:
            far = socket.create_connection(self._target, timeout=CONNECT_TIMEOUT_S)
        except OSError:
            _reset(near)
            return
        far.settimeout(None)
        with self._guard:
            self._open |= {near, far}
            cut_meanwhile = not self._whole
        if cut_meanwhile:
            _reset(near)
            _reset(far)
        back = threading.Thread(target=self._pump, args=(far, near, "down_bytes"), daemon=True)
        back.start()
        self._pump(near, far, "up_bytes")
        back.join()
        with self._guard:
            self._open -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket, counter: str) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                with self._guard:
                    setattr(self, counter, getattr(self, counter) + len(piece))
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _reset(side: socket.socket) -> None:
    """Close with RST, as a line that drops does."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
    side.close()
