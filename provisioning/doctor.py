"""The runbook made executable: what is checked on a node, in the order in which an installer would look.

Laws:
- Doctor changes nothing. It looks at the desk through a connection that cannot write, so it may run beside edge_node.
- Unknown is said as unknown, never as good. A wrong clock is worth attention and never a failure: nothing on the node
  depends on it.
- A finding carries codes and numbers, no personal data; wording.py has the sentences.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from statistics import quantiles

from rich.table import Table

from casework.working_days import CITY_TIME
from offline_store.desk import connection, keyring, rekeying
from offline_store.errors import StoreError
from offline_store.mailbox import waiting as mailbox
from offline_store.mailbox.incoming import RECEIPT, Incoming
from offline_store.node_file import read_node_file
from offline_store.node_toml import DISK_RESERVE_MIB, BadSetting, written_in
from offline_store.paths import NodePaths
from provisioning.finding_wording import WAITING, finding_sentence
from provisioning.wording import of, words
from wire.enrolment import EnrolmentDocument
from wire.errors import WireError
from wire.receipt import RECEIPT_LABEL
from wire.signed import read_document
from wire.waiting import Explanation, Reason, Who

MIB = 1024 * 1024
PROBES = 50
PROBE_BYTES = 4096
SLOW_FSYNC_MS = 250.0
CLOCK_OFF_S = 120
SOCKET_TIMEOUT_S = 2.0
CHECKS = ("enrolment", "clock", "space", "fsync", "keys", "store", "counter", "line", "waiting", "catalog")


class Standing(StrEnum):
    """How a check came out; only BAD makes doctor fail."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    standing: Standing
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


def examine(paths: NodePaths, *, now: datetime, environment: Mapping[str, str]) -> list[Finding]:
    """Every check, whatever the ones before it found."""
    try:
        document = read_node_file(paths.enrolment)
    except StoreError as error:
        return [Finding("enrolment", Standing.BAD, error.code)]
    return [
        _enrolment(document, now),
        _clock(paths, document),
        _space(paths),
        _fsync(paths),
        *_keys_and_store(paths, environment),
        _counter(paths),
        *_line(paths),
        *_waiting(paths, now),
        _catalog(paths, now),
    ]


def table(findings: list[Finding]) -> Table:
    """The report as a person reads it."""
    shown = Table(title=words("doctor.title"))
    shown.add_column(words("doctor.check"), no_wrap=True)
    for heading in (words("doctor.result"), words("doctor.explained")):
        shown.add_column(heading, overflow="fold")
    colours = {Standing.GOOD: "green", Standing.ATTENTION: "yellow", Standing.BAD: "red", Standing.UNKNOWN: "cyan"}
    for finding in findings:
        colour = colours[finding.standing]
        standing = of("standing", finding.standing)
        shown.add_row(
            of("check", finding.check),
            f"[{colour}]{standing}[/{colour}]",
            finding_sentence(finding.code, finding.params),
        )
    return shown


def exit_code(findings: list[Finding]) -> int:
    """0 when the node can do its work."""
    return int(any(finding.standing is Standing.BAD for finding in findings))


def _enrolment(document: EnrolmentDocument, now: datetime) -> Finding:
    params = {
        "site": document.site_name,
        "role": of("role", document.role),
        "until": f"{document.valid_to:%Y-%m-%d}",
    }
    if now > document.valid_to:  # local work never depends on validity; renewing does
        return Finding("enrolment", Standing.ATTENTION, "enrolment.expired", params)
    return Finding("enrolment", Standing.GOOD, "enrolment.valid", params)


