"""The compression dictionary: 32 KiB of what the bodies of operations look like.

Laws:
- Built from the vocabulary of the forms (field names, options, the frame of an operation), never from applications.
- The most frequent comes last: zlib reaches back from the end, short distances cost least.
- The same forms give the same bytes. A dictionary, once published under a number, is published under it for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from wire.canonical import canonical_json

Plain = dict[str, Any]

DICTIONARY_BYTES = 32 * 1024 - 262  # zlib's window less the look-ahead it cannot reach

_HANDED_IN = ("original_seen", "copy", "electronic_licence", "to_be_verified", "deferred")


def _fields(form: Plain) -> Iterator[Plain]:
    for section in form["sections"]:
        for field in section["fields"]:
            yield field
            yield from field.get("columns") or ()


def _sample_values(form: Plain) -> Plain:
    values: Plain = {}
    for section in form["sections"]:
        for field in section["fields"]:
            options = field.get("options") or [[""]]
            match field["type"]:
                case "boolean" | "consent":
                    values[field["id"]] = True
                case "table":
                    values[field["id"]] = [{column["id"]: "" for column in field["columns"]}]
                case "multiselect":
                    values[field["id"]] = [options[0][0]]
                case "date":
                    values[field["id"]] = "2026-"
                case "region":
                    values[field["id"]] = "511603106"
                case _:
                    values[field["id"]] = options[0][0]
    return values


def _frame(form_id: str, item_id: str, values: Plain) -> Plain:
    """An operation's body with the parts that repeat in every one of them."""
    actor = {"clerk_id": "", "node_id": "", "region": "511603106", "role": "agent"}
    scan = {"length": 1, "material_id": f"{item_id}-M01", "media_type": "image/webp", "page": 1, "scan_hash": ""}
    handed_in = {"applies": None, "copies": 0, "material_id": f"{item_id}-M01", "note": "", "seen": "original_seen"}
    event = {
        "applicant": {
            "address": "",
            "id_no": "",
            "id_type": "111",
            "name": "",
            "phone": "",
            "region": "511603106",
        },
        "at": "2026-",
        "by": actor,
        "catalog_version": 1,
        "code": "collected",
        "form": values,
        "form_id": form_id,
        "handed_in": [handed_in],
        "item_id": item_id,
        "receipt_no": "511603106",
        "scans": [scan],
        "site": "511603106",
        "township": "511603106000",
    }
    times = {"boot_id": "", "confidence": "confirmed", "monotonic": 0, "wall": "2026-"}
    return {
        "application_id": "",
        "audit": None,
        "basis": 0,
        "catalog_version": 1,
        "clerk": "",
        "events": [event],
        "op_id": "",
        "times": times,
        "v": 1,
    }


def build_dictionary(forms: Iterable[Plain]) -> bytes:
    """Rare words first, then each form's own frame, then what all of them share."""
    ordered = sorted(forms, key=lambda form: str(form["form_id"]))
    counted = Counter(field["id"] for form in ordered for field in _fields(form))
    options = Counter(option[0] for form in ordered for field in _fields(form) for option in field.get("options") or ())
    rare_first = sorted(counted.items(), key=lambda pair: (pair[1], pair[0]))
    words = [f'"{name}":"' for name, _ in rare_first]
    words += [f'":"{value}","' for value, _ in sorted(options.items(), key=lambda pair: (pair[1], pair[0]))]
    parts = ["".join(words).encode()]
    common = {name for name, count in counted.items() if count * 2 > len(ordered)}
    for form in ordered:
        own = {name: value for name, value in _sample_values(form).items() if name not in common}
        parts.append(canonical_json({"form": own, "form_id": form["form_id"], "item_id": form["item_id"]}))
    parts.append("".join(f'"seen":"{seen}"' for seen in _HANDED_IN).encode())
    if ordered:
        shared = {name: value for name, value in _sample_values(ordered[0]).items() if name in common}
        parts.append(canonical_json(_frame("F-GA-", "GA-", shared)))
    return b"".join(parts)[-DICTIONARY_BYTES:]
