"""The status bar that never lies: line, backlog, last receipt, clock, catalog age, alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from edge_node.acts import forking, relaying
from edge_node.counter.counter import Counter
from edge_node.counter.trusted_clock import Confidence, Reading
from offline_store.desk import catalog, journal, scans, state
from offline_store.desk.database import Transaction
from offline_store.errors import DamagedFile
from offline_store.mailbox import waiting as mail
from offline_store.mailbox.line import LineState
from offline_store.mailbox.waiting import moment
from wire.counter import StatusBar, StoppedView, WaitingView
from wire.waiting import Alarm, Facts, Road, conditions

CATALOG_ERROR = "catalog.refused"
LINES: Mapping[Road, Literal["up", "down"]] = {Road.UP: "up", Road.DOWN: "down"}


def status(counter: Counter) -> StatusBar:
    """How the node stands now; needs nobody signed in and shows nothing personal."""
    bar = _status(counter)
    if not counter.practice:
        return bar
    nothing = {"backlog_ops": 0, "backlog_scans": 0, "backlog_bytes": 0, "conditions": []}
    return bar.model_copy(update={"practice": True, **nothing})


def _status(counter: Counter) -> StatusBar:
    reading = counter.clock.read()
    line = _line(counter)
    carried = relaying.load(counter)
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        backlog = journal.backlog(tx, marks.hwm if marks else 0)
        scans_waiting, scan_bytes = scans.backlog(tx)
        active = catalog.active(tx)
        raised = _alarms(counter, tx, reading, line)
        stopped = _stopped(counter, tx, backlog.ops)
    here = _facts(line, reading, raised)
    tried = here.road in LINES
    return StatusBar(
        site_name=counter.node.site_name,
        region=counter.node.region,
        role=counter.node.role,
        now=reading.now,
        clock_confidence=reading.confidence.value,
        line=LINES.get(here.road, "unknown"),
        line_since=moment(line.since) if line and tried else None,
        next_try=here.next_try,
        backlog_ops=backlog.ops,
        backlog_scans=scans_waiting,
        backlog_bytes=backlog.bytes + scan_bytes,
        last_receipt_at=moment(marks.server_time) if marks else None,
        catalog_version=active.version if active else None,
        catalog_age_days=max(0, (reading.now - active.confirmed_at).days) if active else None,
        relay_bags=carried.bags,
        relay_bytes=carried.bytes,
        relay_at=moment(line.relay_at) if line else None,
        relay_problem=line.relay_problem if line else None,
        catalog_expired=Alarm.CATALOG_EXPIRED in raised,
        alarms=[str(alarm) for alarm in raised],
        stopped=stopped,
        conditions=[WaitingView.of(one) for one in conditions(here)],
    )


def facts(counter: Counter, tx: Transaction, reading: Reading) -> Facts:
    """What explains why something waits."""
    line = _line(counter)
    return _facts(line, reading, _alarms(counter, tx, reading, line))


def alarms(counter: Counter, tx: Transaction, reading: Reading) -> list[Alarm]:
    """What is wrong here, for whoever watches over many nodes."""
    return _alarms(counter, tx, reading, _line(counter))


def _facts(line: LineState | None, reading: Reading, raised: list[Alarm]) -> Facts:
    started = reading.wall - timedelta(seconds=reading.monotonic)
    return mail.facts_of(line, reading.wall, started=started, alarms=frozenset(raised))


def _alarms(counter: Counter, tx: Transaction, reading: Reading, line: LineState | None) -> list[Alarm]:
    found = [*_standing_alarms(counter, tx), *counter.alarms.now()]
    active = catalog.active(tx)
    if active and active.expires_at and reading.confident and active.expires_at < reading.now:
        found.append(Alarm.CATALOG_EXPIRED)
    if reading.confidence is Confidence.DOUBTFUL:
        found.append(Alarm.CLOCK_DOUBTFUL)
    fresh = line is not None and mail.is_fresh(line, reading.wall)
    if fresh and line is not None and (line.last_error or "").startswith(CATALOG_ERROR):
        # Refused by the courier already, so that nothing of it reached this program.
        found.append(Alarm.CATALOG_REFUSED)
    return list(dict.fromkeys(found))


def _standing_alarms(counter: Counter, tx: Transaction) -> list[Alarm]:
    found = [Alarm.FORKED] if state.get(tx, state.STOPPED) else []
    if counter.node.node_id in counter.shelf.revoked_nodes(tx):
        found.append(Alarm.REVOKED)
    return [*found, Alarm.SCAN_DAMAGED] if scans.has_damaged(tx) else found


def _stopped(counter: Counter, tx: Transaction, waiting_ops: int) -> StoppedView | None:
    """What the screen explains when this identity is stopped; a reason of an older program is told as the city's."""
    kept = state.get(tx, state.STOPPED)
    if not kept:
        return None
    return StoppedView(
        why=str(kept.get("why", forking.BY_MARK)),
        at=moment(kept.get("at")),
        node_id=counter.node.node_id,
        waiting_ops=waiting_ops,
    )


def _line(counter: Counter) -> LineState | None:
    try:
        return counter.incoming.line()
    except DamagedFile:
        return None
