"""What a machine keeps on its disk: the desk, the mailbox, the courier's memory. A clone is a copy of it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from casework.application import Application
from tests.simulators.exchange_world.sealing import Letter, Op, Reply
from wire.audit_chain import GENESIS, Head
from wire.exchange import Epoch
from wire.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal; without a letter it was purged."""

    seq: int
    op: Op
    hash: bytes
    letter: Letter | None
    posted: bool = False
    outcome: str | None = None
    written: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """An application as the node knows it."""

    confirmed: Application
    case_seq: int
    erased: bool = False
    told: int = 0


@dataclass(slots=True)
class Desk:
    """The encrypted database; a transaction works on a copy. `moment` counts what was written and told, so that of two
    it is known which came first."""

    node: str
    journal: tuple[Entry, ...] = ()
    receipt: Receipt | None = None
    epochs: tuple[Epoch, ...] = ()
    feed: Head = GENESIS
    telling: str | None = None
    told: dict[str, str] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    by_op: dict[str, int] = field(default_factory=dict)
    scans: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    floor: datetime | None = None
    dictionaries: int = 0
    key: int = 1
    misunderstood: int = 0
    moment: int = 0

    def copy(self) -> Desk:
        """A value of its own."""
        other = copy(self)
        other.told, other.known = dict(self.told), dict(self.known)
        other.by_op, other.scans = dict(self.by_op), dict(self.scans)
        return other

    @property
    def head(self) -> Head:
        """The last link of the journal."""
        return Head(self.journal[-1].seq, self.journal[-1].hash) if self.journal else GENESIS

    @property
    def hwm(self) -> int:
        return self.receipt.hwm if self.receipt else 0

    @property
    def stable(self) -> int:
        return self.receipt.stable_hwm if self.receipt else 0

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of an own link."""
        if seq == 0:
            return GENESIS.hash
        return self.journal[seq - 1].hash if seq <= len(self.journal) else None

    def put(self, entry: Entry) -> None:
        """Change an entry that is there."""
        at = entry.seq - 1
        self.journal = (*self.journal[:at], entry, *self.journal[at + 1 :])


@dataclass(slots=True)
class Folder:
    """The whole disk of a node."""

    desk: Desk
    outgoing: dict[int, Letter] = field(default_factory=dict)
    feed: dict[int, object] = field(default_factory=dict)
    receipt: Reply | None = None
    refused: str | None = None
    facts: Head = GENESIS
    epochs: tuple[Epoch, ...] = ()
    vault: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Folder:
        """Another disk with the same on it."""
        other = copy(self)
        other.desk, other.outgoing = self.desk.copy(), dict(self.outgoing)
        other.feed, other.vault = dict(self.feed), dict(self.vault)
        return other
