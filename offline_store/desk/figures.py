"""How much lies on the desk and where the journal stands, in numbers and codes, for a support bundle.

Laws: it reads through a connection that cannot write; nothing that a person typed, no name, number or id of a person
or an application is read out of here. Of a journal body only the name of its first event is looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wire.errors import WireError
from wire.messages import read_operation

LAST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the journal, without what it says. `event` is a code of casework or of the audit, unchecked."""

    seq: int
    kind: str
    event: str
    at: str
    posted: bool
    outcome: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by code."""

    form: int
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    standings: dict[str, int] = field(default_factory=dict)
    scans: dict[str, int] = field(default_factory=dict)
    clerks: dict[str, int] = field(default_factory=dict)
    journal: tuple[Entry, ...] = ()


def read(connection: Any) -> Figures:  # noqa: ANN401 - a raw connection of sqlcipher3, which has no types
    """The figures of an opened desk."""
    return Figures(
        form=int(connection.execute("PRAGMA user_version").fetchone()[0]),
        counts={
            name: _count(connection, name) for name in ("application", "draft", "scan", "journal", "catalog_version")
        },
        states=_by(connection, "SELECT state, count(*) FROM application GROUP BY state"),
        standings=_by(connection, "SELECT standing, count(*) FROM application GROUP BY standing"),
        scans=_by(connection, "SELECT status, count(*) FROM scan GROUP BY status"),
        clerks=_by(connection, "SELECT role, count(*) FROM clerk WHERE active GROUP BY role"),
        journal=tuple(_entries(connection)),
    )


def _count(connection: Any, table: str) -> int:  # noqa: ANN401
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of this module


def _by(connection: Any, question: str) -> dict[str, int]:  # noqa: ANN401
    return {str(code): int(count) for code, count in connection.execute(question)}


def _entries(connection: Any) -> Iterator[Entry]:  # noqa: ANN401
    columns = "seq, kind, body, at, posted, outcome, length(envelope)"
    question = f"SELECT {columns} FROM journal ORDER BY seq DESC LIMIT ?"  # noqa: S608 - names of this module
    for seq, kind, body, at, posted, outcome, size in connection.execute(question, (LAST_ENTRIES,)):
        yield Entry(int(seq), str(kind), _event(body), str(at), bool(posted), outcome, int(size or 0))


def _event(body: bytes | None) -> str:
    if not body:
        return ""
    try:
        operation = read_operation(bytes(body))
    except (WireError, ValueError):
        return ""
    if operation.audit:
        return str(operation.audit.get("kind", ""))
    return str(operation.events[0].get("event", "")) if operation.events else ""
