"""What the city keeps: one value, copied for each transaction and each backup, so that a commit is one assignment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from casework.application import Application
from casework.events import Event
from tests.simulators.exchange_world.sealing import FeedMail, Letter
from wire.audit_chain import GENESIS, Head

VILLAGE, TOWNSHIP = "village", "township"


@dataclass(frozen=True, slots=True)
class Row:
    """One identity as the city knows it."""

    node: str
    site: str
    role: str
    head: Head = GENESIS
    stable: int = 0
    stopped_for: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an op_id."""

    body_hash: bytes
    application_id: str
    case_seq: int
    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """An application as the city has it."""

    application: Application
    case_seq: int
    site: str


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One step in the city's order."""

    case_seq: int
    op_id: str | None
    author: str | None
    letter: Letter | None
    events: tuple[Event, ...]


@dataclass(slots=True)
class Ledger:
    """Everything that a backup holds."""

    epoch: str
    left: tuple[str, ...] = ()
    rows: dict[str, Row] = field(default_factory=dict)
    journal: dict[str, tuple[Letter, ...]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    steps: dict[str, tuple[CaseStep, ...]] = field(default_factory=dict)
    parked: dict[tuple[str, int], Letter] = field(default_factory=dict)
    feeds: dict[str, tuple[FeedMail, ...]] = field(default_factory=dict)
    scans: dict[str, int] = field(default_factory=dict)
    version: int = 0

    def copy(self) -> Ledger:
        """A value of its own; what it holds is frozen."""
        return Ledger(
            self.epoch,
            self.left,
            dict(self.rows),
            dict(self.journal),
            dict(self.outcomes),
            dict(self.cases),
            dict(self.steps),
            dict(self.parked),
            dict(self.feeds),
            dict(self.scans),
            self.version,
        )

    def become(self, other: Ledger) -> None:
        """A savepoint is released: what was done there is done here."""
        for name in Ledger.__slots__:
            setattr(self, name, getattr(other, name))
        self.version += 1

    def change(self, node: str, **changes: object) -> None:
        """Change a row."""
        self.rows[node] = replace(self.rows[node], **changes)  # type: ignore[arg-type]

    def feed_head(self, node: str) -> Head:
        """Where the feed of a node ends."""
        feed = self.feeds.get(node, ())
        return Head(feed[-1].seq, feed[-1].hash) if feed else GENESIS

    def hash_at(self, node: str, seq: int) -> bytes | None:
        """The hash of a link that is held."""
        journal = self.journal.get(node, ())
        return journal[seq - 1].hash if 0 < seq <= len(journal) else None
