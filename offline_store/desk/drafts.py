"""What clerks have typed and not yet collected.

Laws: a draft lives on this node only and is kept as typed, valid or not; it is pinned to the catalog version it was
begun on, which stays on the desk as long as the draft does; removing it removes the rows of its scans, and the caller
removes their files after the commit.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, func
from sqlmodel import Session, col, select

from offline_store.desk.pages import Page
from offline_store.desk.tables import DraftRow, ScanRow
from offline_store.errors import Unknown
from wire.canonical import canonical_json, read_json

# Statements of the save are made once: building and hashing one costs more than SQLite needs to run it.
_DRAFTS, _SCANS = DraftRow.__table__, ScanRow.__table__  # type: ignore[attr-defined]
_BY_ID = select(DraftRow).where(DraftRow.draft_id == bindparam("draft")).execution_options(populate_existing=True)
_REMOVE = delete(_DRAFTS).where(_DRAFTS.c.draft_id == bindparam("draft"))
_REMOVE_SCANS = delete(_SCANS).where(_SCANS.c.draft_id == bindparam("draft")).returning(_SCANS.c.scan_hash)


class DraftKind(StrEnum):
    """What the draft will become."""

    COLLECT = "collect"
    SUPPLEMENT = "supplement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Values by field id, materials by material id, answers by the `ref` of a return point; all as typed."""

    draft_id: str
    kind: DraftKind
    item_id: str
    form_id: str
    catalog_version: int
    clerk_id: str
    created_at: datetime
    updated_at: datetime
    application_id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    handed_in: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


def save(tx: Session, draft: Draft) -> None:
    """Keep the draft; what was typed before under its id is replaced."""
    body = {"values": dict(draft.values), "handed_in": dict(draft.handed_in), "answers": dict(draft.answers)}
    tx.merge(
        DraftRow(
            draft_id=draft.draft_id,
            kind=draft.kind.value,
            item_id=draft.item_id,
            form_id=draft.form_id,
            catalog_version=draft.catalog_version,
            application_id=draft.application_id,
            clerk_id=draft.clerk_id,
            created_at=draft.created_at,
            updated_at=draft.updated_at,
            body=canonical_json(body).decode(),
        )
    )
    tx.flush()


def find(tx: Session, draft_id: str) -> Draft | None:
    row = tx.exec(_BY_ID, params={"draft": draft_id}).one_or_none()
    return None if row is None else _draft(row)


def load(tx: Session, draft_id: str) -> Draft:
    """The draft, or Unknown."""
    draft = find(tx, draft_id)
    if draft is None:
        raise Unknown("draft", draft_id)
    return draft


def of_application(tx: Session, application_id: str) -> Draft | None:
    """The supplement that was begun for an application, so that it is not begun twice."""
    row = tx.exec(select(DraftRow).where(DraftRow.application_id == application_id).limit(1)).one_or_none()
    return None if row is None else _draft(row)


def page(
    tx: Session, *, clerk_id: str | None = None, left_by: Collection[str] = (), offset: int = 0, limit: int = 20
) -> Page[Draft]:
    """Drafts, the last touched first: of everybody, or of one clerk and of those who left theirs."""
    mine = [] if clerk_id is None else [col(DraftRow.clerk_id).in_([clerk_id, *left_by])]
    total = tx.execute(select(func.count()).select_from(DraftRow).where(*mine)).scalar_one()
    newest = select(DraftRow).where(*mine).order_by(col(DraftRow.updated_at).desc(), col(DraftRow.draft_id))
    rows = tx.exec(newest.offset(offset).limit(limit)).all()
    return Page(tuple(_draft(row) for row in rows), total, offset)


def remove(tx: Session, draft_id: str) -> list[str]:
    """Forget the draft and the scans that still belong to it; their hashes are returned."""
    tx.flush()
    connection = tx.connection()
    hashes = list(connection.execute(_REMOVE_SCANS, {"draft": draft_id}).scalars())
    connection.execute(_REMOVE, {"draft": draft_id})
    return hashes


def catalog_versions(tx: Session) -> set[int]:
    """Catalog versions that drafts are pinned to."""
    return set(tx.exec(select(DraftRow.catalog_version).distinct()).all())


def _draft(row: DraftRow) -> Draft:
    body = read_json(row.body.encode(), "draft")
    return Draft(
        draft_id=row.draft_id,
        kind=DraftKind(row.kind),
        item_id=row.item_id,
        form_id=row.form_id,
        catalog_version=row.catalog_version,
        application_id=row.application_id,
        clerk_id=row.clerk_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        values=body["values"],
        handed_in=body["handed_in"],
        answers=body["answers"],
    )
