"""How the gateway itself stands, in sentences: when it was last backed up, and whether it was restored.

Laws: without a verified backup it is said that there is none and what follows from it; an old one is called old, and so
is one that bears a time to come, for nobody knows its age. Who asks says in whose language (`told`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from casework.working_days import CITY_TIME
from city_gateway.ledger.backups import AHEAD_AT_MOST, Restored, VerifiedBackup
from city_gateway.wording import say

FRESH_FOR = timedelta(hours=36)


class Backing(StrEnum):
    """What can honestly be said of the last verified backup."""

    NONE = "none"
    OLD = "old"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class GatewayStanding:
    """One line for the screen, and the restore that began the present timeline."""

    state: Backing
    sentence: str
    restored: Restored | None


def backing(
    newest: VerifiedBackup | None, restored: Restored | None, now: datetime, told: Callable[..., str] = say
) -> GatewayStanding:
    """The line about backups."""
    if newest is None:
        return GatewayStanding(Backing.NONE, told("backup.none"), restored)
    age = now - newest.made_at
    ahead = age < -AHEAD_AT_MOST
    state = Backing.FRESH if age <= FRESH_FOR and not ahead else Backing.OLD
    hours = max(0, round(age.total_seconds() / 3600))
    sentence = told(
        "backup.ahead" if ahead else f"backup.{state.value}",
        hours=hours,
        at=_moment(newest.made_at),
        scans=newest.scans,
        held=newest.held_back,
    )
    return GatewayStanding(state, sentence, restored)


def timeline_line(restored: Restored, told: Callable[..., str] = say) -> str:
    """When this timeline began and from what."""
    if restored.as_of is None:
        return told("restore.in_place", at=_moment(restored.restored_at), epoch=restored.epoch[:8])
    return told(
        "restore.line", at=_moment(restored.restored_at), as_of=_moment(restored.as_of), epoch=restored.epoch[:8]
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(CITY_TIME):%Y-%m-%d %H:%M}"
