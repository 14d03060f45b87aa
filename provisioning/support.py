"""A support bundle: what somebody far away needs to help with a node, and nothing of a person.

Laws
- Every value passes through `allowed`; a property test plants marked names, numbers, telephones and texts in every
  place of a node and finds none of them in the bundle.
- Nothing on the node changes, and a part that cannot be read says so by its code; the others are made all the same.
- The bundle is a zip of JSON, whole or absent.
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from offline_store.desk import connection, figures, keyring, rekeying
from offline_store.errors import StoreError
from offline_store.mailbox import waiting as mailbox
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning import allowed, doctor, support_machine
from provisioning.support_log import log_facts
from wire.waiting import Explanation

FORM: Final = 1
SETTINGS: Final = frozenset(
    {
        "disk_reserve_mib", "mail_poll_seconds", "retention_days", "rekey_days", "idle_s", "hold_s", "first_contact_s",
        "catalog_s", "connections", "piece_bytes", "batch_envelopes", "batch_bytes", "answer_s", "scan_mib_per_day",
        "operations_only", "relay_mib", "relay_ask_s",
    }
)  # fmt: skip
PRESENCE_ONLY: Final = frozenset({"gateway_url", "quiet_hours"})
MOMENTS: Final = frozenset({"since", "last_try", "next_try", "scans_held_until", "relay_at"})
CODES: Final = frozenset({"last_error", "held_because", "relay_problem"})
SUFFIXES: Final = frozenset(
    {".env", ".ticket", ".wanted", ".feed", ".stored", ".damaged", ".json", ".db", ".scan", ".part"}
)
ITEMS_MOST: Final = 200

Part = Callable[[], Any]


def make(paths: NodePaths, *, now: datetime, environment: Mapping[str, str], log_lines: Iterable[str] = ()) -> bytes:
    """The bundle of a node, as the bytes of a zip."""
    parts: dict[str, Part] = {
        "bundle": lambda: {"form": FORM, "made_at": now.isoformat(timespec="seconds")},
        "node": lambda: _node(paths),
        "versions": lambda: support_machine.versions(paths),
        "machine": lambda: support_machine.machine(paths),
        "settings": lambda: _settings(paths.settings),
        "doctor": lambda: [_finding(one) for one in doctor.examine(paths, now=now, environment=environment)],
        "line": lambda: _line(Incoming(paths.incoming).line()),
        "waiting": lambda: _waiting(paths, now),
        "desk": lambda: _desk(paths, environment),
        "counter": lambda: support_machine.counter(paths),
        "files": lambda: [_folder(name, folder, now) for name, folder in _folders(paths).items()],
        "log": lambda: log_facts(log_lines),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            stamp = zipfile.ZipInfo(f"{name}.json", now.timetuple()[:6])
            bundle.writestr(stamp, json.dumps(_made(part), indent=1, sort_keys=True), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _made(part: Part) -> Any:  # noqa: ANN401 - it becomes JSON
    try:
        return part()
    except StoreError as failure:
        return {"not_read": allowed.code(failure.code)}
    except Exception as failure:  # noqa: BLE001 - whatever is broken here, the rest of the bundle is worth having
        return {"not_read": allowed.code(type(failure).__name__)}


def _node(paths: NodePaths) -> dict[str, Any]:
    node = read_node_file(paths.enrolment)
    return {
        "node_id": node.node_id,
        "role": node.role,
        "region": node.region,
        "valid_to": node.valid_to.isoformat(timespec="seconds"),
        "gateway": node.gateway.id,
    }


def _settings(path: Path) -> dict[str, Any]:
    """Numbers and switches by their known names; of an address only that there is one."""
    if not path.exists():
        return {"file": False}
    plain = tomllib.loads(path.read_text("utf-8"))
    flat = {
        **plain,
        **{name: value for table in plain.values() if isinstance(table, dict) for name, value in table.items()},
    }
    known: dict[str, Any] = {
        name: value if isinstance(value, bool) else allowed.number(value)
        for name, value in flat.items()
        if name in SETTINGS
    }
    known |= {name: "set" for name in PRESENCE_ONLY if flat.get(name)}
    return {"file": True, **known, "others": len(set(flat) - SETTINGS - PRESENCE_ONLY)}


def _finding(found: doctor.Finding) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, value in found.params.items():
        if name in {"why", "who", "then", "code", "error", "role"}:
            params[name] = allowed.code(value)
        elif name == "when":
            params[name] = allowed.moment(value) if value else None
        elif name == "sqlite":
            params[name] = allowed.version(value)
        elif (count := allowed.number(value)) is not None:
            params[name] = count
    shown = {"check": allowed.code(found.check), "standing": found.standing.value, "code": allowed.code(found.code)}
    return shown | params


def _line(line: LineState | None) -> dict[str, Any] | None:
    if line is None:
        return None
    plain = asdict(line)
    return {field.name: _line_value(field.name, plain[field.name]) for field in fields(LineState)}


def _line_value(name: str, value: object) -> object:
    if name in MOMENTS:
        return allowed.moment(value) if value else None
    if name in CODES:
        return allowed.code(value)
    return value if isinstance(value, bool) else allowed.number(value)


def _waiting(paths: NodePaths, now: datetime) -> dict[str, Any]:
    found = mailbox.look(paths, now)
    tickets = Outgoing(paths.outgoing).scan_tickets()
    return {
        "conditions": [_explained(one) for one in found.conditions],
        "operations": [
            {"seq": item.seq, "size": item.size, "hours": _hours(item.age), **_explained(item.why)}
            for item in found.items[:ITEMS_MOST]
            if item.seq is not None
        ],
        "scans": _by_reason(found),
        "scan_bytes": sum(ticket.length for ticket in tickets),
        "items": len(found.items),
    }


def _by_reason(found: mailbox.Look) -> dict[str, int]:
    counted: dict[str, int] = {}
    for item in found.items:
        if item.seq is None:
            counted[item.why.reason.value] = counted.get(item.why.reason.value, 0) + 1
    return counted


def _explained(one: Explanation) -> dict[str, Any]:
    return {
        "why": one.reason.value,
        "who": one.who.value,
        "then": one.then.value,
        "when": one.when.isoformat(timespec="seconds") if one.when else None,
        "code": allowed.code(one.code),
    }


def _hours(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds() // 3600)


def _desk(paths: NodePaths, environment: Mapping[str, str]) -> dict[str, Any]:
    keys = keyring.candidates(paths.keyring, keyring.machine_key(environment))
    opened = connection.connect(paths.desk_db, rekeying.lying_under(paths.desk_db, keys), writing=False)
    try:
        found = figures.read(opened)
    finally:
        opened.close()
    return {
        "form": found.form,
        "counts": found.counts,
        "states": allowed.counts(found.states),
        "standings": allowed.counts(found.standings),
        "scans": allowed.counts(found.scans),
        "clerks": allowed.counts(found.clerks),
        "journal": [
            {
                "seq": entry.seq,
                "kind": allowed.code(entry.kind),
                "event": allowed.code(entry.event),
                "at": allowed.moment(entry.at),
                "posted": entry.posted,
                "outcome": allowed.code(entry.outcome),
                "size": entry.size,
            }
            for entry in found.journal
        ],
    }


def _folders(paths: NodePaths) -> dict[str, Path]:
    return {
        "desk": paths.desk_folder,
        "outgoing": paths.outgoing,
        "incoming": paths.incoming,
        "vault": paths.vault,
        "agent": paths.agent_folder,
        "set_aside": paths.set_aside,
    }


def _folder(name: str, folder: Path, now: datetime) -> dict[str, Any]:
    """How many files of which kind, how large, how old; never a name."""
    kinds: dict[str, int] = {}
    total, oldest = 0, now.timestamp()
    for path in folder.rglob("*") if folder.exists() else ():
        try:
            facts = path.lstat()
        except OSError:
            continue
        if not path.is_file():
            continue
        kind = path.suffix if path.suffix in SUFFIXES else allowed.OTHER
        kinds[kind] = kinds.get(kind, 0) + 1
        total += facts.st_size
        oldest = min(oldest, facts.st_mtime)
    return {"folder": name, "kinds": kinds, "bytes": total, "oldest_hours": int((now.timestamp() - oldest) // 3600)}