def _clock(paths: NodePaths, document: EnrolmentDocument) -> Finding:
    """The machine's clock when the last receipt arrived, beside the time the gateway signed into it."""
    receipt = Incoming(paths.incoming).receipt()
    if receipt is None:
        return Finding("clock", Standing.UNKNOWN, "clock.never_compared")
    try:
        said = read_document(RECEIPT_LABEL, receipt, document.gateway.signing_public)
        server = datetime.fromisoformat(str(said["server_time"]))
    except (WireError, KeyError, ValueError):
        return Finding("clock", Standing.UNKNOWN, "clock.receipt_unreadable")
    arrived = datetime.fromtimestamp((paths.incoming / RECEIPT).stat().st_mtime, UTC)
    off = round((arrived - server).total_seconds())
    standing = Standing.ATTENTION if abs(off) > CLOCK_OFF_S else Standing.GOOD
    return Finding(
        "clock", standing, "clock.off" if standing is Standing.ATTENTION else "clock.right", {"seconds": off}
    )


def _space(paths: NodePaths) -> Finding:
    free = shutil.disk_usage(paths.root).free // MIB
    try:
        said = written_in(paths.settings).get("disk_reserve_mib")
    except BadSetting:
        said = None
    reserve = said if isinstance(said, int) else DISK_RESERVE_MIB
    params = {"free": free, "reserve": reserve}
    if free < reserve:
        return Finding("space", Standing.BAD, "space.below_reserve", params)
    if free < 4 * reserve:
        return Finding("space", Standing.ATTENTION, "space.little", params)
    return Finding("space", Standing.GOOD, "space.enough", params)


def _fsync(paths: NodePaths) -> Finding:
    probe = paths.vault / ".fsync-probe"
    try:
        spent = sorted(_probe(probe))
    except OSError:
        return Finding("fsync", Standing.UNKNOWN, "fsync.not_measured")
    finally:
        probe.unlink(missing_ok=True)
    marks = quantiles(spent, n=100, method="inclusive")
    params = {"p50": f"{marks[49]:.1f}", "p99": f"{marks[98]:.1f}"}
    slow = marks[98] > SLOW_FSYNC_MS
    return Finding(
        "fsync", Standing.ATTENTION if slow else Standing.GOOD, "fsync.slow" if slow else "fsync.fine", params
    )


def _probe(path: Path) -> Iterator[float]:
    with path.open("wb") as file:
        for _ in range(PROBES):
            begun = time.perf_counter()
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
            yield (time.perf_counter() - begun) * 1000


def _keys_and_store(paths: NodePaths, environment: Mapping[str, str]) -> Iterator[Finding]:
    try:
        if not keyring.opens_alone(paths.keyring):
            unlocking = sum(kind == "clerk" for kind, _ in keyring.slots(paths.keyring))
            yield Finding("keys", Standing.GOOD, "keys.unlocked_by_clerks", {"clerks": unlocking})
            yield Finding("store", Standing.UNKNOWN, "store.locked")
            return
        desk_keys = keyring.candidates(paths.keyring, keyring.machine_key(environment))
        kinds = sorted(kind for kind, _ in keyring.slots(paths.keyring))
    except StoreError as error:
        yield Finding("keys", Standing.BAD, error.code)
        yield Finding("store", Standing.UNKNOWN, "store.not_opened")
        return
    yield _transport_key(paths, kinds)
    try:
        opened = connection.connect(paths.desk_db, rekeying.lying_under(paths.desk_db, desk_keys), writing=False)
    except StoreError as error:
        yield Finding("store", Standing.BAD, error.code, vars(error))
        return
    try:
        version = opened.execute("SELECT sqlite_version()").fetchone()[0]
        yield Finding("store", Standing.GOOD, "store.safe", {"settings": len(connection.SETTINGS), "sqlite": version})
    finally:
        opened.close()


def _transport_key(paths: NodePaths, kinds: list[str]) -> Finding:
    params = {"slots": "、".join(kinds)}
    try:
        mode = paths.transport_key.stat().st_mode
    except PermissionError:  # sync_agent's account alone may look there, and doctor runs as another
        return Finding("keys", Standing.GOOD, "keys.present_transport_hidden", params)
    except FileNotFoundError:
        return Finding("keys", Standing.BAD, "keys.transport_missing", params)
    if mode & 0o077:
        return Finding("keys", Standing.BAD, "keys.transport_open_to_others", params)
    return Finding("keys", Standing.GOOD, "keys.present", params)


