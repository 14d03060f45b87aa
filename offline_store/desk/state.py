"""Named values that have no table of their own: the gateway's marks, the floor of trusted time, serial numbers.

Laws: the gateway's key is pinned once, at enrolment, and from then on only its word counts; the floor of trusted time
never sinks; a serial number is used up by the transaction that takes it and by no other; the mark goes where the
gateway's last receipt says, even backwards.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, Text, bindparam, cast, select
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session

from offline_store.desk.tables import StateRow
from wire.audit_chain import GENESIS
from wire.canonical import b64, canonical_json, read_json, unb64

MARKS = "marks"
GATEWAY_PIN = "gateway.signing_public"
TIME_FLOOR = "time.floor"
SERIAL = "serial."
SERIAL_LANE = "serial_lane"
"""In which lane this machine counts its receipts; 0 until it is enrolled anew."""
STOPPED = "node.stopped"
"""Set while this identity is stopped: the chain does not fit the city's record, or the desk was set back."""

# Statements are made once: building and hashing one costs more than SQLite needs to run it.
_STATE = StateRow.__table__  # type: ignore[attr-defined]
_GET = select(_STATE.c.value).where(_STATE.c.name == bindparam("name"))
_NEW = insert(_STATE).values(name=bindparam("name"), value=bindparam("value"))
_PUT = _NEW.on_conflict_do_update(index_elements=["name"], set_={"value": _NEW.excluded.value})
_NEXT = _NEW.on_conflict_do_update(
    index_elements=["name"], set_={"value": cast(cast(_STATE.c.value, Integer) + 1, Text)}
).returning(_STATE.c.value)
_RAISE = _NEW.on_conflict_do_update(
    index_elements=["name"],
    set_={"value": _NEW.excluded.value},
    where=cast(_STATE.c.value, Integer) < cast(_NEW.excluded.value, Integer),
)


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
    value = tx.connection().execute(_GET, {"name": name}).scalar_one_or_none()
    return None if value is None else read_json(value.encode(), name)


def put(tx: Session, name: str, value: object) -> None:
    """Keep any JSON value under a name."""
    tx.connection().execute(_PUT, {"name": name, "value": canonical_json(value).decode()})


def pin_gateway(tx: Session, public: bytes) -> None:
    put(tx, GATEWAY_PIN, b64(public))


def pinned_gateway(tx: Session) -> bytes | None:
    """The key by which the gateway is known; None before enrolment."""
    kept = get(tx, GATEWAY_PIN)
    return None if kept is None else unb64(kept)


def marks(tx: Session) -> Marks | None:
    kept = get(tx, MARKS)
    return None if kept is None else Marks(**kept)


def keep_marks(tx: Session, new: Marks) -> None:
    put(tx, MARKS, asdict(new))


def begin_marks_anew(tx: Session) -> None:
    """Another identity, another chain: the city holds nothing of it yet; its epoch and its time stay known."""
    kept = marks(tx)
    if kept is not None:
        keep_marks(tx, replace(kept, hwm=GENESIS.seq, stable_hwm=GENESIS.seq, head_hash=GENESIS.hash.hex()))


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


def raise_serial(tx: Session, name: str, used: int) -> None:
    """A number that was given out already, by this machine before it was set back or by another of the same counter."""
    tx.connection().execute(_RAISE, {"name": SERIAL + name, "value": str(used)})


def next_serial(tx: Session, name: str) -> int:
    """1, 2, 3, ... for each name, for example one name per site and day."""
    return int(tx.connection().execute(_NEXT, {"name": SERIAL + name, "value": "1"}).scalar_one())
