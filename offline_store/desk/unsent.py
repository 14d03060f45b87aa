"""Which applications have something that the city does not have, or did not accept.

Law: what only a person can move on comes first, then what was left longest.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_
from sqlmodel import Session, col, select

from offline_store.desk.applications import Standing
from offline_store.desk.scans import ScanStatus
from offline_store.desk.tables import ApplicationRow, ScanRow


@dataclass(frozen=True, slots=True)
class Unsent:
    """One page of application ids, and how many there are in all."""

    application_ids: tuple[str, ...]
    total: int


def page(tx: Session, *, site: str | None = None, offset: int = 0, limit: int = 20) -> Unsent:
    """The applications of a site (of all, when none is named) that wait."""
    outgoing = select(ScanRow.application_id).where(
        ScanRow.status == ScanStatus.OUTGOING.value, col(ScanRow.application_id).is_not(None)
    )
    waits: list[ColumnElement[bool]] = [
        or_(
            col(ApplicationRow.standing) != Standing.CONFIRMED.value,
            col(ApplicationRow.application_id).in_(outgoing),
        )
    ]
    if site is not None:
        waits.append(col(ApplicationRow.site) == site)
    refused_first = case((col(ApplicationRow.standing) == Standing.REFUSED.value, 0), else_=1)
    wanted = (
        select(ApplicationRow.application_id)
        .where(*waits)
        .order_by(refused_first, col(ApplicationRow.updated_at), col(ApplicationRow.number))
    )
    total = tx.execute(select(func.count()).select_from(ApplicationRow).where(*waits)).scalar_one()
    return Unsent(tuple(tx.exec(wanted.offset(offset).limit(limit)).all()), total)
