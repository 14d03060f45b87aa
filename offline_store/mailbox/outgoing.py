"""What waits to leave this node: sealed envelopes by number, tickets for scans to send, scans wanted from the city.

Laws: only edge_node puts and removes; putting the same thing twice is the same file; other bytes under a number that
is taken are refused, because sealed bytes never change.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from offline_store.errors import DamagedFile, EnvelopeChanged
from offline_store.paths import checked_hash
from offline_store.placing import place, placed, sweep_unfinished, take_away

ENVELOPE = ".env"
TICKET = ".ticket"
WANTED = ".wanted"
DAMAGED = ".damaged"
FACTS = "facts.json"


@dataclass(frozen=True, slots=True)
class ScanTicket:
    """A sealed scan in the vault that the city does not have yet; a lower priority number goes first."""

    scan_hash: str
    priority: int
    length: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the courier may tell the city about this node; edge_node writes it, nothing in it is personal."""

    feed_cursor: int
    catalog_version: int | None
    program_version: str
    clock_offset_s: float | None
    feed_hash: str | None = None
    alarms: list[str] = field(default_factory=list)
    """The codes of what is wrong here, for the city's overview."""


class Outgoing:
    """The folder `mailbox/outgoing`."""

    def __init__(self, folder: Path) -> None:
        self._envelopes = folder / "envelopes"
        self._scans = folder / "scans"
        self._facts = folder / FACTS
        self._read: dict[str, tuple[int, ScanTicket]] = {}
        for part in (self._envelopes, self._scans):
            part.mkdir(mode=0o750, parents=True, exist_ok=True)

    def put_envelope(self, seq: int, data: bytes) -> None:
        path = self._envelopes / _name(seq)
        try:
            lying = path.read_bytes()
        except FileNotFoundError:
            place(path, data)
            return
        if lying != data:
            raise EnvelopeChanged(seq)

    def envelopes(self, after_seq: int = 0) -> Iterator[tuple[int, Path]]:
        """Number and path of every envelope after `after_seq`, in order."""
        for entry in placed(self._envelopes, ENVELOPE):
            seq = int(entry.name.removesuffix(ENVELOPE))
            if seq > after_seq:
                yield seq, Path(entry.path)

    def envelope(self, seq: int) -> bytes:
        """The bytes under a number, empty when there are none."""
        try:
            return (self._envelopes / _name(seq)).read_bytes()
        except FileNotFoundError:
            return b""

    def remove_envelope(self, seq: int) -> None:
        """Take away one whose bytes rotted; the desk has the true ones."""
        take_away(self._envelopes / _name(seq))

    def set_aside(self, seq: int) -> None:
        """Keep an envelope that rotted for a person to see, out of the courier's way."""
        path = self._envelopes / _name(seq)
        path.replace(path.with_suffix(DAMAGED))

    def remove_through(self, seq: int) -> int:
        """Take away envelopes up to and including `seq`; the desk still holds them."""
        return sum(take_away(path) for number, path in self.envelopes() if number <= seq)

    def clear_envelopes(self) -> int:
        """Take away all envelopes: the chain was begun anew under another node id."""
        return sum(take_away(path) for _, path in self.envelopes())

    def put_scan_ticket(self, scan_hash: str, priority: int, length: int) -> None:
        ticket = ScanTicket(scan_hash, priority, length)
        place(self._scans / f"{checked_hash(scan_hash)}{TICKET}", json.dumps(asdict(ticket), sort_keys=True).encode())

    def has_scan_ticket(self, scan_hash: str) -> bool:
        """Whether it lies here and can be read."""
        return _ticket(self._scans / f"{checked_hash(scan_hash)}{TICKET}") is not None

    def scan_tickets(self) -> list[ScanTicket]:
        """What is to be sent, the most urgent first. A file is read once: one that is laid anew is another inode."""
        before, self._read = self._read, {}
        for entry in placed(self._scans, TICKET):
            known = before.get(entry.name)
            ticket = known[1] if known and known[0] == entry.inode() else _ticket(Path(entry.path))
            if ticket:
                self._read[entry.name] = entry.inode(), ticket
        tickets = (ticket for _, ticket in self._read.values())
        return sorted(tickets, key=lambda t: (t.priority, t.length, t.scan_hash))

    def remove_scan_ticket(self, scan_hash: str) -> None:
        take_away(self._scans / f"{checked_hash(scan_hash)}{TICKET}")

    def want_scan(self, scan_hash: str) -> None:
        path = self._scans / f"{checked_hash(scan_hash)}{WANTED}"
        if not path.exists():
            place(path, b"")

    def wanted(self) -> list[str]:
        """Hashes of scans that this node may read and does not have."""
        return [entry.name.removesuffix(WANTED) for entry in placed(self._scans, WANTED)]

    def unwant(self, scan_hash: str) -> None:
        take_away(self._scans / f"{checked_hash(scan_hash)}{WANTED}")

    def put_facts(self, facts: Facts) -> None:
        place(self._facts, json.dumps(asdict(facts), sort_keys=True).encode())

    def remove_facts(self) -> None:
        """What was told of an identity that is no more; until edge_node speaks again nothing is known."""
        take_away(self._facts)

    def facts(self) -> Facts | None:
        try:
            return Facts(**json.loads(self._facts.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as broken:
            raise DamagedFile(FACTS) from broken

    def stamp(self) -> tuple[int, int]:
        """Changes whenever an envelope, a ticket or a wish comes or goes: a cheap sign that something was saved."""
        return self._envelopes.stat().st_mtime_ns, self._scans.stat().st_mtime_ns

    def sweep(self) -> int:
        """Remove what a killed edge_node left half written; only edge_node calls it, at start."""
        return sum(sweep_unfinished(part) for part in (self._envelopes, self._scans, self._facts.parent))


def _name(seq: int) -> str:
    if seq < 1:
        raise ValueError(seq)
    return f"{seq:016d}{ENVELOPE}"


def _ticket(path: Path) -> ScanTicket | None:
    """None when edge_node took the ticket away between listing and reading, or when it rotted: it is written anew, and
    delays no other scan meanwhile."""
    try:
        ticket = ScanTicket(**json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    sound = path.name == f"{ticket.scan_hash}{TICKET}" and isinstance(ticket.priority, int) and ticket.length >= 0
    return ticket if sound else None
