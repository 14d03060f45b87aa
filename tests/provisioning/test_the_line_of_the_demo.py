"""A line that is cut is cut for everything, and what passes is counted."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from provisioning.demo_line import DemoLine

pytestmark = pytest.mark.node


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that says everything back."""
    door = socket.create_server(("127.0.0.1", 0))

    def answer(side: socket.socket) -> None:
        with side, contextlib.suppress(OSError):
            while piece := side.recv(4096):
                side.sendall(piece)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    yield door.getsockname()
    door.close()


@pytest.fixture
def line(echo: tuple[str, int]) -> Iterator[DemoLine]:
    made = DemoLine(echo)
    yield made
    made.close()


def connect(line: DemoLine) -> socket.socket:
    host, port = line.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def said_back(side: socket.socket, words: bytes) -> bytes:
    side.sendall(words)
    heard = b""
    while len(heard) < len(words) and (piece := side.recv(4096)):
        heard += piece
    return heard


def is_dead(side: socket.socket) -> bool:
    """Whether nothing comes back any more, by reset or by an end."""
    try:
        side.sendall(b"anyone")
        return side.recv(10) == b""
    except OSError:
        return True
    finally:
        side.close()


def takes_nobody(line: DemoLine) -> bool:
    """Whether who comes is not let in, or hears nothing."""
    try:
        return is_dead(connect(line))
    except OSError:
        return True


def test_a_whole_line_carries_and_counts_both_ways(line: DemoLine) -> None:
    with connect(line) as side:
        assert said_back(side, b"x" * 10_000) == b"x" * 10_000
    assert (line.up_bytes, line.down_bytes) == (10_000, 10_000)


def test_a_cut_ends_what_is_under_way_and_what_comes(line: DemoLine) -> None:
    with connect(line) as side:
        assert said_back(side, b"hello") == b"hello"
        line.cut()
        assert is_dead(side)
    assert takes_nobody(line)
    assert line.total_bytes == 10


def test_a_mended_line_carries_again(line: DemoLine) -> None:
    line.cut()
    line.mend()
    with connect(line) as side:
        assert said_back(side, b"back") == b"back"
    assert line.up_bytes_since_mended == 4
