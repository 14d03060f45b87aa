"""Drafts of a dead machine, laid open for the agent who types them again: a text for each, and its scans as files.

Laws: written only where a person asked for it, readable for that person's account alone; a folder has the draft's
number and item for a name, never a person's; what the catalog has no label for is shown by its id and not left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from casework.form_fields import Field
from casework.forms import Form
from casework.working_days import CITY_TIME
from offline_store.desk import catalog, clerks
from offline_store.desk.database import Desk, Transaction
from offline_store.desk.drafts import Draft
from offline_store.desk.scans import KeptScan
from offline_store.errors import StoreError
from offline_store.placing import disk_says, place
from offline_store.vault.scans import Vault
from provisioning.rescue import OpenedDraft
from provisioning.wording import of, words
from wire.canonical import canonical_json
from wire.errors import WireError
from wire.scan import open_scan

TEXT: Final = "draft.txt"
PRIVATE, MODE = 0o700, 0o600
ENDINGS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}


def lay_open(desk: Desk, vault: Vault, opened: list[OpenedDraft], to: Path) -> int:
    """Write every draft into a folder of its own; says how many scans could not be opened."""
    lost = 0
    with desk.reading() as tx:
        for number, one in enumerate(opened, start=1):
            folder = to / f"{number:02d}-{one.draft.item_id}"
            with disk_says():
                to.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
                folder.mkdir(mode=PRIVATE, exist_ok=True)
            lines = list(_told(tx, one.draft))
            for scan in one.scans:
                name = f"{scan.material_id}-{scan.page}-{scan.scan_hash[:8]}{ENDINGS.get(scan.media_type, '.bin')}"
                if _written(vault, scan, folder / name):
                    material = _material_name(tx, one.draft, scan.material_id)
                    lines.append(words("rescue.draft.scan", material=material, page=scan.page, name=name))
                else:
                    lost += 1
                    material = _material_name(tx, one.draft, scan.material_id)
                    lines.append(words("rescue.draft.scan_lost", material=material, page=scan.page))
            place(folder / TEXT, ("\n".join(lines) + "\n").encode(), mode=MODE)
    return lost


def _told(tx: Transaction, draft: Draft) -> Iterator[str]:
    form = _form(tx, draft)
    yield words("rescue.draft.item", item=_item_name(tx, draft), item_id=draft.item_id, version=draft.catalog_version)
    yield words("rescue.draft.clerk", clerk=_clerk_name(tx, draft.clerk_id), clerk_id=draft.clerk_id)
    yield words("rescue.draft.touched", at=f"{draft.updated_at.astimezone(CITY_TIME):%Y-%m-%d %H:%M}")
    if draft.application_id is not None:
        yield words("rescue.draft.supplement", application_id=draft.application_id)
    in_order = list(form.by_id) if form else []
    for name in [*(one for one in in_order if one in draft.values), *(set(draft.values) - set(in_order))]:
        field = form.by_id.get(name) if form else None
        value = _answered(draft.values[name], field)
        yield words("rescue.draft.line", label=field.label if field else name, value=value)
    for material_id, seen in sorted(draft.handed_in.items()):
        yield words("rescue.draft.material", material=_material_name(tx, draft, material_id), seen=_seen(seen))
    for point, answer in sorted(draft.answers.items()):
        yield words("rescue.draft.answer", point=point, answer=answer)


def _written(vault: Vault, scan: KeptScan, path: Path) -> bool:
    """Whether the scan is there whole; what is not whole is not written."""
    if scan.content_key is None:
        return False
    try:
        plain = b"".join(open_scan(vault.chunks(scan.scan_hash), scan.content_key, scan.length))
    except (StoreError, WireError):
        return False
    place(path, plain, mode=MODE)
    return True


def _form(tx: Transaction, draft: Draft) -> Form | None:
    try:
        return catalog.form(tx, draft.form_id, draft.catalog_version)
    except StoreError:
        return None


def _item_name(tx: Transaction, draft: Draft) -> str:
    try:
        return catalog.item(tx, draft.item_id, draft.catalog_version).name
    except StoreError:
        return draft.item_id


def _clerk_name(tx: Transaction, clerk_id: str) -> str:
    try:
        return clerks.load(tx, clerk_id).name
    except StoreError:
        return clerk_id


def _material_name(tx: Transaction, draft: Draft, material_id: str) -> str:
    """What the guide calls the material; its id where the catalog of the draft is gone or the form asks for it."""
    try:
        material = catalog.item(tx, draft.item_id, draft.catalog_version).material(material_id)
    except StoreError:
        material = None
    return material.name if material else material_id


def _seen(seen: Mapping[str, Any]) -> str:
    said = {name: value for name, value in seen.items() if value not in (None, "", False, [])}
    how = of("seen", str(said.pop("seen", "")))
    return " ".join(([how] if how else []) + ([_shown(said)] if said else []))


def _answered(value: object, field: Field | None) -> str:
    """An answer as the form shows it: the label of a choice, and not what is stored for it."""
    if isinstance(value, bool):
        return words("rescue.yes") if value else words("rescue.no")
    if isinstance(value, list):
        return words("rescue.and").join(_answered(one, field) for one in value)
    if isinstance(value, Mapping) and field and field.columns:
        columns = {column.id: column for column in field.columns}
        cells = ((columns.get(name), name, cell) for name, cell in value.items())
        told = (
            words("rescue.draft.line", label=one.label if one else name, value=_answered(cell, one))
            for one, name, cell in cells
        )
        return words("rescue.row", cells=" ".join(told))
    return dict(field.options).get(str(value), _shown(value)) if field else _shown(value)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else canonical_json(value).decode()
