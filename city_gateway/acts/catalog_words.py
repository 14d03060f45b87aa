"""What the codes of an application are called, for people who read it here: item, fields, options, materials, regions.

The words are those of the published catalog; a code that it does not have (any more) is shown as it is. Nothing
depends on them: without a catalog there are none, and the page is of use without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from casework.materials import AUTHORIZATION, AUTHORIZATION_NAME
from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.mark import catalog_mark
from city_gateway.catalog.past import INDEX, read_plain
from city_gateway.catalog.repository import Repository, catalog_folder
from city_gateway.wording import say


@dataclass(frozen=True, slots=True)
class CatalogWords:
    """The words of one form and of all items."""

    items: Mapping[str, str] = field(default_factory=dict)
    materials: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_order(self, form: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """What was filled in, in the order of the form; what the form does not have comes last."""
        places = {name: place for place, name in enumerate(self.fields)}
        return sorted(form.items(), key=lambda one: places.get(one[0], len(places)))

    def label(self, field_id: str) -> str:
        """What a field is called."""
        return str(self.fields.get(field_id, {}).get("label", field_id))

    def value(self, field_id: str, value: object) -> str:
        """What was filled in, as the person who filled it in saw it."""
        return self._shown(self.fields.get(field_id, {}), value)

    def _shown(self, described: Mapping[str, Any], value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return say("answer.yes" if value else "answer.no")
        if isinstance(value, Mapping):
            columns = {column["id"]: column for column in described.get("columns", [])}
            cells = ((columns.get(name, {"label": name}), cell) for name, cell in value.items())
            said = [say("table.cell", label=one["label"], value=self._shown(one, cell)) for one, cell in cells]
            return say("table.cells").join(said)
        if isinstance(value, list | tuple):
            between = "table.rows" if described.get("type") == "table" else "list.separator"
            return say(between).join(self._shown(described, one) for one in value)
        if described.get("type") == "region":
            return self.place(str(value))
        options = dict(described.get("options", []))
        return str(options.get(value, value))

    def place(self, code: str) -> str:
        """A region's name with its code; a village that the catalog does not list keeps the bare code."""
        return f"{self.regions[code]} {code}" if code in self.regions else code


def words_of(folder: Path, form_id: str | None = None) -> CatalogWords:
    """The words of the published catalog, read once for each release; with the fields of this form."""
    release = catalog_mark(catalog_folder(folder))
    words = _of_release(folder, release)
    return replace(words, fields=_of_form(folder, release, form_id)) if form_id else words


@lru_cache(maxsize=2)
def _of_release(folder: Path, _release: str | None) -> CatalogWords:
    repository = Repository(folder)
    try:
        listed = repository.published().targets
        index = read_plain(repository, listed, INDEX)
        items = [item for path in index.get("items", []) for item in read_plain(repository, listed, path)["items"]]
        regions = read_plain(repository, listed, "regions.json").get("regions", [])
    except (CatalogError, OSError):
        return CatalogWords()
    return CatalogWords(
        {item["item_id"]: item["name"] for item in items},
        {one["material_id"]: one["name"] for item in items for one in item["materials"]}
        | {AUTHORIZATION: AUTHORIZATION_NAME},
        {region["code"]: region["name"] for region in regions},
    )


@lru_cache(maxsize=64)
def _of_form(folder: Path, _release: str | None, form_id: str) -> Mapping[str, Mapping[str, Any]]:
    repository = Repository(folder)
    try:
        listed = repository.published().targets
        for path in read_plain(repository, listed, INDEX).get("forms", []):
            for form in read_plain(repository, listed, path).get("forms", []):
                if form["form_id"] == form_id:
                    return {one["id"]: one for section in form["sections"] for one in section["fields"]}
    except (CatalogError, OSError):
        pass  # the page is of use without them
    return {}
