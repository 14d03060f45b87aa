"""What lies on the disk of a node that is dead and is not at the city yet, and how it gets there.

Laws:
- The disk is only read: everything happens on a copy, which is removed at the end. Scans and mail stay sealed in it.
- Sealed mail needs no key. With the city's recovery key the mail is completed from the desk (what was saved and not
  laid out before the end) and drafts, which exist nowhere else, can be laid open for who types them again.
- The courier writes the bundle, the same as from a node that lives; what comes to the city twice counts once.
- Running again begins anew and gives the same; nothing here depends on an earlier run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from offline_store.desk import drafts, journal, keys, rekeying, scans, state
from offline_store.desk.database import Desk, Transaction, open_desk
from offline_store.desk.drafts import Draft
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.errors import EnvelopeChanged
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.mailbox.waiting import receipt_of
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.placing import disk_says
from offline_store.vault.scans import Vault
from provisioning import re_enrol
from provisioning.errors import NoRescueHere
from wire.envelope import verify
from wire.errors import WireError

COPY: Final = "copy-of-disk"
PRIVATE: Final = 0o700
AT_ONCE: Final = 100
PRIORITY: Final = 6
ANOTHER_JOURNAL: Final = "mail"
NOT_COPIED: Final = shutil.ignore_patterns("*.sock", "*.lock", "reserve", "relay")


@dataclass(frozen=True, slots=True)
class OpenedDraft:
    """A draft with its scans, as far as they lie on the disk."""

    draft: Draft
    scans: tuple[KeptScan, ...]


@dataclass(slots=True, kw_only=True)
class Found:
    """What the disk holds; `None` is what only the desk knows, when no recovery key was given."""

    node_id: str
    site_name: str
    unreadable: int
    hwm: int
    envelopes: int = 0
    scans: int = 0
    scans_missing: int = 0
    set_aside: int = 0
    head: int | None = None
    only_in_desk: int | None = None
    broken_at: int | None = None
    stopped: str | None = None
    drafts: list[OpenedDraft] = field(default_factory=list)


@contextmanager
def copied(disk: Path, to: Path) -> Iterator[tuple[NodePaths, int]]:
    """A copy of the node's folder for this while, and how many of its files could not be read."""
    if to.resolve().is_relative_to(disk.resolve()):
        raise NoRescueHere
    read_node_file(NodePaths(disk).enrolment)
    copy = NodePaths(to / COPY)
    with disk_says():
        to.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        to.chmod(PRIVATE)
        shutil.rmtree(copy.root, ignore_errors=True)
    try:
        yield copy, _copy(disk, copy)
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)


def look(copy: NodePaths, unreadable: int, desk_keys: Sequence[bytes]) -> tuple[Found, Desk | None]:
    """Look through the copy, and complete its outgoing mail when the desk opens; the desk is the caller's to close."""
    desk = _opened(copy, desk_keys) if desk_keys else None
    try:
        node = read_node_file(copy.enrolment)
        receipt = receipt_of(Incoming(copy.incoming), node)
        aside = len(list(copy.set_aside.iterdir())) if copy.set_aside.is_dir() else 0
        found = Found(
            node_id=node.node_id,
            site_name=node.site_name,
            unreadable=unreadable,
            hwm=receipt.hwm if receipt else 0,
            set_aside=aside,
        )
        outgoing, vault, missing = Outgoing(copy.outgoing), Vault(copy.vault), set[str]()
        if desk is not None:
            with desk.reading() as tx:
                own = keys.load(tx).identity.public
                found.head, found.broken_at = journal.head(tx).seq, journal.broken_at(tx, own)
                found.drafts = list(_drafts(tx))
                found.stopped = (state.get(tx, state.STOPPED) or {}).get("why")
                found.only_in_desk = _complete_mail(tx, outgoing, found, own)
                missing = _complete_tickets(tx, outgoing, vault)
        found.envelopes = sum(1 for _ in outgoing.envelopes(found.hwm))
        tickets = {one.scan_hash for one in outgoing.scan_tickets()}
        here = {scan_hash for scan_hash in tickets if vault.has(scan_hash)}
        found.scans, found.scans_missing = len(here), len((missing | tickets) - here)
    except BaseException:
        if desk is not None:
            desk.close()
        raise
    return found, desk


def _copy(disk: Path, copy: NodePaths) -> int:
    unreadable = 0
    with disk_says():
        try:
            shutil.copytree(disk, copy.root, ignore=NOT_COPIED, copy_function=shutil.copyfile)
        except shutil.Error as partly:
            unreadable = len(partly.args[0])
        copy.create()
    return unreadable


def _opened(copy: NodePaths, desk_keys: Sequence[bytes]) -> Desk:
    desk = open_desk(copy.desk_db, rekeying.lying_under(copy.desk_db, desk_keys))
    try:
        re_enrol.finish_if_begun(copy, desk)
    except BaseException:
        desk.close()
        raise
    return desk


def _complete_mail(tx: Transaction, outgoing: Outgoing, found: Found, own: bytes) -> int:
    """Lay out what the desk saved and the mailbox does not hold; says how many entries that were.

    Of an identity that was stopped nothing more is laid out: it goes on under the next identity, or not at all.
    """
    lying = {seq for seq, _ in outgoing.envelopes(found.hwm)}
    at, only_here = found.hwm, 0
    while links := journal.after(tx, at, AT_ONCE):
        for link in links:
            only_here += link.seq not in lying
            if not (found.stopped or link.purged) and not _laid(outgoing, link.seq, link.envelope, own):
                found.stopped = ANOTHER_JOURNAL
        at = links[-1].seq
    return only_here


def _laid(outgoing: Outgoing, seq: int, envelope: bytes, own: bytes) -> bool:
    """False when this identity itself signed something else under the number: the desk was set back."""
    try:
        outgoing.put_envelope(seq, envelope)
    except EnvelopeChanged:
        try:
            verify(outgoing.envelope(seq), own)
        except WireError:  # it rotted; the journal has the true bytes
            outgoing.remove_envelope(seq)
            outgoing.put_envelope(seq, envelope)
        else:
            return False
    return True


def _complete_tickets(tx: Transaction, outgoing: Outgoing, vault: Vault) -> set[str]:
    """A ticket for every scan that the city does not have; says which are not on the disk any more."""
    due = scans.with_status(tx, ScanStatus.OUTGOING)
    for scan in due:
        if vault.has(scan.scan_hash) and not outgoing.has_scan_ticket(scan.scan_hash):
            outgoing.put_scan_ticket(scan.scan_hash, PRIORITY, scan.length)
    lost = scans.with_status(tx, ScanStatus.DAMAGED)
    return {scan.scan_hash for scan in (*due, *lost) if not vault.has(scan.scan_hash)}


def _drafts(tx: Transaction) -> Iterator[OpenedDraft]:
    offset = 0
    while rows := drafts.page(tx, offset=offset, limit=AT_ONCE).rows:
        for draft in rows:
            yield OpenedDraft(draft, tuple(scans.of_draft(tx, draft.draft_id)))
        offset += len(rows)
