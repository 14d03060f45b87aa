"""What one content of the catalog changes in another, told so that a person can sign it.

Laws: pure; what the publisher did not touch is not told; entries are told by id and name, an item or form that changed
by what of it; addresses, words and numbers that only the guide shows are told by the name of their field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from city_gateway.wording import words

Plain = dict[str, Any]
LISTS: Mapping[str, tuple[str, str, str]] = {
    "items": ("items", "item_id", "name"),
    "forms": ("forms", "form_id", "title"),
    "notices": ("notices", "notice_id", "title"),
    "policies": ("policies", "policy_id", "title"),
    "documents": ("documents", "doc_id", "name"),
    "regions": ("regions", "code", "name"),
    "faq": ("faq", "faq_id", "q"),
    "sources": ("sources", "source_id", "title"),
}
WHOLE = ("calendar", "codes")
DERIVED = frozenset({"initials", "initials_of_aliases"})


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a release that people write."""

    lists: Mapping[str, Mapping[str, Plain]]
    wholes: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Change:
    """One line: what kind of entry, which, what became of it (added, removed, changed), and of what inside."""

    kind: str
    how: str
    id: str
    name: str = ""
    parts: tuple[str, ...] = ()


def read_content(files: Mapping[str, bytes]) -> Content:
    """The content of a release's files."""
    index = json.loads(files["catalog.json"]) if "catalog.json" in files else {}
    paths = {"items": index.get("items", []), "forms": index.get("forms", [])}
    lists: dict[str, dict[str, Plain]] = {}
    for kind, (key, id_key, _) in LISTS.items():
        entries = [
            one
            for path in paths.get(kind, [f"{kind}.json"])
            for one in (json.loads(files[path]).get(key, []) if path in files else [])
        ]
        lists[kind] = {str(one[id_key]): one for one in entries}
    return Content(lists, {name: json.loads(files.get(f"{name}.json", b"{}")) for name in WHOLE})


def compare(before: Content, after: Content) -> list[Change]:
    """Every difference, in the order of what matters at the counter."""
    return [*_lists(before, after), *_wholes(before, after)]


def lines_of(changes: Sequence[Change], told: Callable[..., str] = words) -> Iterator[str]:
    """Each difference in a sentence."""
    for one in changes:
        what = told(f"compare.kind.{one.kind}")
        named = told("compare.named", id=one.id, name=one.name) if one.name and one.name != one.id else one.id
        yield told(
            f"compare.{one.how}", what=what, which=named, parts=[part_in_words(part, told) for part in one.parts]
        )


def part_in_words(part: str, told: Callable[..., str]) -> str:
    """A part of an entry: a field or material by name, or a field of the guide."""
    how, _, which = part.partition(":")
    return told(f"compare.part.{how}", which=which)


def _lists(before: Content, after: Content) -> Iterator[Change]:
    for kind, (_, _, name_key) in LISTS.items():
        old, new = before.lists.get(kind, {}), after.lists.get(kind, {})
        for key in new:
            name = str(new[key].get(name_key) or "")
            if key not in old:
                yield Change(kind, "added", key, name)
            elif _said(old[key]) != _said(new[key]):
                yield Change(kind, "changed", key, name, tuple(_parts(kind, old[key], new[key])))
        for key in old:
            if key not in new:
                yield Change(kind, "removed", key, str(old[key].get(name_key) or ""))


def _wholes(before: Content, after: Content) -> Iterator[Change]:
    for name in WHOLE:
        old, new = before.wholes.get(name, {}), after.wholes.get(name, {})
        changed = tuple(f"value:{key}" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key))
        if changed:
            yield Change(name, "changed", name, "", changed)


def _parts(kind: str, old: Plain, new: Plain) -> Iterator[str]:
    inner: Callable[[Plain], dict[str, Plain]] | None = {"items": _materials, "forms": _fields}.get(kind)
    word = {"items": "material", "forms": "field"}.get(kind, "")
    apart = {"items": {"materials"}, "forms": {"sections"}}.get(kind, set())
    found = list(_inner_parts(word, inner(old), inner(new))) if inner is not None else []
    if not found and any(old.get(key) != new.get(key) for key in apart):
        found = ["layout:"]
    yield from found
    said, says = _said(old), _said(new)
    keys = sorted((said.keys() | says.keys()) - apart)
    yield from (f"value:{key}" for key in keys if said.get(key) != says.get(key))


def _inner_parts(word: str, was: Mapping[str, Plain], is_: Mapping[str, Plain]) -> Iterator[str]:
    """What became of an item's materials, or of a form's fields."""
    yield from (f"{word}_added:{_called(is_[key])}" for key in is_ if key not in was)
    yield from (f"{word}_removed:{_called(was[key])}" for key in was if key not in is_)
    yield from (f"{word}_changed:{_called(is_[key])}" for key in is_ if key in was and was[key] != is_[key])


def _said(entry: Plain) -> Plain:
    return {key: value for key, value in entry.items() if key not in DERIVED}


def _materials(item: Plain) -> dict[str, Plain]:
    return {one["material_id"]: one for one in item.get("materials") or ()}


def _fields(form: Plain) -> dict[str, Plain]:
    return {one["id"]: one for section in form.get("sections") or () for one in section.get("fields") or ()}


def _called(entry: Plain) -> str:
    return str(entry.get("name") or entry.get("label") or entry.get("material_id") or entry.get("id"))
