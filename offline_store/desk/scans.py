"""The scans that this node knows: whose they are, the key that opens them, where their sealed bytes are.

Laws: the content key lies in the encrypted desk alone, so forgetting a row makes its file unreadable wherever copies
of it lie; a scan belongs to a draft or to an application, and moves from the one to the other in the transaction that
collects. A scan of another node has no content key until its bytes are here, only the wrap that the feed brought.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, delete, func, update
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from offline_store.desk.tables import ScanRow
from offline_store.errors import Unknown

HASH_BYTES = 32


class ScanStatus(StrEnum):
    """Where the sealed bytes are."""

    DRAFT = "draft"  # here, not yet part of anything saved
    OUTGOING = "outgoing"  # here, saved, the city does not have them
    STORED = "stored"  # here and at the city
    WANTED = "wanted"  # at the city, not here
    ARRIVED = "arrived"  # at the city, fetched, here
    DAMAGED = "damaged"  # lost on this disk before the city had them


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptScan:
    """One scan."""

    scan_hash: str
    status: ScanStatus
    material_id: str
    page: int
    length: int
    media_type: str
    kept_at: datetime
    draft_id: str | None = None
    application_id: str | None = None
    content_key: bytes | None = None
    wrap: bytes | None = None


def _in_order(column: Mapped[str | None] | Mapped[str]) -> SelectOfScalar[ScanRow]:
    """Made once: building and hashing a statement costs more than SQLite needs to run it."""
    rows = select(ScanRow).where(column == bindparam("wanted"))
    ordered = rows.order_by(col(ScanRow.material_id), col(ScanRow.page), col(ScanRow.kept_at))
    return ordered.execution_options(populate_existing=True)


_OF_DRAFT = _in_order(col(ScanRow.draft_id))
_OF_APPLICATION = _in_order(col(ScanRow.application_id))
_WITH_STATUS = _in_order(col(ScanRow.status))
_SCANS = ScanRow.__table__  # type: ignore[attr-defined]
_HAND_OVER = (
    update(_SCANS)
    .where(_SCANS.c.draft_id == bindparam("draft"))
    .values(draft_id=None, application_id=bindparam("owner"), status=ScanStatus.OUTGOING.value)
)


def save(tx: Session, scan: KeptScan) -> None:
    """Keep a scan; one that is known is replaced, so a feed entry may come twice."""
    tx.merge(
        ScanRow(
            scan_hash=scan.scan_hash,
            status=scan.status.value,
            draft_id=scan.draft_id,
            application_id=scan.application_id,
            material_id=scan.material_id,
            page=scan.page,
            length=scan.length,
            media_type=scan.media_type,
            kept_at=scan.kept_at,
            content_key=scan.content_key,
            wrap=scan.wrap,
        )
    )
    tx.flush()


def find(tx: Session, scan_hash: str) -> KeptScan | None:
    row = tx.get(ScanRow, scan_hash, populate_existing=True)
    return None if row is None else _kept(row)


def load(tx: Session, scan_hash: str) -> KeptScan:
    """The scan, or Unknown."""
    scan = find(tx, scan_hash)
    if scan is None:
        raise Unknown("scan", scan_hash)
    return scan


def of_draft(tx: Session, draft_id: str) -> list[KeptScan]:
    return _kept_rows(tx, _OF_DRAFT, draft_id)


def of_application(tx: Session, application_id: str) -> list[KeptScan]:
    return _kept_rows(tx, _OF_APPLICATION, application_id)


def with_status(tx: Session, status: ScanStatus) -> list[KeptScan]:
    return _kept_rows(tx, _WITH_STATUS, status.value)


def hand_over(tx: Session, draft_id: str, application_id: str) -> None:
    """The scans of a draft become those of the application that it became, and are to be sent."""
    tx.flush()
    tx.connection().execute(_HAND_OVER, {"draft": draft_id, "owner": application_id})


def set_status(tx: Session, scan_hash: str, status: ScanStatus, content_key: bytes | None = None) -> None:
    """Note that bytes moved; with a content key when the wrap was opened."""
    row = tx.get(ScanRow, scan_hash)
    if row is None:
        raise Unknown("scan", scan_hash)
    row.status = status.value
    if content_key is not None:
        row.content_key = content_key
    tx.add(row)


def doubt_stored(tx: Session) -> list[KeptScan]:
    """The city was restored: what it held may be gone, so every stored scan is outgoing again."""
    tx.execute(
        update(ScanRow).where(col(ScanRow.status) == ScanStatus.STORED.value).values(status=ScanStatus.OUTGOING.value)
    )
    return with_status(tx, ScanStatus.OUTGOING)


def doubt(tx: Session, hashes: Collection[str]) -> list[KeptScan]:
    """The city lost these: those that were stored are outgoing again, and returned."""
    stored = [one for one in hashes if (scan := find(tx, one)) is not None and scan.status is ScanStatus.STORED]
    for one in stored:
        set_status(tx, one, ScanStatus.OUTGOING)
    return [load(tx, one) for one in stored]


def remove(tx: Session, hashes: Collection[str]) -> None:
    """Forget scans and their keys."""
    tx.execute(delete(ScanRow).where(col(ScanRow.scan_hash).in_(list(hashes))))


def hashes(tx: Session) -> set[str]:
    """Every scan the desk knows."""
    return set(tx.exec(select(ScanRow.scan_hash)).all())


class Known:
    """The scans that the desk knows, for the sweep of a full vault: 32 bytes each, asked by name.

    As a set of text they took 8 MiB for a moment at each start of a desk with 20,000 applications.
    """

    def __init__(self, sorted_names: bytes) -> None:
        self._names = sorted_names

    def __contains__(self, scan_hash: object) -> bool:
        try:
            wanted = bytes.fromhex(str(scan_hash))
        except ValueError:
            return True  # no scan at all: not this sweep's affair
        low, high = 0, len(self._names) // HASH_BYTES
        while low < high:
            middle = (low + high) // 2
            at = self._names[middle * HASH_BYTES : (middle + 1) * HASH_BYTES]
            if at == wanted:
                return True
            low, high = (middle + 1, high) if at < wanted else (low, middle)
        return False


def known(tx: Session) -> Known:
    """Every scan the desk knows, read in order from the index."""
    names = bytearray()
    for row in tx.connection().exec_driver_sql("SELECT scan_hash FROM scan ORDER BY scan_hash"):
        names += bytes.fromhex(row[0])
    return Known(bytes(names))


def has_damaged(tx: Session, application_id: str | None = None) -> bool:
    """Whether scans were lost on this disk before the city had them, of one application or of any."""
    lost = select(ScanRow.scan_hash).where(col(ScanRow.status) == ScanStatus.DAMAGED.value)
    if application_id is not None:
        lost = lost.where(col(ScanRow.application_id) == application_id)
    return tx.exec(lost.limit(1)).first() is not None


def forget_damaged(tx: Session, application_id: str, materials: Collection[str]) -> list[str]:
    """These materials were scanned again: their lost scans are no longer waited for; says which."""
    lost = [
        scan.scan_hash
        for scan in of_application(tx, application_id)
        if scan.status is ScanStatus.DAMAGED and scan.material_id in materials
    ]
    remove(tx, lost)
    return lost


def backlog(tx: Session) -> tuple[int, int]:
    """How many scans the city does not have yet, and their bytes."""
    size = func.coalesce(func.sum(ScanRow.length), 0)
    waiting = select(func.count(), size).where(col(ScanRow.status) == ScanStatus.OUTGOING.value)
    count, length = tx.execute(waiting).one()
    return count, length


def _kept_rows(tx: Session, statement: SelectOfScalar[ScanRow], wanted: str) -> list[KeptScan]:
    return [_kept(row) for row in tx.exec(statement, params={"wanted": wanted}).all()]


def _kept(row: ScanRow) -> KeptScan:
    return KeptScan(
        scan_hash=row.scan_hash,
        status=ScanStatus(row.status),
        material_id=row.material_id,
        page=row.page,
        length=row.length,
        media_type=row.media_type,
        kept_at=row.kept_at,
        draft_id=row.draft_id,
        application_id=row.application_id,
        content_key=row.content_key,
        wrap=row.wrap,
    )
