"""What changed between two releases of the catalog, so that an update costs a node only what really changed.

A file of the catalog that is a list of entries (`items/…`, `forms/…`) is told as the entries that are new, gone or
changed, and a changed entry as those of its fields that are. The list stands under the one key of the file that holds
a list; an entry is known by its `item_id` or `form_id`.

Laws:
- Changes have no authority: what is made with them is taken only if it has the signed length and hash of the release,
  and otherwise the whole file is fetched. So a wrong, old or hostile list of changes can cost bytes and nothing else.
- `changed(before, told(before, after))` is `after`, byte by byte, where both are canonical.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wire.canonical import canonical_json, read_json
from wire.errors import MalformedMessage

__all__ = ["CHANGES_FOLDER", "SCHEMA", "changed", "changes_path", "told"]

CHANGES_FOLDER: Final = "changes/"
SCHEMA: Final = "guangan.catalog-changes/1"
IDS: Final = ("item_id", "form_id")
MESSAGE: Final = "catalog changes"
Plain = dict[str, Any]


def changes_path(before: int, after: int) -> str:
    """The target that tells what release `after` changed in release `before`.

    >>> changes_path(4, 5)
    'changes/4-5.json'
    """
    return f"{CHANGES_FOLDER}{before}-{after}.json"


def told(before: bytes, after: bytes) -> Plain | None:
    """The changes of one file, or None where it has to be fetched whole.

    >>> old = b'{"domain":"d","items":[{"item_id":"A","fee":null,"name":"a"},{"item_id":"B"}]}'
    >>> new = b'{"domain":"d","items":[{"item_id":"A","fee":5},{"item_id":"C"}]}'
    >>> told(old, new)
    {'gone': ['B'], 'set': {'A': {'fee': 5}}, 'dropped': {'A': ['name']}, 'new': [{'item_id': 'C'}]}
    """
    one, other = _listed(before), _listed(after)
    if one is None or other is None or one[0] != other[0] or one[1] != other[1]:
        return None
    old, new = _by_id(one[2]), _by_id(other[2])
    if (
        old is None
        or new is None
        or [*filter(new.__contains__, old), *(key for key in new if key not in old)] != [*new]
    ):
        return None  # put into another order
    kept = {key: (old[key], new[key]) for key in new if key in old and old[key] != new[key]}
    fields = {
        key: {name: value for name, value in is_.items() if name not in was or was[name] != value}
        for key, (was, is_) in kept.items()
    }
    dropped = {key: sorted(was.keys() - is_.keys()) for key, (was, is_) in kept.items()}
    found = {
        "gone": [key for key in old if key not in new],
        "set": {key: values for key, values in fields.items() if values},
        "dropped": {key: names for key, names in dropped.items() if names},
        "new": [new[key] for key in new if key not in old],
    }
    return {name: value for name, value in found.items() if value}


def changed(before: bytes, changes: Mapping[str, Any]) -> bytes:
    """The file after these changes; MalformedMessage where they do not fit it.

    >>> changed(b'{"items":[{"item_id":"A","name":"a"}]}', {"set": {"A": {"name": "b"}}})
    b'{"items":[{"item_id":"A","name":"b"}]}'
    """
    found = _listed(before)
    entries = None if found is None else _by_id(found[2])
    if found is None or entries is None:
        raise MalformedMessage(MESSAGE)
    key, rest, _ = found
    try:
        for gone in changes.get("gone", ()):
            del entries[gone]
        for name, fields in changes.get("set", {}).items():
            entries[name] = entries[name] | fields
        for name, fields in changes.get("dropped", {}).items():
            entries[name] = {field: value for field, value in entries[name].items() if field not in fields}
        return canonical_json(rest | {key: [*entries.values(), *changes.get("new", ())]})
    except (KeyError, TypeError, AttributeError):
        raise MalformedMessage(MESSAGE) from None


def _listed(data: bytes) -> tuple[str, Plain, list[Any]] | None:
    """The key of the file's one list, everything else in the file, and the list."""
    plain = read_json(data, MESSAGE)
    lists = [key for key, value in plain.items() if isinstance(value, list)] if isinstance(plain, dict) else []
    if len(lists) != 1:
        return None
    return lists[0], {key: value for key, value in plain.items() if key != lists[0]}, plain[lists[0]]


def _by_id(entries: list[Any]) -> dict[str, Plain] | None:
    found: dict[str, Plain] = {}
    for entry in entries:
        known = next((entry[name] for name in IDS if name in entry), None) if isinstance(entry, dict) else None
        if not isinstance(known, str) or known in found:
            return None
        found[known] = entry
    return found
