"""What goes into the next bundle: all mail the city does not have, then scans from where the last carrier took them.

Laws: envelopes are carried again with every bundle until the city's receipt covers them, because they are small and
then it does not matter which stick arrives first, or at all; pieces of scans go on where the last bundle ended, most
urgent first. What does not fit is counted, so that a person knows of another journey. What rotted on the disk does not
go: the city would refuse the whole bundle for one envelope, and pieces of a scan would be carried for nothing. What is
wrong with a scan is told to edge_node, as over the line; an envelope it lays anew by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from offline_store.errors import StoreError
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing, ScanTicket
from offline_store.mailbox.waiting import receipt_of
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from sync_agent.batches import next_batch
from sync_agent.carried import Carried
from sync_agent.inbound import feed_place
from sync_agent.report import node_report
from wire.bundle import (
    MAIL,
    MAX_MAIL_BYTES,
    MAX_PARTS,
    MAX_SCANS_NAMED,
    SCAN,
    Left,
    Part,
    UpInventory,
    mail_parts,
    part_of,
    sign_up,
)
from wire.enrolment import EnrolmentDocument
from wire.envelope import envelope_hash
from wire.keys import SigningKey
from wire.receipt import Receipt
from wire.signed import SignedDocument

MIB = 1024 * 1024
MOST_ENVELOPES = 20_000
SMALLEST_PIECE = 64 * 1024
READ_BYTES = 256 * 1024
MAIL_ROOM = 100  # parts kept for mail
DAMAGED = "rotten"

Chunks = Callable[[], Iterator[bytes]]
Room = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Sack:
    """This node's mail as the courier sees it: what lies where, whose it is, and the key that signs for it."""

    paths: NodePaths
    node: EnrolmentDocument
    key: SigningKey
    outgoing: Outgoing
    incoming: Incoming
    vault: Vault
    now: Callable[[], datetime]

    @classmethod
    def of(cls, paths: NodePaths, now: Callable[[], datetime]) -> Sack:
        """The mail of an enrolled node's folder."""
        return cls(
            paths=paths,
            node=read_node_file(paths.enrolment),
            key=SigningKey.from_bytes(paths.transport_key.read_bytes()),
            outgoing=Outgoing(paths.outgoing),
            incoming=Incoming(paths.incoming),
            vault=Vault(paths.vault),
            now=now,
        )

    def receipt(self) -> Receipt | None:
        """The last receipt that lies here, proven."""
        return receipt_of(self.incoming, self.node)

    @property
    def hwm(self) -> int:
        """The city's mark, as far as it is known here."""
        receipt = self.receipt()
        return receipt.hwm if receipt else 0


@dataclass(frozen=True, slots=True)
class Packed:
    """A signed bundle whose parts are read when they are laid down, and what is handed over with it."""

    document: SignedDocument
    inventory: UpInventory
    parts: list[tuple[Part, Chunks]]
    after: Carried
    damaged: tuple[str, ...]

    @property
    def ops(self) -> int:
        """How many envelopes it carries."""
        return self.inventory.last - self.inventory.first + 1 if self.inventory.last else 0

    @property
    def pieces(self) -> int:
        """How many pieces of scans it carries."""
        return sum(1 for part, _ in self.parts if part.kind == SCAN)

    @property
    def bytes(self) -> int:
        """What its parts weigh."""
        return sum(part.length for part, _ in self.parts)


