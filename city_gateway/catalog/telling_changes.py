"""Beside the files of a release: what it changed in the one before it, and what each of the last ones changed.

Laws: changes are told for lists of entries only; a node that is further behind than what is kept fetches whole files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from city_gateway.catalog.repository import Published, Repository
from wire.canonical import canonical_json
from wire.catalog_changes import CHANGES_FOLDER, SCHEMA, changes_path, told

KEPT: Final = 12
"""Releases whose changes are served: a year of a city that publishes each month. Each costs 100 bytes of metadata."""

LISTS: Final = ("items/", "forms/")


def changes_beside(
    repository: Repository, before: Published, content: Mapping[str, bytes], version: int
) -> dict[str, bytes]:
    """The targets under `changes/` of the release `version` with this content."""
    found = _kept(repository, before)
    files = {}
    for path, data in content.items():
        old = repository.target(before, path) if path.startswith(LISTS) else None
        changes = told(old, data) if old is not None and old != data else None
        if changes is not None:
            files[path] = changes
    if files:
        found[changes_path(before.content_version, version)] = canonical_json({"schema": SCHEMA, "files": files})
    return found


def _kept(repository: Repository, before: Published) -> dict[str, bytes]:
    earlier = [path for path in before.targets.signed.targets if path.startswith(CHANGES_FOLDER)]
    newest = sorted(earlier, key=lambda path: int(path.removeprefix(CHANGES_FOLDER).partition("-")[0]))[-(KEPT - 1) :]
    return {path: data for path in newest if (data := repository.target(before, path)) is not None}
