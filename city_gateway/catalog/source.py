"""Reading the source folder of a catalog and finding everything wrong in it at once.

Laws:
- A release is only built from a source without problems; each problem names its place, so that it can be mended.
- `null` means unknown and is left as it is; nothing is guessed, defaulted or dropped here.
- Items, forms and notices must load through `casework`, the same code that the nodes will read them with.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.catalog import PROXY_MODES, ServiceItem
from casework.forms import Form
from casework.time_limits import Calendar
from city_gateway.catalog.errors import Problem, SourceRefused
from city_gateway.catalog.key_files import COUNTIES
from city_gateway.catalog.notice_rules import notice_problems

Plain = dict[str, Any]

# source file -> the key under which its list lies (None: the whole file is one thing)
LISTS: Mapping[str, str | None] = {
    "items": "items",
    "forms": "forms",
    "regions": "regions",
    "notices": "notices",
    "policies": "policies",
    "documents": "documents",
    "general_faq": "faq",
    "sources": "sources",
    "calendar": None,
    "codes": None,
}
_IDS = {
    "items": "item_id",
    "forms": "form_id",
    "regions": "code",
    "notices": "notice_id",
    "policies": "policy_id",
    "documents": "doc_id",
    "general_faq": "faq_id",
    "sources": "source_id",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The JSON files of a source folder, as they are, and the files that each county adds."""

    files: Mapping[str, Plain]
    counties: Mapping[str, Mapping[str, bytes]]

    def listed(self, name: str) -> list[Plain]:
        """The entries of one file."""
        key = LISTS[name]
        if key is None:
            raise KeyError(name)
        entries: list[Plain] = self.files[name][key]
        return entries


def read_source(folder: Path) -> Source:
    """Read every file of the source; a missing or unreadable one is a problem like any other."""
    files: dict[str, Plain] = {}
    problems: list[Problem] = []
    for name, key in LISTS.items():
        try:
            plain = json.loads((folder / f"{name}.json").read_text("utf-8"))
        except FileNotFoundError:
            problems.append(Problem("catalog.file_missing", f"{name}.json"))
            continue
        except (UnicodeDecodeError, json.JSONDecodeError) as wrong:
            problems.append(Problem("catalog.not_json", f"{name}.json", str(wrong)))
            continue
        if not isinstance(plain, dict) or (key is not None and not isinstance(plain.get(key), list)):
            problems.append(Problem("catalog.wrong_shape", f"{name}.json", key or ""))
            continue
        files[name] = plain
    if problems:
        raise SourceRefused(tuple(problems))
    counties = {
        county: {f"county/{county}/{path.name}": path.read_bytes() for path in sorted(inside.glob("*.json"))}
        for county in COUNTIES
        if (inside := folder / "county" / county).is_dir()
    }
    return Source(files, counties)


def check_source(source: Source) -> None:
    """Raise SourceRefused with every problem found."""
    problems = [*_unique(source), *_loading(source), *_references(source), *_forms(source), *_counties(source)]
    problems += notice_problems(source.listed("notices"))
    if problems:
        raise SourceRefused(tuple(problems))


def _unique(source: Source) -> Iterator[Problem]:
    for name, id_key in _IDS.items():
        ids = [str(entry.get(id_key)) for entry in source.listed(name)]
        for twice in (value for value, count in Counter(ids).items() if count > 1):
            yield Problem("catalog.id_twice", f"{name}.json", twice)
        if "None" in ids:
            yield Problem("catalog.id_missing", f"{name}.json", id_key)
    materials = Counter(
        material.get("material_id") for item in source.listed("items") for material in item.get("materials") or ()
    )
    for twice in (str(value) for value, count in materials.items() if count > 1):
        yield Problem("catalog.id_twice", "items.json", twice)