def pack_bag(sack: Sack, carried: Carried, room: int, *, takes: Room = lambda length: length) -> Packed:
    """Fill a bundle of at most `room` bytes; `takes` says what room a part of some length needs there."""
    hwm = sack.hwm
    batch = next_batch(sack.outgoing, hwm, MOST_ENVELOPES, min(MAX_MAIL_BYTES, room), sack.node.identity_public)
    mail = mail_parts(batch.envelopes)
    parts: list[tuple[Part, Chunks]] = [(part_of(MAIL, data), _of(data)) for data in mail]
    room -= sum(takes(len(data)) for data in mail)
    tickets = sack.outgoing.scan_tickets()
    after = carried.only({ticket.scan_hash for ticket in tickets})
    damaged, left_scans, left_bytes = [], 0, 0
    for ticket in tickets:
        offset = after.offset(ticket.scan_hash)
        length = _fitting(ticket.length - offset, room, takes) if len(parts) < MAX_PARTS - MAIL_ROOM else 0
        if length:
            part = _piece(sack.vault, ticket, offset, length)
            if part is None:
                sack.incoming.mark_scan_damaged(ticket.scan_hash, DAMAGED)
                damaged.append(ticket.scan_hash)
                continue
            parts.append((part, _piece_of(sack.vault, part)))
            room -= takes(length)
            after = after.handed_over(ticket.scan_hash, offset + length, sack.now().isoformat())
        if offset + length < ticket.length:
            left_scans, left_bytes = left_scans + 1, left_bytes + ticket.length - offset - length
    waiting = sum(1 for _ in sack.outgoing.envelopes(batch.last))
    cursor, feed_hash = feed_place(sack.outgoing, sack.incoming)
    inventory = UpInventory(
        node=sack.node.node_id,
        gateway=sack.node.gateway.id,
        number=carried.number + 1,
        made_at=sack.now(),
        first=hwm + 1 if batch.envelopes else 0,
        last=batch.last if batch.envelopes else 0,
        head_hash=envelope_hash(batch.envelopes[-1]).hex() if batch.envelopes else None,
        feed_cursor=cursor,
        feed_hash=feed_hash,
        scans_asking=[ticket.scan_hash for ticket in tickets][:MAX_SCANS_NAMED],
        scans_wanted=[name for name in sack.outgoing.wanted() if not sack.vault.has(name)][:MAX_SCANS_NAMED],
        catalog_held=held_versions(sack.paths),
        enrolled_until=sack.node.valid_to,
        report=node_report(sack.outgoing, sack.paths.agent_folder, ops=waiting, scans=len(tickets)),
        left=Left(ops=waiting, scans=left_scans, bytes=left_bytes),
        parts=[part for part, _ in parts],
    )
    return Packed(sign_up(inventory, sack.key), inventory, parts, _numbered(after, inventory.number), tuple(damaged))


def held_versions(paths: NodePaths) -> dict[str, int]:
    """The metadata versions of the catalog that lies here, by role, so that only what is missing is sent. Read without
    python-tuf, which would stay in the resident courier; a lie in these files costs bytes and nothing else."""
    if not paths.catalog_marker.exists():
        return {}
    try:
        timestamp = json.loads((paths.catalog_metadata / "timestamp.json").read_bytes())["signed"]
        snapshot = json.loads((paths.catalog_metadata / "snapshot.json").read_bytes())["signed"]
        listed = {str(name).removesuffix(".json"): int(meta["version"]) for name, meta in snapshot["meta"].items()}
        return {"timestamp": int(timestamp["version"]), **listed}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _numbered(carried: Carried, number: int) -> Carried:
    return Carried(number, carried.scans, carried.since)


def _fitting(left: int, room: int, takes: Room) -> int:
    """How many of the bytes that are left fit: all, a piece that is worth it, or none."""
    if left <= 0:
        return 0
    if takes(left) <= room:
        return left
    piece = (room - (takes(SMALLEST_PIECE) - SMALLEST_PIECE)) // SMALLEST_PIECE * SMALLEST_PIECE
    return piece if piece >= SMALLEST_PIECE and takes(piece) <= room else 0


def _piece(vault: Vault, ticket: ScanTicket, offset: int, length: int) -> Part | None:
    """The piece by its hash, read from the disk as it lies; None when the scan is not there or not what it is named."""
    try:
        found = _hashed(vault, ticket.scan_hash, offset, length)
        whole = found if length == ticket.length else _hashed(vault, ticket.scan_hash, 0, ticket.length)
    except (StoreError, OSError):
        return None
    if whole != ticket.scan_hash:
        return None
    return Part(kind=SCAN, length=length, hash=found, scan=ticket.scan_hash, offset=offset, total=ticket.length)


def _hashed(vault: Vault, scan_hash: str, offset: int, length: int) -> str:
    digest = hashlib.sha256()
    for chunk in _read(vault, scan_hash, offset, length):
        digest.update(chunk)
    return digest.hexdigest()


def _piece_of(vault: Vault, part: Part) -> Chunks:
    return lambda: _read(vault, str(part.scan), part.offset, part.length)


def _read(vault: Vault, scan_hash: str, offset: int, length: int) -> Iterator[bytes]:
    with vault.open(scan_hash) as file:
        file.seek(offset)
        while length and (chunk := file.read(min(READ_BYTES, length))):
            length -= len(chunk)
            yield chunk


def _of(data: bytes) -> Chunks:
    return lambda: iter([data])