def _counter(paths: NodePaths) -> Finding:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(SOCKET_TIMEOUT_S)
        try:
            door.connect(str(paths.counter_socket))
        except PermissionError:
            return Finding("counter", Standing.UNKNOWN, "counter.not_ours")
        except OSError:
            return Finding("counter", Standing.ATTENTION, "counter.not_answering")
    return Finding("counter", Standing.GOOD, "counter.answering")


def _line(paths: NodePaths) -> Iterator[Finding]:
    try:
        line = Incoming(paths.incoming).line()
    except StoreError as error:
        yield Finding("line", Standing.UNKNOWN, error.code)
        return
    if line is None or line.up is None:
        yield Finding("line", Standing.UNKNOWN, "line.never_tried")
        return
    params = {
        "since": _minute(line.since),
        "ops": line.backlog_ops,
        "scans": line.backlog_scans,
        "error": line.last_error,
    }
    if line.up:
        yield Finding("line", Standing.GOOD, "line.up", params)
    else:  # being offline for days is a node's everyday, not a fault
        yield Finding("line", Standing.ATTENTION, "line.down", params)


def _waiting(paths: NodePaths, now: datetime) -> Iterator[Finding]:
    """How the node stands and everything that waits, each explanation once; what passes by itself is no fault."""
    started = now - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    try:
        found = mailbox.look(paths, now, started=started)
    except StoreError:
        yield Finding("waiting", Standing.UNKNOWN, "waiting.not_read")
        return
    for one in found.conditions:
        if one.reason is not Reason.LINE_GOOD:
            yield _explained(one, now)
    together: dict[Explanation, list[mailbox.Waiting]] = {}
    for item in found.items:
        together.setdefault(item.why, []).append(item)
    for one, items in together.items():
        ages = [item.age for item in items if item.age is not None]
        yield _explained(
            one,
            now,
            ops=sum(item.seq is not None for item in items),
            scans=sum(item.seq is None for item in items),
            oldest_hours=int(max(ages, default=timedelta(0)).total_seconds() // 3600),
        )
    if not found.items:
        yield Finding("waiting", Standing.GOOD, "waiting.nothing")


def _explained(one: Explanation, now: datetime, **counts: int) -> Finding:
    params = {
        "why": one.reason.value,
        "who": one.who.value,
        "then": one.then.value,
        "when": one.when.isoformat() if one.when and one.when > now else None,
        "stick": one.stick,
        "code": one.code,
        **counts,
    }
    standing = Standing.GOOD if one.who is Who.NOBODY else Standing.ATTENTION
    return Finding("waiting", standing, WAITING, params)


def _minute(moment: str | None) -> str:
    """To the minute, by the clock on the wall of the city; what cannot be read is shown as it is."""
    try:
        return f"{datetime.fromisoformat(moment or '').astimezone(CITY_TIME):%m-%d %H:%M}"
    except ValueError:
        return moment or "?"


def _catalog(paths: NodePaths, now: datetime) -> Finding:
    try:
        arrived = json.loads(paths.catalog_marker.read_text("utf-8"))
        stamp = json.loads((paths.catalog_metadata / "timestamp.json").read_text("utf-8"))
        expires = datetime.fromisoformat(stamp["signed"]["expires"])
        fetched = datetime.fromisoformat(arrived["fetched_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return Finding("catalog", Standing.ATTENTION, "catalog.none")
    params = {"version": arrived["catalog"], "days": max(0, (now - fetched).days), "until": f"{expires:%Y-%m-%d}"}
    if now > expires:
        return Finding("catalog", Standing.ATTENTION, "catalog.expired", params)
    return Finding("catalog", Standing.GOOD, "catalog.fresh", params)
