"""One application laid open: what was filled in, what was handed in, which sheets have arrived.

Laws
- Labels, options and columns come from the form the application was filed under, never from a newer one.
- A value that the form has no place for is shown at the end, not dropped.
- A sheet that has not arrived is listed as being on its way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casework.catalog import ServiceItem
from casework.forms import Field, Form, is_blank, visible
from casework.materials import Need, needed
from edge_node.wording import sentence
from wire.counter import ApplicationDetail, HandedInView, ScanView

PDF: Final = "application/pdf"
SEEN_TONES: Final[Mapping[str, str]] = {"to_be_verified": "warn", "deferred": "warn", "none": "bad"}

NOT_RECORDED: Final = "none"
MAY_BE_ABSENT: Final = frozenset({"conditional", "optional"})

RegionName = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class TableOf:
    """A table that was filled in."""

    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """One field and what was filled in."""

    field_id: str
    label: str
    text: str
    table: TableOf | None = None


@dataclass(frozen=True, slots=True)
class FilledSection:
    """One section of the form."""

    title: str
    rows: tuple[Filled, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One scanned page."""

    scan_hash: str
    material_id: str
    material_name: str
    words: str
    page: int
    arrived: bool
    media_type: str

    @property
    def is_pdf(self) -> bool:
        """Whether the browser's own reader must show it."""
        return self.media_type == PDF


@dataclass(frozen=True, slots=True)
class HandedRow:
    """One material of the guide and how it was handed in."""

    name: str
    necessity_words: str
    seen_words: str
    seen_tone: str
    hint: str
    note: str
    sheets: tuple[Sheet, ...]


def sections(form: Form, values: Mapping[str, Any], region_name: RegionName) -> tuple[FilledSection, ...]:
    """The form as it was filled in; hidden fields without a value are left out."""
    shown = visible(form, values)
    found = []
    for section in form.sections:
        rows = tuple(
            _filled(one, values.get(one.id), region_name)
            for one in section.fields
            if one.type != "file" and (one.id in shown or not is_blank(values.get(one.id)))
        )
        if rows:
            found.append(FilledSection(section.title, rows))
    strange = tuple(Filled(name, name, _plain(value)) for name, value in values.items() if name not in form.by_id)
    if strange:
        found.append(FilledSection(sentence("page.detail.elsewhere"), strange))
    return tuple(found)


def _filled(one: Field, value: object, region_name: RegionName) -> Filled:
    if one.type == "table" and isinstance(value, Sequence) and not isinstance(value, str) and value:
        lines = tuple(
            tuple(shown_value(column, row.get(column.id), region_name) for column in one.columns)
            for row in value
            if isinstance(row, Mapping)
        )
        return Filled(one.id, one.label, "", TableOf(tuple(column.label for column in one.columns), lines))
    return Filled(one.id, one.label, shown_value(one, value, region_name))


def shown_value(one: Field, value: object, region_name: RegionName) -> str:
    """One value in words; empty when nothing was filled in."""
    if is_blank(value):
        return ""
    if isinstance(value, bool):
        pair = ("page.value.consented", "page.value.not_consented")
        return sentence((pair if one.type == "consent" else ("page.value.yes", "page.value.no"))[not value])
    options = {str(key): label for key, label in one.options}
    if isinstance(value, list | tuple):
        return "、".join(options.get(str(part), _plain(part)) for part in value)
    if one.type == "region":
        return region_name(str(value)) or sentence("page.region.unlisted", {"code": value})
    return options.get(str(value), _plain(value))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def sheets(detail: ApplicationDetail, names: Mapping[str, str]) -> tuple[Sheet, ...]:
    """Every scanned page, in the order of materials and pages; numbered as they lie there, from 1 in each material."""
    order = {material_id: place for place, material_id in enumerate(names)}
    known = sorted(detail.scans, key=lambda scan: (order.get(scan.material_id, len(order)), scan.page))
    counted: Counter[str] = Counter()
    found = []
    for scan in known:
        counted[scan.material_id] += 1
        found.append(_sheet(scan, counted[scan.material_id], names))
    return tuple(found)


def _sheet(scan: ScanView, page: int, names: Mapping[str, str]) -> Sheet:
    key = "page.scan.sheet_pdf" if scan.media_type == PDF else "page.scan.sheet"
    return Sheet(
        scan_hash=scan.scan_hash,
        material_id=scan.material_id,
        material_name=names.get(scan.material_id, scan.material_id),
        words=sentence(key, {"page": page}),
        page=page,
        arrived=scan.arrived,
        media_type=scan.media_type,
    )


def material_names(item: ServiceItem, form: Form, values: Mapping[str, Any]) -> dict[str, str]:
    """The materials of this application by id, in the order of the guide."""
    return {need.material_id: need.name for need in needed(item, values, form)}


def materials(
    item: ServiceItem, form: Form, detail: ApplicationDetail, found: Sequence[Sheet]
) -> tuple[HandedRow, ...]:
    """Every material of the guide, then what was handed in beside it."""
    handed = {one.material_id: one for one in detail.handed_in}
    needs = needed(item, detail.form, form)
    known = {need.material_id for need in needs}
    extra = [
        Need(material_id, material_id, "optional")
        for material_id in dict.fromkeys([*handed, *(sheet.material_id for sheet in found)])
        if material_id not in known
    ]
    return tuple(
        _handed_row(
            need, handed.get(need.material_id), tuple(one for one in found if one.material_id == need.material_id)
        )
        for need in [*needs, *extra]
    )


def _handed_row(need: Need, handed: HandedInView | None, own: tuple[Sheet, ...]) -> HandedRow:
    seen = "none" if handed is None else "not_applicable" if handed.applies is False else handed.seen or "none"
    return HandedRow(
        name=need.name,
        necessity_words=sentence(f"page.necessity.{need.kind}"),
        seen_words=sentence(f"page.seen.{seen}"),
        seen_tone="" if seen == NOT_RECORDED and need.kind in MAY_BE_ABSENT else SEEN_TONES.get(seen, ""),
        hint=sentence("page.material.condition", {"condition": need.condition}) if need.condition else "",
        note=handed.note if handed else "",
        sheets=own,
    )


def scan_words(detail: ApplicationDetail) -> str:
    """How many sheets have arrived, honestly."""
    total, arrived = len(detail.scans), sum(scan.arrived for scan in detail.scans)
    if not total:
        return sentence("page.scans.none")
    return sentence("page.scans.all" if arrived == total else "page.scans.some", {"arrived": arrived, "total": total})
