"""What the mailbox alone can say of why something waits: for the courier's own command, the doctor, and the node.

Laws: only facts that carry nothing personal: numbers, sizes, ages, codes. The courier's words are hints; a mark counts
here as far as the gateway signed it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from offline_store.errors import StoreError
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from wire.enrolment import EnrolmentDocument
from wire.errors import FORK_CODES, WireError
from wire.messages import read_refusal
from wire.receipt import Receipt, read_receipt
from wire.waiting import Alarm, Explanation, Facts, Hold, Item, Place, Road, conditions, explain

SILENT_AFTER: Final = timedelta(minutes=30)
RELAY_FRESH: Final = timedelta(hours=1)
HOLDS: Final = {hold.value: hold for hold in Hold}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that the city does not have; `seq` is None for a scan."""

    seq: int | None
    scan_hash: str = ""
    age: timedelta | None
    size: int
    why: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The mailbox at one moment: how the node stands, and everything that waits."""

    line: LineState | None
    conditions: tuple[Explanation, ...]
    items: tuple[Waiting, ...]


def look(paths: NodePaths, now: datetime, *, started: datetime | None = None) -> Look:
    """Read the mailbox of an enrolled node; DamagedFile where its line cannot be read, NodeFileMissing before."""
    node = read_node_file(paths.enrolment)
    incoming, outgoing = Incoming(paths.incoming), Outgoing(paths.outgoing)
    line, receipt = incoming.line(), receipt_of(incoming, node)
    facts = facts_of(line, now, started=started, alarms=alarms_of(incoming, node))
    hwm = receipt.hwm if receipt else 0
    found = waiting(outgoing, hwm, facts, now, frozenset(incoming.damaged_scans()))
    return Look(line=line, conditions=conditions(facts), items=tuple(found))


def facts_of(
    line: LineState | None, now: datetime, *, started: datetime | None = None, alarms: frozenset[str] = frozenset()
) -> Facts:
    """How the road stands by the courier's last word; `started` is when this machine did."""
    if line is None or not is_fresh(line, now):
        return Facts(road=Road.SILENT, alarms=alarms)
    return Facts(
        road=_road(line, started),
        error=line.last_error or "",
        next_try=moment(line.next_try),
        listening=line.listening,
        hold=HOLDS.get(line.held_because or ""),
        hold_until=moment(line.scans_held_until),
        relay=_relayed(line, now),
        alarms=alarms | {Alarm.SCAN_DAMAGED} if line.scans_damaged else alarms,
    )


def alarms_of(incoming: Incoming, node: EnrolmentDocument) -> frozenset[str]:
    """What the city refused with its signature and has not taken back by a later receipt."""
    try:
        document = incoming.refusal()
        refusal = read_refusal(document, node.gateway.signing_public) if document else None
    except (WireError, StoreError):
        return frozenset()
    if refusal is None or refusal.node != node.node_id:
        return frozenset()
    receipt = receipt_of(incoming, node)
    if receipt is not None and receipt.server_time > refusal.server_time:
        return frozenset()
    return frozenset({Alarm.FORKED if refusal.code in FORK_CODES else Alarm.CITY_REFUSED})


def receipt_of(incoming: Incoming, node: EnrolmentDocument) -> Receipt | None:
    """The last receipt, if it is the gateway's and this node's."""
    try:
        document = incoming.receipt()
        return read_receipt(document, node.gateway.signing_public, node=node.node_id) if document else None
    except (WireError, StoreError):
        return None


def waiting(
    outgoing: Outgoing, hwm: int, facts: Facts, now: datetime, damaged: Collection[str] = ()
) -> Iterator[Waiting]:
    """Everything that lies here and the city does not have, operations first, each with its explanation."""
    for seq, path in outgoing.envelopes(hwm):
        found = _stat(path, now)
        if found is not None:
            age, size = found
            yield Waiting(seq=seq, age=age, size=size, why=explain(Item(place=Place.HERE), facts))
    for ticket in outgoing.scan_tickets():
        place = Place.DAMAGED if ticket.scan_hash in damaged else Place.HERE
        why = explain(Item(place=place, scan=True), facts)
        yield Waiting(seq=None, scan_hash=ticket.scan_hash, age=None, size=ticket.length, why=why)


def is_fresh(line: LineState, now: datetime) -> bool:
    """A courier that wrote nothing for a long time, and had planned no later try, says nothing about the line."""
    said = [at for at in (moment(line.last_try), moment(line.next_try)) if at is not None]
    return not said or abs(now - max(said)) < SILENT_AFTER or max(said) > now


def moment(text: str | None) -> datetime | None:
    """A time of the line's state; None where it cannot be read."""
    try:
        read = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None


def _relayed(line: LineState, now: datetime) -> bool:
    at = moment(line.relay_at)
    return at is not None and line.relay_problem is None and abs(now - at) < RELAY_FRESH


def _road(line: LineState, started: datetime | None) -> Road:
    tried = moment(line.last_try)
    if line.up is None or (started is not None and tried is not None and tried < started):
        return Road.NOT_TRIED
    return Road.UP if line.up else Road.DOWN


def _stat(path: Path, now: datetime) -> tuple[timedelta, int] | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return max(timedelta(0), now - datetime.fromtimestamp(facts.st_mtime, UTC)), facts.st_size
