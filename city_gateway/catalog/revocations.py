"""Which nodes the published catalog names as revoked, looked up anew only when another release is published.

Law: a list that cannot be read just now does not set anybody free; the last one that was read holds.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from pathlib import Path
from threading import Lock

from tuf.api.exceptions import RepositoryError

from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.mark import catalog_mark
from city_gateway.catalog.repository import Repository, catalog_folder

DIRECTORY = "directory.json"


class Revocations:
    """The list of one gateway folder; processes and threads may ask at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._mark: str | None = None
        self._nodes: AbstractSet[str] = frozenset()

    def __call__(self) -> AbstractSet[str]:
        """The node ids that are revoked now."""
        mark = catalog_mark(catalog_folder(self._folder))
        with self._lock:
            if mark is not None and mark != self._mark:
                found = self._read()
                if found is not None:
                    self._mark, self._nodes = mark, found
            return self._nodes

    def _read(self) -> AbstractSet[str] | None:
        repository = Repository(self._folder)
        try:
            data = repository.target(repository.published(), DIRECTORY)
        except (CatalogError, RepositoryError, OSError):
            return None
        return frozenset(map(str, json.loads(data)["revocations"]["nodes"])) if data is not None else frozenset()
