"""What people must be told until it is over; codes only, never a name."""

from __future__ import annotations

import logging
import threading

log = logging.getLogger("edge_node")


class Alarms:
    """The alarms of this process."""

    def __init__(self) -> None:
        self._raised: dict[str, None] = {}
        self._lock = threading.Lock()

    def put(self, code: str, *, raised: bool = True) -> None:
        """Raise an alarm, or end it."""
        with self._lock:
            if not raised:
                self._raised.pop(code, None)
            elif code not in self._raised:
                self._raised[code] = None
                log.warning("alarm code=%s", code)

    def now(self) -> list[str]:
        """The alarms that are up, the oldest first."""
        with self._lock:
            return list(self._raised)
