"""The releases that were published, each as it was: for a roll-back, and for what an application was filed under.

Laws: only what was published counts (a number that a crash left behind was not); every list is checked against the
city's keys and every file against its list; nothing is ever removed from the repository, so an old release is whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Metadata, Targets

from casework.errors import MalformedCatalog
from casework.notices import Notices
from city_gateway.catalog.errors import ReleaseUnknown
from city_gateway.catalog.repository import Published, Repository

INDEX, NOTICES = "catalog.json", "notices.json"
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastRelease:
    """One content version, with the stage it was last given; `number` is the list that says so."""

    version: int
    number: int
    released_at: datetime
    custom: Mapping[str, Any]
    targets: Metadata[Targets]


def past_releases(repository: Repository, published: Published) -> dict[int, PastRelease]:
    """Every content version that was published, the one in force included; a later stage of one stands for it."""
    found: dict[int, PastRelease] = {}
    for number in range(1, published.targets.signed.version + 1):
        listed = repository.targets_at(published, number)
        index = listed.signed.targets.get(INDEX) if listed is not None else None
        if listed is None or index is None:
            continue
        data = json.loads(read_target(repository, listed, INDEX))
        custom = dict(index.custom)
        version = int(custom["version"])
        found[version] = PastRelease(version, number, datetime.fromisoformat(data["released_at"]), custom, listed)
    return found


def release_of(repository: Repository, published: Published, version: int) -> PastRelease:
    """One of them, or ReleaseUnknown."""
    found = past_releases(repository, published).get(version)
    if found is None:
        raise ReleaseUnknown(version=version)
    return found


def read_target(repository: Repository, listed: Metadata[Targets], path: str) -> bytes:
    """A file of a release, checked against its list, or ReleaseUnknown where it is gone or was changed."""
    try:
        data = repository.target_of(listed, path)
    except (OSError, LengthOrHashMismatchError):
        data = None
    if data is None:
        raise ReleaseUnknown(version=path)
    return data


def read_plain(repository: Repository, listed: Metadata[Targets], path: str) -> Plain:
    """The same as JSON; nothing where the release has no such file."""
    if path not in listed.signed.targets:
        return {}
    read: Plain = json.loads(read_target(repository, listed, path))
    return read


def notices_in(repository: Repository, listed: Metadata[Targets]) -> Notices:
    """The emergency notices of a release; none where they cannot be applied, for then no node applies them."""
    try:
        return Notices.from_plain(read_plain(repository, listed, NOTICES))
    except MalformedCatalog:
        return Notices()


def content_of(repository: Repository, listed: Metadata[Targets]) -> dict[str, bytes]:
    """Every file of a release."""
    return {path: read_target(repository, listed, path) for path in listed.signed.targets}
