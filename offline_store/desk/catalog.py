"""The catalog as accepted here: its versions, their items, forms and documents, and which one is active.

Laws: a version is activated whole, index included, in the caller's transaction, or not at all; an older or equal
version never replaces the active one (a rollback is older content under a newer number); a version stays as long as a
draft or an open application refers to it; expiry is only shown, what was accepted stays usable. Compression
dictionaries stay for ever.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, update
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col, select

from casework.catalog import ServiceItem
from casework.forms import Form
from offline_store.desk import applications, drafts, item_search
from offline_store.desk.item_search import Domain, ItemLine, domains, search
from offline_store.desk.tables import CatalogBodyRow, CatalogEntryRow, CatalogVersionRow, DictionaryRow
from offline_store.errors import CatalogMissing, OlderCatalog, Unknown
from wire.canonical import canonical_json, read_json
from wire.envelope import Dictionary

__all__ = [
    "Activated",
    "Active",
    "Domain",
    "Edition",
    "ItemLine",
    "activate",
    "active",
    "confirm",
    "dictionaries",
    "document",
    "domains",
    "form",
    "form_plain",
    "item",
    "item_plain",
    "search",
    "versions",
]

ITEM: Final = "item"
FORM: Final = "form"
DOCUMENT: Final = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A verified release, ready to be activated; `accepted` is kept as it is for the next verification."""

    version: int
    released_at: datetime
    items: Sequence[Mapping[str, Any]]
    forms: Sequence[Mapping[str, Any]]
    documents: Mapping[str, Any] = field(default_factory=dict)
    dictionaries: Sequence[Dictionary] = ()
    expires_at: datetime | None = None
    accepted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Active:
    """The version in use."""

    version: int
    released_at: datetime
    activated_at: datetime
    confirmed_at: datetime
    expires_at: datetime | None
    accepted: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Activated:
    """What the activation changed, by item id; `removed_versions` were referred to by nothing any more."""

    version: int
    before: int | None
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    removed_versions: tuple[int, ...]


def active(tx: Session) -> Active | None:
    """The version in use, None on a node that never had one."""
    row = tx.exec(select(CatalogVersionRow).where(col(CatalogVersionRow.active) == True)).one_or_none()  # noqa: E712
    if row is None:
        return None
    accepted = read_json(row.accepted.encode(), "accepted")
    return Active(row.version, row.released_at, row.activated_at, row.confirmed_at, row.expires_at, accepted)


def activate(tx: Session, edition: Edition, at: datetime) -> Activated:
    """Put an edition into use, and forget what nothing refers to any more."""
    now = active(tx)
    if now is not None and edition.version <= now.version:
        raise OlderCatalog(active=now.version, offered=edition.version)
    before = {} if now is None else _digests(tx, now.version, ITEM)
    _insert(tx, edition, at)
    item_search.rebuild(tx, edition.items)
    after = _digests(tx, edition.version, ITEM)
    return Activated(
        version=edition.version,
        before=None if now is None else now.version,
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(ref for ref in after.keys() & before.keys() if after[ref] != before[ref])),
        removed=tuple(sorted(before.keys() - after.keys())),
        removed_versions=_prune(tx, keep={edition.version} | ({now.version} if now else set())),
    )


def confirm(
    tx: Session, version: int, *, at: datetime, expires_at: datetime | None, accepted: Mapping[str, Any]
) -> None:
    """The city said again that this is its catalog: younger metadata over the same content."""
    row = tx.get(CatalogVersionRow, version)
    if row is None or not row.active:
        raise CatalogMissing(version)
    row.confirmed_at = at
    row.expires_at = expires_at
    row.accepted = canonical_json(dict(accepted)).decode()
    tx.add(row)


def versions(tx: Session) -> list[int]:
    """Every version on the desk, the newest first."""
    return list(tx.exec(select(CatalogVersionRow.version).order_by(col(CatalogVersionRow.version).desc())).all())


def item(tx: Session, item_id: str, version: int | None = None) -> ServiceItem:
    """The service item, in the active version or the one named."""
    return ServiceItem.from_plain(item_plain(tx, item_id, version))


