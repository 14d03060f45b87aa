"""What the fields of a form are called, for people who read an application here.

The labels are those of the published catalog; a field that it does not have (any more) keeps its id. Nothing depends
on them: without a catalog there are none.
"""

from __future__ import annotations

import json
from pathlib import Path

from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.repository import Repository


def labels_of(folder: Path, form_id: str) -> dict[str, str]:
    """The label of each field."""
    repository = Repository(folder)
    try:
        published = repository.published()
        index = json.loads(repository.target(published, "catalog.json") or b"{}")
        for path in index.get("forms", []):
            for form in json.loads(repository.target(published, path) or b"{}").get("forms", []):
                if form["form_id"] == form_id:
                    return {field["id"]: field["label"] for section in form["sections"] for field in section["fields"]}
    except (CatalogError, OSError):
        pass  # the page is of use without them
    return {}