def _loading(source: Source) -> Iterator[Problem]:
    """Whatever casework cannot read, the counter could not show."""
    loaders: tuple[tuple[str, Any], ...] = (("items", ServiceItem.from_plain), ("forms", Form.from_plain))
    for name, load in loaders:
        for entry in source.listed(name):
            try:
                load(entry)
            except Exception as wrong:  # noqa: BLE001 - any failure to load is the publisher's to see, with its place
                yield Problem("catalog.does_not_load", f"{name}.json {entry.get(_IDS[name])}", repr(wrong))
    try:
        Calendar.from_plain(source.files["calendar"])
    except Exception as wrong:  # noqa: BLE001 - as above
        yield Problem("catalog.does_not_load", "calendar.json", repr(wrong))


def _cited(plain: object) -> Iterator[str]:
    """Every source id that is cited anywhere inside."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            if key in {"source", "sources"}:
                yield from (one for one in ([value] if isinstance(value, str) else value or ()) if one != "derived")
            else:
                yield from _cited(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from _cited(value)


def _unknown(where: str, used: Iterable[object], known: set[Any]) -> Iterator[Problem]:
    for reference in sorted({str(value) for value in used if value not in known}):
        yield Problem("catalog.reference_unknown", where, reference)


def _references(source: Source) -> Iterator[Problem]:
    known = {name: {entry.get(id_key) for entry in source.listed(name)} for name, id_key in _IDS.items()}
    for name in LISTS:
        if name != "sources":
            yield from _unknown(
                f"{name}.json", _cited(source.files[name].get(LISTS[name] or "years")), known["sources"]
            )
    form_of = {form.get("form_id"): form.get("item_id") for form in source.listed("forms")}
    for item in source.listed("items"):
        where = f"items.json {item.get('item_id')}"
        yield from _unknown(where, [item.get("form_id")], known["forms"])
        if form_of.get(item.get("form_id"), item.get("item_id")) != item.get("item_id"):
            yield Problem("catalog.form_of_another_item", where, str(item.get("form_id")))
        mode = (item.get("agent_policy") or {}).get("mode")
        if mode is not None and mode not in PROXY_MODES:  # a node would take a mistyped mode for "unknown"
            yield Problem("catalog.mode_unknown", where, str(mode))
        if not str(item.get("domain") or "").strip():
            yield Problem("catalog.domain_missing", where)
        region = (item.get("codes") or {}).get("region")
        if region is not None:
            yield from _unknown(where, [f"{region:0<12}"], known["regions"])
    yield from _unknown("forms.json", form_of.values(), known["items"])
    yield from _unknown(
        "regions.json", (region["parent"] for region in source.listed("regions") if region["parent"]), known["regions"]
    )
    for notice in source.listed("notices"):
        scope = notice.get("scope") or {}
        yield from _unknown(f"notices.json {notice.get('notice_id')}", scope.get("regions") or (), known["regions"])
        if isinstance(scope.get("items"), list):
            yield from _unknown(f"notices.json {notice.get('notice_id')}", scope["items"], known["items"])


def _forms(source: Source) -> Iterator[Problem]:
    """Fields of a form are unique and refer only to one another."""
    for form in source.listed("forms"):
        where = f"forms.json {form.get('form_id')}"
        fields = [field for section in form.get("sections") or () for field in section.get("fields") or ()]
        ids = Counter(field.get("id") for field in fields)
        yield from (Problem("catalog.id_twice", where, str(one)) for one, count in ids.items() if count > 1)
        for field in fields:
            yield from _unknown(where, field.get("visible_when") or (), set(ids))
            rules = field.get("validation") or {}
            if "not_before" in rules:
                yield from _unknown(where, [rules["not_before"]], set(ids))
            if str(rules.get("check", "")).startswith("gb11643_if:"):
                yield from _unknown(where, [rules["check"].removeprefix("gb11643_if:").partition("=")[0]], set(ids))


def _counties(source: Source) -> Iterator[Problem]:
    for files in source.counties.values():
        for path, data in files.items():
            try:
                json.loads(data)
            except (UnicodeDecodeError, json.JSONDecodeError) as wrong:
                yield Problem("catalog.not_json", path, str(wrong))
