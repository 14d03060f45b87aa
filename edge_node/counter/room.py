"""Room on the disk: what may still be written when there is hardly any left.

Laws
- Below the *admission* mark no new scan is taken in; typing, collecting and sending go on.
- When the disk is full, what a person typed is refused with a sentence, before anything is said to be saved. What must
  not stop (the city's receipts, erasing, the record of who signed in and looked) is given the reserve, and nothing
  else is: an act is refused as long as the reserve is not whole.
- When there is room again the reserve is taken anew and everything goes on; nobody restarts anything.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from edge_node.counter.alarms import Alarms
from offline_store.errors import NO_ROOM, DeskFull
from offline_store.reserve import Reserve
from wire.waiting import Alarm

T = TypeVar("T")
MIB: Final = 1024 * 1024
RESERVE_BYTES: Final = 8 * MIB
"""Enough for the write-ahead log to grow to its checkpoint (4 MiB) and for the desk to take it in."""
SPARE_BYTES: Final = 4 * MIB


class Room:
    """The reserve of this process."""

    def __init__(self, reserve: Path, alarms: Alarms) -> None:
        self._reserve = Reserve(reserve, RESERVE_BYTES)
        self._alarms = alarms
        self._whole = False

    @property
    def short(self) -> bool:
        """Whether the reserve is given up, or could not be taken: the disk is full."""
        return not self._whole

    def look(self) -> bool:
        """Take the reserve when there is room for it; says whether the disk just stopped being full."""
        if self._whole:
            return False
        self._whole = self._reserve.take(SPARE_BYTES)
        self._alarms.put(Alarm.DISK_FULL, raised=not self._whole)
        return self._whole

    def require(self) -> None:
        """Refuse an act that would have to be written into the reserve."""
        if not self._whole and not self.look():
            raise DeskFull

    def must(self, write: Callable[[], T]) -> T:
        """Do what must not stop: on a full disk once more, with the reserve given up."""
        try:
            return write()
        except NO_ROOM:
            self._whole = False
            self._alarms.put(Alarm.DISK_FULL)
            if not self._reserve.give_up():
                raise
            return write()
