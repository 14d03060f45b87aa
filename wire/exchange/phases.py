"""Where a conversation stands, seen from the node and from the city."""

from enum import Enum

__all__ = ["Phase"]


class Phase(Enum):
    """The first three are the node's."""

    READY = "ready"
    WAITING = "waiting"
    HALTED = "halted"
