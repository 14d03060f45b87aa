"""The status bar that never lies: line, backlog, last receipt, clock, catalog age, alarms."""

from __future__ import annotations

from datetime import datetime, timedelta

from edge_node.acts.counter import Counter
from edge_node.acts.trusted_clock import Confidence
from offline_store.desk import catalog, journal, scans, state
from offline_store.desk.database import Transaction
from offline_store.errors import DamagedFile
from offline_store.mailbox.line import LineState
from wire.counter import StatusBar

LINE_STATE_STALE = timedelta(minutes=30)
CATALOG_ERROR = "catalog.refused"
CATALOG_ALARM = "catalog_refused"


def status(counter: Counter) -> StatusBar:
    """How the node stands now; needs nobody signed in and shows nothing personal."""
    reading = counter.clock.read()
    line = _line(counter)
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        backlog = journal.backlog(tx, marks.hwm if marks else 0)
        scans_waiting, scan_bytes = scans.backlog(tx)
        active = catalog.active(tx)
        alarms = [*counter.alarms.now(), *_standing_alarms(tx)]
    expired = bool(active and active.expires_at and reading.confident and active.expires_at < reading.now)
    if expired:
        alarms.append("catalog_expired")
    if reading.confidence is Confidence.DOUBTFUL:
        alarms.append("clock_doubtful")
    fresh = line is not None and _is_fresh(line, reading.wall)
    if fresh and line is not None and (line.last_error or "").startswith(CATALOG_ERROR):
        alarms.append(CATALOG_ALARM)  # refused by the courier already, so that nothing of it reached this program
    return StatusBar(
        site_name=counter.node.site_name,
        region=counter.node.region,
        role=counter.node.role,
        now=reading.now,
        clock_confidence=reading.confidence.value,
        line="unknown" if line is None or line.up is None or not fresh else "up" if line.up else "down",
        line_since=_moment(line.since) if line and fresh else None,
        next_try=_moment(line.next_try) if line and fresh else None,
        backlog_ops=backlog.ops,
        backlog_scans=scans_waiting,
        backlog_bytes=backlog.bytes + scan_bytes,
        last_receipt_at=_moment(marks.server_time) if marks else None,
        catalog_version=active.version if active else None,
        catalog_age_days=max(0, (reading.now - active.confirmed_at).days) if active else None,
        catalog_expired=expired,
        alarms=list(dict.fromkeys(alarms)),
    )


def _standing_alarms(tx: Transaction) -> list[str]:
    return ["forked"] if state.get(tx, state.STOPPED) else []


def _line(counter: Counter) -> LineState | None:
    try:
        return counter.incoming.line()
    except DamagedFile:
        return None


def _is_fresh(line: LineState, wall: datetime) -> bool:
    """A courier that wrote nothing for a long time, and had planned no later try, says nothing about the line."""
    said = [moment for moment in (_moment(line.last_try), _moment(line.next_try)) if moment is not None]
    return not said or abs(wall - max(said)) < LINE_STATE_STALE or max(said) > wall


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
