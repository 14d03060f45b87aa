"""What the courier tells the screens of the line: one file, written at each step, sparing while bytes move."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offline_store.errors import StoreError
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Outgoing
from sync_agent.allowance import Allowance
from sync_agent.scan_sender import ScanSender
from sync_agent.uplink import Uplink

LINE_STATE_S = 1.0


class LineTelling:
    """The state of one node's line. A full disk keeps it from being told, never from going on."""

    def __init__(
        self, incoming: Incoming, outgoing: Outgoing, sender: ScanSender, allowance: Allowance, uplink: Uplink
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sender = sender
        self._allowance = allowance
        self._uplink = uplink
        self._line = _as_it_lies(incoming)
        self._written = 0.0
        self.hwm: Callable[[], int] = lambda: 0
        self.standing_problem: str | None = None
        self.scan_problem: Callable[[], str | None] = lambda: None

    def next_try(self, in_seconds: float, *, listening: bool = False) -> None:
        """When the next question is asked, or the one that lies open ends."""
        at = datetime.now(UTC) + timedelta(seconds=max(0.0, in_seconds))
        self._put(replace(self._line, next_try=at.isoformat(), listening=listening))

    def relay(self, problem: str | None) -> None:
        """How the last round over the township's relay went; the line to the city stays what it is."""
        at = self._line.relay_at if problem else datetime.now(UTC).isoformat()
        self._put(replace(self._line, relay_at=at, relay_problem=problem))

    def forwarding(self, problem: str | None) -> None:
        """At a township: why the last bag of a village did not go to the city, None when the last round carried all."""
        if problem != self._line.relay_problem:
            self._put(replace(self._line, relay_problem=problem))

    def contact(self, *, up: bool, why: str | None = None, sparing: bool = False) -> None:
        """How the last question went."""
        if sparing and time.monotonic() - self._written < LINE_STATE_S:
            return
        now = datetime.now(UTC).isoformat()
        since = self._line.since if self._line.up is up and self._line.since else now
        error = why or self.standing_problem or self.scan_problem()
        self._put(replace(self._line, up=up, since=since, last_try=now, last_error=error, listening=False))

    def _put(self, line: LineState) -> None:
        envelopes = [path for _, path in self._outgoing.envelopes(self.hwm())]
        held = self._allowance.held()
        self._line = replace(
            line,
            backlog_ops=len(envelopes),
            backlog_scans=len(self._sender.waiting()),
            backlog_bytes=self._sender.waiting_bytes() + sum(_size(path) for path in envelopes),
            sent_bytes=self._uplink.sent_bytes,
            received_bytes=self._uplink.received_bytes,
            held_because=held.because if held else None,
            scans_held_until=held.until.astimezone(UTC).isoformat() if held and held.until else None,
            scan_bytes_today=self._allowance.spent,
            scan_bytes_a_day=self._allowance.cap,
            scans_damaged=len(self._sender.damaged),
        )
        with suppress(OSError, StoreError):
            self._incoming.put_line(self._line)
        self._written = time.monotonic()


def _as_it_lies(incoming: Incoming) -> LineState:
    try:
        return incoming.line() or LineState()
    except StoreError:
        return LineState()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
