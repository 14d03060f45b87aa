"""The three acts of a publisher: begin a repository, publish a release, renew what only says "still the newest".

Clock and key generator are handed in; the commands beside this module and the demo are the composition roots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casework.identifiers import LEVELS, is_region_code, region_at
from city_gateway.catalog.content import Dictionaries, Directory, assemble
from city_gateway.catalog.dictionary import build_dictionary
from city_gateway.catalog.errors import RevokedNodeMalformed, StageRegionUnknown
from city_gateway.catalog.key_files import PassphraseOf, county_role, create_keys, open_offline, open_online
from city_gateway.catalog.repository import Published, Repository, online_folder
from city_gateway.catalog.source import Source, check_source, read_source
from city_gateway.catalog.telling_changes import changes_beside

CODE_DIGITS = 12
FIRST_DICTIONARY = 1
MINIMUM_PROGRAM = "0.1.0"
SIGNED_AGAIN_BEFORE = timedelta(days=180)
NODE_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Rollout:
    """Which nodes take the release: metadata that rides, signed, with the index."""

    percent: int = 100
    regions: Sequence[str] = ()
    paused: bool = False
    minimum_program: str = MINIMUM_PROGRAM
    effective_from: datetime | None = None

    def to_plain(self, version: int, now: datetime) -> dict[str, Any]:
        """The custom data of the target catalog.json."""
        return {
            "version": version,
            "rollout": {"percent": self.percent, "regions": list(self.regions), "paused": self.paused},
            "minimum_program": self.minimum_program,
            "effective_from": (self.effective_from or now).isoformat(),
        }


def must_be_regions(stage: Rollout, listed: Iterable[Mapping[str, Any]]) -> None:
    """Of villages the catalog lists only some; every other region of a stage stands in it."""
    known = {one["code"] for one in listed}
    for region in stage.regions:
        code = region.ljust(CODE_DIGITS, "0")
        if not is_region_code(code) or region_at(code, LEVELS["township"]) not in known:
            raise StageRegionUnknown(region=region)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The release that a publisher asks for; without a number, the nodes to revoke are added to the published list."""

    source: Path
    recipients: Sequence[bytes]
    version: int | None = None
    new_dictionary: bool = False
    revocation_number: int | None = None
    revoked_nodes: Sequence[str] = ()
    rollout: Rollout = field(default_factory=Rollout)


def begin(
    folder: Path,
    keys: Path,
    passphrase_of: PassphraseOf,
    now: datetime,
    generate: Callable[[], Ed25519PrivateKey] = Ed25519PrivateKey.generate,
) -> None:
    """Make all keys and the empty repository; after this the offline keys go to their holders."""
    signers = create_keys(keys, online_folder(folder), passphrase_of, generate)
    Repository(folder).create(signers, now)


def publish(folder: Path, keys: Path, passphrase_of: PassphraseOf, wanted: Wanted, now: datetime) -> Published:
    """Check the source, assemble the release, sign it, switch to it."""
    source = read_source(wanted.source)
    check_source(source)
    must_be_regions(wanted.rollout, source.listed("regions"))
    repository = Repository(folder)
    before = repository.published()
    version = before.content_version + 1 if wanted.version is None else wanted.version
    directory = _directory(repository, before, wanted)
    content = assemble(
        source,
        version=version,
        released_at=now,
        directory=directory,
        dictionaries=_dictionaries(repository, before, source, renew=wanted.new_dictionary),
    )
    content |= changes_beside(repository, before, content, version)
    county_content = {county_role(county): files for county, files in source.counties.items()}
    county_content |= _silent_counties(before, keys, county_content, now)
    signers = dict(open_offline(keys, passphrase_of, ["targets", *county_content])) | dict(
        open_online(online_folder(folder))
    )
    return repository.publish(content, county_content, wanted.rollout.to_plain(version, now), signers, now)


def revocations(folder: Path, published: Published) -> tuple[int, tuple[str, ...]]:
    """Number of the published list of revoked nodes, and who stands on it."""
    data = Repository(folder).target(published, "directory.json")
    listed: dict[str, Any] = {"number": 0, "nodes": []} if data is None else json.loads(data)["revocations"]
    return int(listed["number"]), tuple(map(str, listed["nodes"]))


def refresh(folder: Path, now: datetime) -> Published:
    """Renew snapshot and timestamp with the gateway's own keys; no holder is needed."""
    return Repository(folder).refresh(open_online(online_folder(folder)), now)


def renew_root(folder: Path, keys: Path, passphrase_of: PassphraseOf, now: datetime) -> int:
    """Sign the next root with two holders; returns its number."""
    return Repository(folder).renew_root(open_offline(keys, passphrase_of, ["root"]), now)


def _silent_counties(before: Published, keys: Path, signing: Mapping[str, object], now: datetime) -> dict[str, Any]:
    """Counties that publish nothing of their own and whose empty list is about to expire: one that has lapsed would
    keep every node of the city from taking a new catalog. Signed again where their key is at hand."""
    return {
        role: {}
        for role, county in before.counties.items()
        if role not in signing
        and not county.signed.targets
        and county.signed.expires - now < SIGNED_AGAIN_BEFORE
        and (keys / f"{role}.pem").exists()
    }


def _directory(repository: Repository, before: Published, wanted: Wanted) -> Directory:
    data = repository.target(before, "directory.json")
    published = None if data is None else json.loads(data)
    kept: dict[str, Any] = {"number": 0, "nodes": []} if published is None else published["revocations"]
    added = set(wanted.revoked_nodes) - set(kept["nodes"])
    for node in sorted(added):
        if not NODE_ID.fullmatch(node):
            raise RevokedNodeMalformed(node=node)
    if wanted.revocation_number is None:
        return Directory(wanted.recipients, kept["number"] + (1 if added else 0), [*kept["nodes"], *added])
    directory = Directory(wanted.recipients, wanted.revocation_number, wanted.revoked_nodes)
    directory.must_follow(published)
    return directory


def _dictionaries(repository: Repository, before: Published, source: Source, *, renew: bool) -> Dictionaries:
    index = repository.target(before, "catalog.json")
    by_number: dict[int, bytes] = {}
    if index is not None:
        named = json.loads(index)["dictionary"]
        for entry in [named, *named["older"]]:
            by_number[entry["id"]] = repository.target(before, entry["path"]) or b""
    if renew or not by_number:
        built = build_dictionary(source.listed("forms"))
        if built not in by_number.values():
            by_number[max(by_number, default=FIRST_DICTIONARY - 1) + 1] = built
    return Dictionaries(by_number)
