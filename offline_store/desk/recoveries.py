"""The challenge that a clerk who forgot the passphrase has read out, and how far it was used.

Laws: one challenge a clerk; what was counted or used up stays written, whatever was restarted in between. Time is the
machine's own count since its boot, which nobody at the counter sets: a challenge ends with the boot it was made in, so
that a disk put back from an image, with the machine off in between, brings none back to life.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Self

from sqlmodel import Session

from offline_store.desk import state
from wire.canonical import b64, unb64

NAME = "recovery."


class Ended(StrEnum):
    """Why a challenge takes no answer any more, besides its time."""

    USED = "used"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Recovery:
    """One challenge: for which identity of this node and key of the city, in which boot and at which of its seconds."""

    challenge: str
    node_id: str
    city_public: bytes
    boot_id: str
    asked_at: float
    attempts: int = 0
    ended: Ended | None = None
    ended_at: float = 0.0

    def age(self, boot_id: str, node_id: str, monotonic: float) -> float | None:
        """The seconds since it was asked for; None in another boot or under another identity."""
        same = (self.boot_id, self.node_id) == (boot_id, node_id)
        return monotonic - self.asked_at if same and monotonic >= self.asked_at else None

    def attempted(self, most: int, monotonic: float) -> Self:
        """One attempt more; the last one ends it before it is looked at."""
        counted = replace(self, attempts=self.attempts + 1)
        return counted if counted.attempts < most else replace(counted, ended=Ended.EXHAUSTED, ended_at=monotonic)


def keep(tx: Session, clerk_id: str, recovery: Recovery) -> None:
    """This is the clerk's challenge now."""
    state.put(tx, NAME + clerk_id, {**asdict(recovery), "city_public": b64(recovery.city_public)})


def load(tx: Session, clerk_id: str) -> Recovery | None:
    """The clerk's challenge, however it ended; None when none was ever asked for."""
    kept = state.get(tx, NAME + clerk_id)
    if kept is None:
        return None
    ended = Ended(kept["ended"]) if kept["ended"] else None
    return Recovery(**{**kept, "city_public": unb64(kept["city_public"]), "ended": ended})
