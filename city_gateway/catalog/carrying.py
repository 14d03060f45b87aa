"""The published catalog for a carrier: the files that one node needs, under the addresses by which it asks for them.

Laws: the files are the ones that are served over the line; what a node has already is left out as far as it said so.
What leaves on a stick may be weeks under way, so the signatures that say "this is the newest" are renewed first when
they would not last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from tuf.api.metadata import Metadata, Targets

from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.key_files import county_role, open_online
from city_gateway.catalog.repository import Published, Repository, online_folder

LASTS_AT_LEAST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class CarriedRelease:
    """A release, cut to what one node lacks."""

    version: int
    files: list[tuple[str, bytes]]


def release_for(folder: Path, county: str, held: Mapping[str, int]) -> CarriedRelease | None:
    """The published release for a node of this county that holds these metadata versions; None before the first."""
    repository = Repository(folder)
    try:
        published = repository.published()
    except CatalogError:
        return None
    if published.content_version == 0:
        return None
    if held.get("timestamp") == published.timestamp.signed.version:
        return CarriedRelease(published.content_version, [])
    files = list(_metadata(repository, published))
    files += _targets(repository, "targets", published.targets, held)
    own = county_role(county)
    if own in published.counties:
        files += _targets(repository, own, published.counties[own], held)
    return CarriedRelease(published.content_version, files)


def make_it_last(folder: Path, now: datetime) -> bool:
    """Before a stick leaves: renew what would expire on the way; says whether that was done."""
    repository = Repository(folder)
    try:
        published = repository.published()
        until = min(published.timestamp.signed.expires, published.snapshot.signed.expires)
        if until - now >= LASTS_AT_LEAST:
            return False
        repository.refresh_for_carriers(open_online(online_folder(folder)), now)
    except (CatalogError, OSError):
        return False
    return True


def _metadata(repository: Repository, published: Published) -> Iterator[tuple[str, bytes]]:
    names = [f"{number}.root.json" for number in range(1, published.root.signed.version + 1)]
    names += ["timestamp.json", f"{published.timestamp.signed.snapshot_meta.version}.snapshot.json"]
    names += [f"{published.targets.signed.version}.targets.json"]
    names += [f"{county.signed.version}.{quote(role, '')}.json" for role, county in published.counties.items()]
    for name in names:
        yield f"metadata/{name}", (repository.metadata / name).read_bytes()


def _targets(
    repository: Repository, role: str, signed: Metadata[Targets], held: Mapping[str, int]
) -> Iterator[tuple[str, bytes]]:
    if held.get(role) == signed.signed.version:
        return
    for info in signed.signed.targets.values():
        path = info.get_prefixed_paths()[0]
        yield f"targets/{path}", (repository.targets / path).read_bytes()
