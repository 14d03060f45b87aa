"""Scans: taken in shrunk and clean, sealed before they touch the disk, shown only to those who may see them.

Laws
- Plain bytes are in memory only, one scan at a time; what reaches the disk is sealed. A refused scan leaves nothing
  behind.
- Below the reserve new scans are refused before a byte is sealed; typing, collecting and sending go on.
- The order is: file durable in the vault, then its row in the desk. A crash in between leaves an orphan for the
  sweep.
- A scan of another site that is not here yet is asked for and said to be on its way; so is one that came and was lost
  or rotted on this disk since, for the city still has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from casework.materials import AUTHORIZATION, needed
from edge_node.acts import audit, drafting, mail_in, showing
from edge_node.counter.counter import Counter
from edge_node.counter.errors import (
    DiskReserveReached,
    ScanNotHere,
    TooManyScans,
    UnknownMaterial,
    UnknownScan,
)
from edge_node.counter.picture import CleanScan, clean
from edge_node.counter.sessions import AtCounter
from edge_node.counter.visibility import may_see
from offline_store.desk import applications, drafts, scans
from offline_store.desk.database import Transaction
from offline_store.desk.drafts import Draft
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.errors import DISK_REFUSES
from wire.counter import ScanView
from wire.scan import ScanSealer, open_scan
from wire.waiting import Alarm

MAX_SCANS: Final = 60
SEAL_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenScan:
    """A scan, opened for showing."""

    media_type: str
    plain: Iterator[bytes]


def check_room(counter: Counter) -> None:
    """Refuse a scan before it is received when only the reserve is left."""
    short = counter.free_bytes(counter.paths.vault) < counter.limits.disk_reserve_bytes
    counter.alarms.put(Alarm.DISK_RESERVE, raised=short)
    if short or counter.room.short:
        raise DiskReserveReached


def check_place(counter: Counter, who: AtCounter, draft_id: str, material_id: str) -> None:
    """Refuse a scan before it is received when it belongs nowhere."""
    with counter.desk.reading() as tx:
        _draft_for(counter, tx, who, draft_id, material_id)


def take_in(
    counter: Counter, who: AtCounter, draft_id: str, material_id: str, page: int | None, data: bytes | bytearray
) -> ScanView:
    """Shrink, clean and seal one scan into the vault, and note it on the draft."""
    check_room(counter)
    reading = counter.clock.read()
    with counter.intake_lock:
        picture = clean(data)
        sealed = _seal(counter, picture)
    try:
        with counter.desk.transaction() as tx:
            draft = _draft_for(counter, tx, who, draft_id, material_id)
            kept = KeptScan(
                scan_hash=sealed.scan_hash,
                status=ScanStatus.DRAFT,
                material_id=material_id,
                page=page if page is not None else _next_page(tx, draft, material_id),
                length=sealed.length,
                media_type=picture.media_type,
                kept_at=reading.now,
                draft_id=draft_id,
                content_key=sealed.content_key,
            )
            scans.save(tx, kept)
    except DISK_REFUSES:
        raise  # whether the row lies on the disk is known at the next start; until then its scan stays, for the sweep
    except BaseException:
        counter.vault.remove(sealed.scan_hash)
        raise
    return showing.scan_view(kept)


def remove(counter: Counter, who: AtCounter, draft_id: str, scan_hash: str) -> None:
    """Throw away one scan of a draft."""
    with counter.desk.transaction() as tx:
        drafting.find(tx, who, draft_id)
        scan = scans.find(tx, scan_hash)
        if scan is None or scan.draft_id != draft_id:
            raise UnknownScan(scan_hash=scan_hash)
        scans.remove(tx, [scan_hash])
    counter.vault.remove(scan_hash)


def open_for_showing(counter: Counter, who: AtCounter, scan_hash: str) -> OpenScan:
    """Open a scan in memory for somebody who may see it; looking at somebody's papers is recorded."""
    with counter.desk.reading() as tx:
        scan = scans.find(tx, scan_hash)
        if scan is None or not _may_see(tx, who, scan):
            raise UnknownScan(scan_hash=scan_hash)
    if scan.status is ScanStatus.ARRIVED and mail_in.is_lost(counter, scan_hash):
        with counter.desk.transaction() as tx:
            scans.set_status(tx, scan_hash, ScanStatus.WANTED)
        scan = replace(scan, status=ScanStatus.WANTED)
    if scan.content_key is None or scan.status is ScanStatus.WANTED:
        counter.outgoing.want_scan(scan_hash)
        raise ScanNotHere(scan_hash=scan_hash)
    if scan.application_id is not None:
        audit.viewed(counter, who, scan.application_id, audit.SCAN_VIEWED)
    if not counter.vault.has(scan_hash):
        raise ScanNotHere(scan_hash=scan_hash)
    return OpenScan(scan.media_type, open_scan(counter.vault.chunks(scan_hash), scan.content_key))


def _draft_for(counter: Counter, tx: Transaction, who: AtCounter, draft_id: str, material_id: str) -> Draft:
    draft = drafting.find(tx, who, draft_id)
    item = counter.shelf.item(tx, draft.item_id, draft.catalog_version)
    form = counter.shelf.form(tx, draft.form_id, draft.catalog_version)
    asked = {need.material_id for need in needed(item, draft.values, form)} | {AUTHORIZATION}
    if material_id not in asked:
        raise UnknownMaterial(material_id=material_id)
    if len(scans.of_draft(tx, draft_id)) >= MAX_SCANS:
        raise TooManyScans(max_scans=MAX_SCANS)
    return draft


def _next_page(tx: Transaction, draft: Draft, material_id: str) -> int:
    pages = [one.page for one in scans.of_draft(tx, draft.draft_id) if one.material_id == material_id]
    return max(pages, default=0) + 1


def _seal(counter: Counter, picture: CleanScan) -> ScanSealer:
    with counter.desk.reading() as tx:
        recipients = counter.recipients(tx)
    sealer = ScanSealer(recipients, counter.randomness)
    with counter.vault.receive() as receiving:
        for start in range(0, len(picture.data), SEAL_PIECE):
            receiving.write(sealer.update(picture.data[start : start + SEAL_PIECE]))
        receiving.write(sealer.finish())
        receiving.keep(sealer.scan_hash)
    return sealer


def _may_see(tx: Transaction, who: AtCounter, scan: KeptScan) -> bool:
    if scan.application_id is not None:
        known = applications.find(tx, scan.application_id)
        return known is not None and may_see(who.actor, known.shown)
    draft = drafts.find(tx, scan.draft_id) if scan.draft_id else None
    return draft is not None and draft.clerk_id == who.clerk_id
