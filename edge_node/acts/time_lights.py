"""The two clocks of an application as a light and a day.

Laws: green runs, yellow is soon or today, red is overdue, grey is everything a person must not read as a verdict
(unknown, paused, provisional, left open by a notice, not started, met). Emergency notices are those of the catalog in
use. Only casework decides how a clock stands; here it is only shown.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from casework.application import Application
from casework.errors import CaseworkError
from casework.states import CLOSED_STATES
from casework.time_limits import Clock, Standing, handling_clock, notice_clock
from edge_node.acts import notice_reading
from edge_node.counter.counter import Counter
from edge_node.counter.errors import ActRefused
from edge_node.counter.trusted_clock import Reading
from offline_store.desk.database import Transaction
from wire.counter import Light

LIGHTS: Final[dict[Standing, Light]] = {
    Standing.RUNNING: "green",
    Standing.SOON: "yellow",
    Standing.DUE_TODAY: "yellow",
    Standing.OVERDUE: "red",
}
_COUNTING: Final = frozenset({*LIGHTS, Standing.PROVISIONAL})


def clocks(counter: Counter, tx: Transaction, application: Application, reading: Reading) -> list[Clock]:
    """Both clocks; none where no guide for the application is at hand."""
    try:
        item = counter.shelf.item(tx, application.item_id, application.catalog_version)
        calendar = counter.shelf.calendar(tx)
        declared = notice_reading.standstills(counter, tx, application, reading)
    except (ActRefused, CaseworkError):
        return []
    return [
        notice_clock(application, item, calendar, reading.now, reading.confident, declared),
        handling_clock(application, item, calendar, reading.now, reading.confident, declared),
    ]


def telling(both: list[Clock]) -> Clock | None:
    """The clock that counts now: the one that runs, the notice clock first."""
    return next((clock for clock in both if clock.standing in _COUNTING), None)


def light(application: Application, clock: Clock | None) -> Light:
    """The traffic light of an application."""
    if clock is None or clock.doubt or application.state in CLOSED_STATES:
        return "grey"
    return LIGHTS.get(clock.standing, "grey")


def due_day(counter: Counter, tx: Transaction, application: Application, reading: Reading) -> date | None:
    """The day by which somebody must act, for the order of a queue."""
    if application.state in CLOSED_STATES:
        return None
    clock = telling(clocks(counter, tx, application, reading))
    return clock.due if clock is not None else None
