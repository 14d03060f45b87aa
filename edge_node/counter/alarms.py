"""What people must be told until it is over; codes only, never a name."""

from __future__ import annotations

import logging
import threading

from wire.waiting import Alarm

log = logging.getLogger("edge_node")


class Alarms:
    """The alarms of this process."""

    def __init__(self) -> None:
        self._raised: dict[Alarm, None] = {}
        self._lock = threading.Lock()

    def put(self, alarm: Alarm, *, raised: bool = True) -> None:
        """Raise an alarm, or end it."""
        with self._lock:
            if not raised:
                self._raised.pop(alarm, None)
            elif alarm not in self._raised:
                self._raised[alarm] = None
                log.warning("alarm code=%s", alarm)

    def now(self) -> list[Alarm]:
        """The alarms that are up, the oldest first."""
        with self._lock:
            return list(self._raised)