def item_plain(tx: Session, item_id: str, version: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = _body(tx, ITEM, item_id, version)
    return found


def form(tx: Session, form_id: str, version: int | None = None) -> Form:
    """The form, in the active version or the one named."""
    return Form.from_plain(form_plain(tx, form_id, version))


def form_plain(tx: Session, form_id: str, version: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = _body(tx, FORM, form_id, version)
    return found


def document(tx: Session, name: str, version: int | None = None) -> Any:  # noqa: ANN401 - it is JSON
    """Regions, calendar, notices, policies, codes, documents, faq, directory; as published."""
    return _body(tx, DOCUMENT, name, version)


def dictionaries(tx: Session) -> dict[int, Dictionary]:
    """Every compression dictionary this node ever accepted, by number."""
    return {row.number: Dictionary(row.number, row.content) for row in tx.exec(select(DictionaryRow)).all()}


def _insert(tx: Session, edition: Edition, at: datetime) -> None:
    tx.execute(update(CatalogVersionRow).values(active=False))
    tx.add(
        CatalogVersionRow(
            version=edition.version,
            active=True,
            released_at=edition.released_at,
            activated_at=at,
            confirmed_at=at,
            expires_at=edition.expires_at,
            accepted=canonical_json(dict(edition.accepted)).decode(),
        )
    )
    tx.flush()
    entries, bodies = [], {}
    for kind, ref, content in _contents(edition):
        body = canonical_json(content)
        digest = hashlib.sha256(body).digest()
        bodies[digest] = body.decode()
        entries.append({"version": edition.version, "kind": kind, "ref": ref, "digest": digest})
    if entries:
        new = [{"digest": digest, "body": body} for digest, body in bodies.items()]
        tx.execute(insert(CatalogBodyRow).on_conflict_do_nothing(), new)
        tx.execute(insert(CatalogEntryRow), entries)
    for one in edition.dictionaries:
        tx.execute(insert(DictionaryRow).values(number=one.number, content=one.data).on_conflict_do_nothing())


def _contents(edition: Edition) -> Iterator[tuple[str, str, Any]]:
    yield from ((ITEM, one["item_id"], dict(one)) for one in edition.items)
    yield from ((FORM, one["form_id"], dict(one)) for one in edition.forms)
    yield from ((DOCUMENT, name, content) for name, content in edition.documents.items())


def _digests(tx: Session, version: int, kind: str) -> dict[str, bytes]:
    of_kind = select(CatalogEntryRow.ref, CatalogEntryRow.digest).where(
        CatalogEntryRow.version == version, CatalogEntryRow.kind == kind
    )
    return dict(tx.exec(of_kind).all())


def _prune(tx: Session, keep: Iterable[int]) -> tuple[int, ...]:
    kept = set(keep) | drafts.catalog_versions(tx) | applications.open_catalog_versions(tx)
    gone = tuple(version for version in versions(tx) if version not in kept)
    if gone:
        tx.execute(delete(CatalogEntryRow).where(col(CatalogEntryRow.version).in_(gone)))
        tx.execute(delete(CatalogVersionRow).where(col(CatalogVersionRow.version).in_(gone)))
        still = select(CatalogEntryRow.digest)
        tx.execute(delete(CatalogBodyRow).where(col(CatalogBodyRow.digest).not_in(still)))
    return gone


def _body(tx: Session, kind: str, ref: str, version: int | None) -> Any:  # noqa: ANN401 - it is JSON
    if version is None:
        now = active(tx)
        if now is None:
            raise CatalogMissing(None)
        version = now.version
    found = tx.exec(
        select(CatalogBodyRow.body)
        .join(CatalogEntryRow, col(CatalogEntryRow.digest) == col(CatalogBodyRow.digest))
        .where(CatalogEntryRow.version == version, CatalogEntryRow.kind == kind, CatalogEntryRow.ref == ref)
    ).one_or_none()
    if found is None:
        if tx.get(CatalogVersionRow, version) is None:
            raise CatalogMissing(version)
        raise Unknown(kind, ref)
    return read_json(found.encode(), kind)
