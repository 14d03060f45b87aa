"""What a newer catalog changes for a draft, and how much of what was typed carries over.

A draft stays pinned to the version it was begun on and can be collected under it; carrying over is only offered.
A value carries over where its field is still there, is of the same type, and would still be accepted as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.catalog import ServiceItem
from casework.forms import Form, check_field, is_blank


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of what differs between two versions of an item and its form."""

    fields_added: tuple[str, ...] = ()
    fields_removed: tuple[str, ...] = ()
    fields_changed: tuple[str, ...] = ()
    materials_added: tuple[str, ...] = ()
    materials_removed: tuple[str, ...] = ()
    materials_changed: tuple[str, ...] = ()
    guide_changed: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


def changes(old_item: ServiceItem, old_form: Form, new_item: ServiceItem, new_form: Form) -> Changes:
    """Compare the versions a draft stands between; falsy where nothing concerns it."""
    fields = _compared(old_form.by_id, new_form.by_id)
    materials = _compared(
        {one.material_id: one for one in old_item.materials}, {one.material_id: one for one in new_item.materials}
    )
    return Changes(*fields, *materials, guide_changed=_guide(old_item) != _guide(new_item))


def carry_over(values: Mapping[str, Any], old_form: Form, new_form: Form) -> dict[str, Any]:
    """Keep the values that still mean the same under the newer form."""
    kept: dict[str, Any] = {}
    for name, one in new_form.by_id.items():
        before = old_form.by_id.get(name)
        if name not in values or before is None or before.type != one.type:
            continue
        value = values[name]
        unchanged = before == one or is_blank(value)
        if unchanged or check_field(new_form, name, value, {**values, **kept}) is None:
            kept[name] = value
    return kept


def _compared(
    old: Mapping[str, object], new: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    added = tuple(name for name in new if name not in old)
    removed = tuple(name for name in old if name not in new)
    changed = tuple(name for name in new if name in old and old[name] != new[name])
    return added, removed, changed


def _guide(item: ServiceItem) -> tuple[object, ...]:
    return (
        item.service_mode,
        item.agent_policy,
        item.conditions,
        item.statutory_limit,
        item.promised_limit,
        item.special_procedures,
        item.raw.get("fee"),
    )
