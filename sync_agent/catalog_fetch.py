"""Fetching the catalog: the city's TUF repository, checked by python-tuf, laid into the mailbox for edge_node.

Laws:
- What lies in `mailbox/incoming/catalog` is always one whole release. A newer one is fetched beside it, in `.fetch`,
  and moved over when every file of it is here and fits its signature; `arrived.json` is taken away first, written last.
- The courier's check is a courtesy that saves bytes and spots an attack early; edge_node checks again and it
  alone decides.
- A refused release (tampered, rolled back, too few signatures, expired) changes nothing here. "Not reachable" is a
  different thing: a captive portal's page, a redirect or a dropped line are only "not now".
- Clock and HTTP client are handed in; `now` is what the city last signed, and expiry is judged by it: the machine's own
  clock, which python-tuf would read, may be decades off and would refuse every good release.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import httpx
from tuf.api.exceptions import DownloadError, DownloadHTTPError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from offline_store.placing import flush_folder, place
from sync_agent.catalog_from_changes import lacking_after_changes
from wire.catalog_changes import CHANGES_FOLDER

MARKER = "arrived.json"
SERVED_AT = "/v1/catalog"
_FETCH = ".fetch"
_TOP_LEVEL = ("targets", "snapshot", "timestamp")  # placed in this order; the chain of roots comes before


class CatalogNotReachable(Exception):
    """The city's catalog could not be fetched now."""

    code = "catalog.not_reachable"


class CatalogRefused(Exception):
    """What was fetched is not a valid newer release; the field says which check refused it."""

    code = "catalog.refused"

    def __init__(self, check: str) -> None:
        self.check = check
        super().__init__(self.code, check)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The versions of the release that lies in the mailbox."""

    root: int
    timestamp: int
    snapshot: int
    targets: int
    catalog: int
    fetched_at: str


class HttpFetcher(FetcherInterface):
    """python-tuf's way to the network, through the agent's own httpx client."""

    def __init__(self, client: httpx.Client, received: Callable[[int], None] = lambda _bytes: None) -> None:
        self._client = client
        self._received = received

    def _fetch(self, url: str) -> Iterator[bytes]:
        # Errors inside a generator escape FetcherInterface.fetch(), so each one is turned into a DownloadError here.
        try:
            with self._client.stream("GET", url, follow_redirects=False) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise DownloadHTTPError("the city answered otherwise", answer.status_code)
                if answer.headers.get("content-type", "").startswith("text/html"):
                    raise DownloadError("a page, not the catalog: a captive portal")
                before = 0
                for chunk in answer.iter_bytes():
                    self._received(answer.num_bytes_downloaded - before)
                    before = answer.num_bytes_downloaded
                    yield chunk
        except httpx.HTTPError as broken:
            raise DownloadError(type(broken).__name__) from broken


class CarriedFiles(FetcherInterface):
    """The same way for files that a carrier brought: each address is looked up in what came, and is no path."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        data = self._files.get(url.partition(f"{SERVED_AT}/")[2])
        if data is None:
            raise DownloadHTTPError("not among what was carried", httpx.codes.NOT_FOUND)
        yield data


