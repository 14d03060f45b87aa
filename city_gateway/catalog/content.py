"""What the targets of a release contain: the checked source, cut into the files that nodes fetch.

Laws:
- `catalog.json` is the index: its version is the release number, and it names every other file of items and forms.
- An entry is published exactly as it stands in the source; only `initials` and `initials_of_aliases` are added.
- An unchanged domain gives an unchanged file; what changed in the others is told beside it (`telling_changes`), so an
  update costs a node only what really changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from city_gateway.catalog.errors import RevocationsNotRising
from city_gateway.catalog.pinyin import initials, spelled
from city_gateway.catalog.source import Source
from wire.canonical import b64, canonical_json

Plain = dict[str, Any]

# targets that are one source file each
WHOLE = {
    "notices.json": "notices",
    "policies.json": "policies",
    "calendar.json": "calendar",
    "regions.json": "regions",
    "codes.json": "codes",
    "documents.json": "documents",
    "faq.json": "general_faq",
    "sources.json": "sources",
}


@dataclass(frozen=True, slots=True)
class Directory:
    """Who may read what nodes seal (the gateway's sealing keys), and which nodes are revoked."""

    recipients: Sequence[bytes]
    revocation_number: int = 0
    revoked_nodes: Sequence[str] = ()

    def to_plain(self) -> Plain:
        """The JSON of directory.json."""
        return {
            "recipients": [b64(key) for key in self.recipients],
            "revocations": {"number": self.revocation_number, "nodes": sorted(self.revoked_nodes)},
        }

    def must_follow(self, before: Plain | None) -> None:
        """A revoked node never comes back by an older list."""
        if before is None:
            return
        published = before["revocations"]
        shorter = set(published["nodes"]) - set(self.revoked_nodes)
        if self.revocation_number < published["number"] or shorter:
            raise RevocationsNotRising(published=published["number"], asked=self.revocation_number)


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """Every dictionary ever published, by number; the highest is the one to compress with."""

    by_number: Mapping[int, bytes]

    @property
    def newest(self) -> int:
        """The number to compress with."""
        return max(self.by_number)


def _with_initials(item: Plain) -> Plain:
    aliases = item.get("aliases") or []
    return item | {"initials": initials(item["name"]), "initials_of_aliases": [initials(alias) for alias in aliases]}


def _by_domain(source: Source) -> dict[str, tuple[list[Plain], list[Plain]]]:
    forms = {form["form_id"]: form for form in source.listed("forms")}
    domains: dict[str, tuple[list[Plain], list[Plain]]] = {}
    for item in source.listed("items"):
        items, their_forms = domains.setdefault(item["domain"], ([], []))
        items.append(_with_initials(item))
        their_forms.append(forms[item["form_id"]])
    return domains


def assemble(
    source: Source, *, version: int, released_at: datetime, directory: Directory, dictionaries: Dictionaries
) -> dict[str, bytes]:
    """All top-level targets of the release, by path."""
    targets: dict[str, Plain] = {name: source.files[file] for name, file in WHOLE.items()}
    domains: list[Plain] = []
    for domain, (items, forms) in _by_domain(source).items():
        code = spelled(domain)
        targets[f"items/{code}.json"] = {"domain": domain, "items": items}
        targets[f"forms/{code}.json"] = {"domain": domain, "forms": forms}
        domains.append({"code": code, "name": domain, "initials": initials(domain), "count": len(items)})
    older = [number for number in sorted(dictionaries.by_number) if number != dictionaries.newest]
    targets["directory.json"] = directory.to_plain()
    targets["catalog.json"] = {
        "schema": "guangan.catalog/1",
        "version": version,
        "released_at": released_at.isoformat(),
        "domains": domains,
        "items": [f"items/{domain['code']}.json" for domain in domains],
        "forms": [f"forms/{domain['code']}.json" for domain in domains],
        "dictionary": {
            "id": dictionaries.newest,
            "path": "dictionary.bin",
            "older": [{"id": number, "path": f"dictionaries/{number}.bin"} for number in older],
        },
    }
    files = {path: canonical_json(plain) for path, plain in targets.items()}
    files["dictionary.bin"] = dictionaries.by_number[dictionaries.newest]
    return files | {f"dictionaries/{number}.bin": dictionaries.by_number[number] for number in older}
