"""What a publisher does with a release that is out: another stage for it, a pause, or an older content in its place.

Laws: every one of them is signed by the same two holders as the release itself; a stage changes no file, and a node
that took the release keeps it whatever the stage says afterwards; a roll-back is an older content under a newer
version, with today's directory, revocations and dictionaries, for those only ever grow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from city_gateway.catalog.comparing import Change, compare, read_content
from city_gateway.catalog.content import Dictionaries, Directory, assemble
from city_gateway.catalog.key_files import PassphraseOf, open_offline, open_online
from city_gateway.catalog.past import INDEX, content_of, read_plain, release_of
from city_gateway.catalog.publication import Rollout, must_be_regions
from city_gateway.catalog.repository import Published, Repository, online_folder
from city_gateway.catalog.source import Source, check_source, read_source
from city_gateway.catalog.telling_changes import changes_beside
from wire.canonical import b64, canonical_json
from wire.catalog_changes import CHANGES_FOLDER

DIRECTORY, REGIONS, NOTICES = "directory.json", "regions.json", "notices.json"
DICTIONARIES = ("dictionary.bin", "dictionaries/")


def checked(source: Path) -> Source:
    """The source without a mistake, or SourceRefused with every one; no key is needed."""
    found = read_source(source)
    check_source(found)
    return found


def compared_with_source(folder: Path, source: Path, now: datetime) -> list[Change]:
    """What publishing this source would change in what is published."""
    repository = Repository(folder)
    published = repository.published()
    files = assemble(
        checked(source),
        version=published.content_version,
        released_at=now,
        directory=Directory([]),
        dictionaries=Dictionaries({1: b""}),
    )
    return compare(read_content(content_of(repository, published.targets)), read_content(files))


def compared_with_version(folder: Path, version: int) -> list[Change]:
    """What rolling back to this version would change in what is published."""
    repository = Repository(folder)
    published = repository.published()
    today = content_of(repository, published.targets)
    old = content_of(repository, release_of(repository, published, version).targets)
    return compare(read_content(today), read_content(old | _staying(today)))


def stage_of(published: Published) -> Rollout:
    """The stage of the release in force."""
    return stage_in(published.targets.signed.targets[INDEX].custom)


def stage_in(custom: Any) -> Rollout:  # noqa: ANN401 - it is JSON
    """The stage that the custom data of an index tells."""
    rollout = custom.get("rollout") or {}
    effective = custom.get("effective_from")
    return Rollout(
        percent=int(rollout.get("percent", 100)),
        regions=tuple(rollout.get("regions") or ()),
        paused=rollout.get("paused") is True,
        minimum_program=str(custom.get("minimum_program") or "0"),
        effective_from=datetime.fromisoformat(effective) if effective else None,
    )


def restage(
    folder: Path, keys: Path, passphrase_of: PassphraseOf, change: Callable[[Rollout], Rollout], now: datetime
) -> Rollout:
    """Give the release in force another stage."""
    repository = Repository(folder)
    published = repository.published()
    version = published.content_version
    stage = change(stage_of(published)) if version else Rollout()
    if version:
        must_be_regions(stage, read_plain(repository, published.targets, REGIONS)["regions"])
    signers = dict(open_offline(keys, passphrase_of, ["targets"])) | dict(open_online(online_folder(folder)))
    repository.restage(stage.to_plain(version, now), signers, now)
    return stage


def _staying(today: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in today.items() if path == NOTICES or path.startswith(DICTIONARIES)}


def roll_back(
    folder: Path,
    keys: Path,
    passphrase_of: PassphraseOf,
    *,
    to: int,
    recipients: Sequence[bytes],
    rollout: Rollout,
    now: datetime,
) -> Published:
    """Publish the content of an earlier version under the next one. Emergency notices stay as they are today: they are
    orders in force, and taking one back is done in so many words, by publishing."""
    repository = Repository(folder)
    before = repository.published()
    version = before.content_version + 1
    must_be_regions(rollout, read_plain(repository, before.targets, REGIONS)["regions"])
    old = content_of(repository, release_of(repository, before, to).targets)
    content = {path: data for path, data in old.items() if not path.startswith((CHANGES_FOLDER, *DICTIONARIES))}
    today = content_of(repository, before.targets)
    content |= _staying(today)
    directory = read_plain(repository, before.targets, DIRECTORY)
    content[DIRECTORY] = canonical_json(directory | {"recipients": [b64(key) for key in recipients]})
    index = json.loads(old[INDEX]) | {"version": version, "released_at": now.isoformat()}
    content[INDEX] = canonical_json(index | {"dictionary": json.loads(today[INDEX])["dictionary"]})
    content |= changes_beside(repository, before, content, version)
    signers = dict(open_offline(keys, passphrase_of, ["targets"])) | dict(open_online(online_folder(folder)))
    stage = replace(rollout, effective_from=None)
    return repository.publish(content, {}, stage.to_plain(version, now), signers, now)
