"""What is known when somebody asks why: of the road, of the node, and of the item.

Laws: facts are handed in; nothing of a person is among them; what a program does not know it leaves at its default.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Facts", "Hold", "Item", "Place", "Road"]


class Road(StrEnum):
    """How the courier last found the line."""

    UP = "up"
    DOWN = "down"
    NOT_TRIED = "not_tried"  # the courier runs and has not asked since its start
    SILENT = "silent"  # the courier has said nothing for too long, or never


class Hold(StrEnum):
    """Why scans rest although operations go."""

    QUIET_HOURS = "quiet_hours"
    DAILY_CAP = "daily_cap"
    OPERATIONS_ONLY = "operations_only"
    BAD_SETTINGS = "bad_settings"


class Place(StrEnum):
    """Where an item is."""

    SAVED = "saved"  # here, not laid into the mailbox yet
    HERE = "here"  # in the mailbox, the city does not have it
    AT_CITY = "at_city"  # the city has it and has not answered
    BEHIND = "behind"  # the city has it and has answered later ones: a step before it is missing there
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"  # another station's, the city does not have it
    COMING = "coming"  # the city has it, it is to come here
    DAMAGED = "damaged"  # its bytes are no longer what was sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is asked about; `code` is the city's own word about it, if there was one."""

    place: Place
    scan: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How things stand. `alarms` are the node's alarm codes; `error` is how the courier's last question failed;
    `listening` says that a question lies open at the city, so that whatever is new moves at once;
    `relay` that the township's relay took mail not long ago."""

    road: Road
    error: str = ""
    next_try: datetime | None = None
    listening: bool = False
    relay: bool = False
    hold: Hold | None = None
    hold_until: datetime | None = None
    alarms: frozenset[str] = frozenset()
