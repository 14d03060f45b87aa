"""Who works on the open desk, so that its file can be exchanged while nobody does.

Laws: whoever is inside may go in again (a reading within a transaction) without waiting, or two would wait for one
another; closing waits for those inside and lets nobody in until it is over; nobody waits without end.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from offline_store.errors import DeskBusy


class Gate:
    """Many may pass, or one has closed it."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._change = threading.Condition()
        self._inside = 0
        self._is_closed = False
        self._here = threading.local()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside for the length of the block."""
        depth: int = getattr(self._here, "depth", 0)
        if depth == 0:
            with self._change:
                if not self._change.wait_for(lambda: not self._is_closed, self._wait_s):
                    raise DeskBusy
                self._inside += 1
        self._here.depth = depth + 1
        try:
            yield
        finally:
            self._here.depth = depth
            if depth == 0:
                with self._change:
                    self._inside -= 1
                    self._change.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Have everybody outside for the length of the block; those who come wait."""
        if getattr(self._here, "depth", 0):
            raise RuntimeError("who is inside cannot wait for everybody to leave")
        until = time.monotonic() + self._wait_s
        with self._change:
            if not self._change.wait_for(lambda: not self._is_closed, self._wait_s):
                raise DeskBusy
            self._is_closed = True
            if not self._change.wait_for(lambda: self._inside == 0, max(0.0, until - time.monotonic())):
                self._is_closed = False
                self._change.notify_all()
                raise DeskBusy
        try:
            yield
        finally:
            with self._change:
                self._is_closed = False
                self._change.notify_all()
