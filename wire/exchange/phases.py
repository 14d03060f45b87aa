"""Where a conversation stands, seen from the node and from the city."""

from enum import Enum

__all__ = ["Phase"]


class Phase(Enum):
    """The first three are the node's, the others the city's towards one node."""

    READY = "ready"
    WAITING = "waiting"
    HALTED = "halted"

    SERVING = "serving"
    KEEPING = "keeping"
    STOPPED = "stopped"
