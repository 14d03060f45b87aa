"""The compression dictionary: 32 KiB of what the bodies of operations look like.

Laws:
- Built from the vocabulary of the forms (field names, options, the frame of an operation), never from applications.
- The most frequent comes last: zlib reaches back from the end, short distances cost least.
- The same forms give the same bytes. A dictionary, once published under a number, is published under it for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from casework.application import Actor, Applicant, HandedIn, Role, Scan, Seen
from casework.events import Collected
from casework.record import event_to_plain
from wire.canonical import canonical_json
from wire.messages import Operation, Times, body_of

Plain = dict[str, Any]

DICTIONARY_BYTES = 32 * 1024 - 262  # zlib's window less the look-ahead it cannot reach

_SITE = "511603106000"
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_ANY_ID = "0" * 32


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


def _frame(form_id: str, item_id: str, values: Plain) -> bytes:
    """What repeats in every operation, written by the code with which a node writes it."""
    collected = Collected(
        at=_ANY_TIME,
        by=Actor(Role.AGENT, "", "", _SITE),
        receipt_no=_SITE,
        item_id=item_id,
        form_id=form_id,
        catalog_version=1,
        site=_SITE,
        township=_SITE,
        applicant=Applicant(name="", id_type="111", id_no="", phone="", region=_SITE, address=""),
        form=values,
        handed_in=(HandedIn(f"{item_id}-M01", Seen.ORIGINAL_SEEN),),
        scans=(Scan("", 1, "image/webp", f"{item_id}-M01", 1),),
    )
    operation = Operation(
        op_id=_ANY_ID,
        application_id=_ANY_ID,
        events=[event_to_plain(collected)],
        clerk="",
        times=Times(wall=_ANY_TIME, monotonic=0.0, boot_id="", confidence="confirmed"),
        catalog_version=1,
    )
    return body_of(operation)


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
    parts.append("".join(f'"seen":"{seen.value}"' for seen in Seen).encode())
    if ordered:
        shared = {name: value for name, value in _sample_values(ordered[0]).items() if name in common}
        parts.append(_frame("F-GA-", "GA-", shared))
    return b"".join(parts)[-DICTIONARY_BYTES:]
