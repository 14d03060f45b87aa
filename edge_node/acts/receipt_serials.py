"""The serial number of a receipt: counted by this machine for each day, and not given out twice at a counter.

Laws: a machine that was enrolled anew counts in a lane of its own, for the machine it was cloned from may go on at the
same counter, and the city gives no two machines of a site one lane; a number that comes back from the city (this
machine forgot it, because its disk was set back) is used up. What no law covers: a machine that was set back and files
before its next contact gives out again what it forgot, for it cannot know.
"""

from __future__ import annotations

from datetime import date

from casework.receipt_numbers import LANE_SIZE, receipt_number, receipt_number_problem
from edge_node.counter.counter import Counter
from offline_store.desk import state
from offline_store.desk.database import Transaction


def next_receipt_number(counter: Counter, tx: Transaction, day: date) -> str:
    """The number of the application that is collected in this transaction."""
    site = counter.node.site
    serial = state.next_serial(tx, _name(site, f"{day:%Y%m%d}"))
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