def read_marker(cache: Path) -> Arrived | None:
    """What `arrived.json` says, or None while nothing has arrived or a release is being moved in."""
    try:
        return Arrived(**json.loads((cache / MARKER).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def fetch_catalog(
    *,
    cache: Path,
    trusted_root: bytes,
    gateway_url: str,
    county: str,
    fetcher: FetcherInterface,
    now: Callable[[], datetime],
) -> Arrived:
    """Bring the newest release into the mailbox; returns what lies there afterwards, whether new or not.

    `county` is the six-digit region whose own targets this node needs besides the common ones.
    """
    fetch = cache / _FETCH
    fetched_metadata, fetched_targets = fetch / "metadata", fetch / "targets"
    for folder in (fetched_metadata, fetched_targets):
        folder.mkdir(parents=True, exist_ok=True)
    base = f"{gateway_url.rstrip('/')}{SERVED_AT}"
    try:
        updater = Updater(
            str(fetched_metadata),
            f"{base}/metadata/",
            str(fetched_targets),
            f"{base}/targets/",
            fetcher=fetcher,
            bootstrap=trusted_root,
        )
        _judge_expiry_by(updater, now())
        updater.refresh()
        counties = _county_roles(updater, fetched_metadata)
        own = [counties[county]] if county in counties else []
        listed = _wanted(updater, fetched_metadata, ["targets", *own])
        offered = [info for info in listed if info.path.startswith(CHANGES_FOLDER)]
        wanted = [info for info in listed if info not in offered]
        lying = cache / "targets"
        lacking = [
            info for info in wanted if not _fits(lying / info.path, info) and updater.find_cached_target(info) is None
        ]
        for info in lacking_after_changes(updater, lying, fetched_targets, lacking, offered):
            updater.download_target(info)
    except DownloadError as not_now:
        raise CatalogNotReachable from not_now
    except ExpiredMetadataError as expired:
        raise CatalogRefused("expired") from expired
    except RepositoryError as refused:
        raise CatalogRefused(type(refused).__name__) from refused
    return _move_in(cache, fetch, list(counties.values()), wanted, now())


def _judge_expiry_by(updater: Updater, now: datetime) -> None:
    """The one place that reaches into python-tuf: it takes the time of a refresh from the machine and asks nobody."""
    trusted = updater._trusted_set  # noqa: SLF001
    if not isinstance(trusted.reference_time, datetime):
        raise TypeError("python-tuf keeps its time elsewhere")
    trusted.reference_time = now


def _county_roles(updater: Updater, metadata: Path) -> dict[str, str]:
    """Load every county's role (edge_node verifies all of them, a few hundred bytes each): county code -> role name."""
    delegations = Metadata[Targets].from_file(str(metadata / "targets.json")).signed.delegations
    roles: dict[str, str] = {}
    for name, role in ((delegations.roles if delegations else None) or {}).items():
        for pattern in role.paths or ():
            updater.get_targetinfo(pattern.replace("*", "index.json"))  # loads the role, whether there is such a file
            roles[pattern.split("/")[1]] = name
    return roles


def _wanted(updater: Updater, metadata: Path, roles: list[str]) -> list[TargetFile]:
    """Every target of these roles, each looked up again through python-tuf so that delegation paths are enforced."""
    infos: list[TargetFile] = []
    for role in roles:
        listed = Metadata[Targets].from_file(str(metadata / f"{quote(role, '')}.json"))
        infos += [info for path in listed.signed.targets if (info := updater.get_targetinfo(path)) is not None]
    return infos


def _fits(path: Path, info: TargetFile) -> bool:
    try:
        info.verify_length_and_hashes(path.read_bytes())
    except (OSError, RepositoryError):
        return False
    return True


def _versions(metadata: Path, catalog: TargetFile | None, fetched_at: datetime) -> Arrived:
    return Arrived(
        root=Metadata[Root].from_file(str(metadata / "root.json")).signed.version,
        timestamp=Metadata[Timestamp].from_file(str(metadata / "timestamp.json")).signed.version,
        snapshot=Metadata[Snapshot].from_file(str(metadata / "snapshot.json")).signed.version,
        targets=Metadata[Targets].from_file(str(metadata / "targets.json")).signed.version,
        catalog=0 if catalog is None else int(catalog.custom["version"]),
        fetched_at=fetched_at.isoformat(),
    )


def _move_in(cache: Path, fetch: Path, counties: list[str], wanted: list[TargetFile], fetched_at: datetime) -> Arrived:
    """Replace the release in the mailbox by the complete one in `.fetch`; safe to repeat after a crash anywhere."""
    metadata, targets = fetch / "metadata", fetch / "targets"
    index = next((info for info in wanted if info.path == "catalog.json"), None)
    arriving = _versions(metadata, index, fetched_at)
    lying = read_marker(cache)
    if lying is not None and _same(lying, arriving):
        return lying
    marker = cache / MARKER
    marker.unlink(missing_ok=True)
    flush_folder(cache)
    for root in sorted((metadata / "root_history").iterdir()):
        _place_below(cache / "metadata" / "root_history" / root.name, root.read_bytes())
    for info in wanted:
        destination = cache / "targets" / info.path
        if not _fits(destination, info):
            _place_below(destination, (targets / quote(info.path, "")).read_bytes())
    for name in [*counties, *_TOP_LEVEL]:
        _place_below(cache / "metadata" / f"{name}.json", (metadata / f"{name}.json").read_bytes())
    place(marker, json.dumps(asdict(arriving), sort_keys=True).encode())
    kept = {cache / "targets" / info.path for info in wanted}
    for old in [path for path in (cache / "targets").rglob("*") if path.is_file() and path not in kept]:
        old.unlink(missing_ok=True)
    shutil.rmtree(targets, ignore_errors=True)
    return arriving


def _same(one: Arrived, other: Arrived) -> bool:
    """Two markers of the same release, whenever it was fetched."""
    return {**asdict(one), "fetched_at": ""} == {**asdict(other), "fetched_at": ""}


def _place_below(path: Path, data: bytes) -> None:
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    place(path, data)
