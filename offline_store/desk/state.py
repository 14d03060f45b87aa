"""Named values that have no table of their own: the gateway's marks, the floor of trusted time, serial numbers.

Laws: the floor of trusted time never sinks; a serial number is used up by the transaction that takes it and by no
other; the mark goes where the gateway's last receipt says, even backwards.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from offline_store.desk.tables import StateRow
from wire.canonical import canonical_json, read_json

MARKS = "marks"
TIME_FLOOR = "time.floor"
SERIAL = "serial."


@dataclass(frozen=True, slots=True)
class Marks:
    """What the gateway's last receipt said it holds of this node."""

    gateway: str
    epoch: str
    hwm: int
    stable_hwm: int
    head_hash: str
    server_time: str


def get(tx: Session, name: str) -> Any:  # noqa: ANN401 - it is JSON
    """The value, None when it was never put."""
    row = tx.get(StateRow, name)
    return None if row is None else read_json(row.value.encode(), name)


def put(tx: Session, name: str, value: object) -> None:
    """Keep any JSON value under a name."""
    row = tx.get(StateRow, name) or StateRow(name=name, value="")
    row.value = canonical_json(value).decode()
    tx.add(row)


def marks(tx: Session) -> Marks | None:
    kept = get(tx, MARKS)
    return None if kept is None else Marks(**kept)


def keep_marks(tx: Session, new: Marks) -> None:
    put(tx, MARKS, asdict(new))


def time_floor(tx: Session) -> datetime | None:
    """The latest moment of which this node is certain that it has passed."""
    kept = get(tx, TIME_FLOOR)
    return None if kept is None else datetime.fromisoformat(kept)


def raise_time_floor(tx: Session, moment: datetime) -> datetime:
    """Keep the later of the two; what now holds is returned."""
    floor = time_floor(tx)
    if floor is not None and floor >= moment:
        return floor
    put(tx, TIME_FLOOR, moment.astimezone(UTC).isoformat())
    return moment


def next_serial(tx: Session, name: str) -> int:
    """1, 2, 3, ... for each name, for example one name per site and day."""
    serial: int = (get(tx, SERIAL + name) or 0) + 1
    put(tx, SERIAL + name, serial)
    return serial
