"""The serial number of a receipt: counted by this machine for each day, and not given out twice at a counter.

Laws: a serial is more than the one before and not less than the ten seconds of the day in which it is given out: a
machine whose disk was set back cannot know what it forgot, but its clock went on. A machine that was enrolled anew
counts in a lane of its own, for the machine it was cloned from may go on at the same counter, and the city gives no two
machines of a site one lane. A number that comes back from the city is used up. What no law covers: a machine whose disk
and clock were both set back and that files before its next contact, or one that was set back within ten seconds.
"""

from __future__ import annotations

from datetime import datetime

from casework.receipt_numbers import LANE_SIZE, receipt_number, receipt_number_problem, slot_of_day
from casework.working_days import city_day
from edge_node.counter.counter import Counter
from offline_store.desk import state
from offline_store.desk.database import Transaction


def next_receipt_number(counter: Counter, tx: Transaction, now: datetime) -> str:
    """The number of the application that is collected in this transaction."""
    site, day = counter.node.site, city_day(now)
    name = _name(site, f"{day:%Y%m%d}")
    state.raise_serial(tx, name, slot_of_day(now) - 1)
    serial = state.next_serial(tx, name)
    return receipt_number(site, day, _lane(tx) * LANE_SIZE + serial)


def used_up(counter: Counter, tx: Transaction, receipt_no: str) -> None:
    """The city knows an application of this counter with this number."""
    if receipt_number_problem(receipt_no) is not None:
        return
    site, day, serial, _check = receipt_no.split("-")
    lane, number = divmod(int(serial), LANE_SIZE)
    if site == counter.node.site and lane == _lane(tx):
        state.raise_serial(tx, _name(site, day), number)


def _lane(tx: Transaction) -> int:
    return int(state.get(tx, state.SERIAL_LANE) or 0)


def _name(site: str, day: str) -> str:
    return f"{site}.{day}"
