"""The release that lies in the mailbox: verified, cut to what the desk keeps, and whether it is meant for this node.

Laws
- Root chain, signatures, versions and the hash of every target are verified here, offline, whatever the courier
  checked.
- Everything the counter will work with is parsed once before it is offered, so that nothing broken gets in.
- The publisher's stage (paused, regions, share of the nodes, effective day, oldest program) is obeyed; a node that
  has no catalog at all waits for no region and no share.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from casework.catalog import ServiceItem
from casework.forms import Form
from casework.identifiers import region_covers
from casework.notices import Notices
from casework.working_days import Calendar
from edge_node.counter.trusted_clock import Confidence, Reading
from offline_store.desk.catalog import Edition
from wire.canonical import read_json
from wire.envelope import Dictionary
from wire.errors import ReleaseMalformed

if TYPE_CHECKING:
    from wire.release import Release, Versions

INDEX: Final = "catalog.json"
ROOT_HISTORY: Final = "root_history"
TOP_LEVEL: Final = frozenset({"root", "targets", "snapshot", "timestamp"})
SHOWN_EXPIRY: Final = ("timestamp", "snapshot", "targets")
LEEWAY: Final = timedelta(minutes=10)
"""A release for now must not wait because this machine's clock is a little behind the publisher's."""

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
DOCUMENTS: Final = (
    "notices", "policies", "calendar", "regions", "codes", "documents", "faq", "sources", "directory",
)  # fmt: skip


def verified(cache: Path, root: bytes, accepted: Versions | None, now: datetime) -> Release:
    """The release that lies in `cache`, with every signature and version checked."""
    from wire.release import (
        verify_release,  # with python-tuf behind it: a fifth of a start that has no release to look at
    )

    metadata, targets = cache / "metadata", cache / "targets"
    history = sorted((metadata / ROOT_HISTORY).glob("*.root.json"), key=lambda path: int(path.name.split(".")[0]))
    return verify_release(
        trusted_root=root,
        root_chain=[_read(path) for path in history],
        timestamp=_read(metadata / "timestamp.json"),
        snapshot=_read(metadata / "snapshot.json"),
        targets=_read(metadata / "targets.json"),
        files=lambda path: _read(_inside(targets, path)),
        accepted=accepted,
        now=now,
        delegated=dict(_delegated(metadata)),
    )


def edition_of(release: Release, expires: datetime | None) -> Edition:
    """Read the content; everything the counter will work with is parsed once here, so that nothing broken gets in."""
    index = _json(release, INDEX)
    items = [one for path in index["items"] for one in _json(release, path)["items"]]
    forms = [one for path in index["forms"] for one in _json(release, path)["forms"]]
    documents = {name: _json(release, f"{name}.json") for name in DOCUMENTS if f"{name}.json" in release}
    check_content(items, forms, documents)
    named = index.get("dictionary")
    dictionaries = [named, *named.get("older", ())] if named else []
    return Edition(
        version=int(index["version"]),
        released_at=datetime.fromisoformat(index["released_at"]),
        items=items,
        forms=forms,
        documents=documents,
        dictionaries=[Dictionary(int(one["id"]), release.read(one["path"])) for one in dictionaries],
        expires_at=expires,
        accepted=release.versions.to_plain(),
    )


def check_content(
    items: Sequence[Mapping[str, Any]], forms: Sequence[Mapping[str, Any]], documents: Mapping[str, Any]
) -> None:
    """Every item has its form, and casework can read both, the calendar and the notices."""
    known = {Form.from_plain(one).form_id for one in forms}
    for one in items:
        item = ServiceItem.from_plain(one)
        if item.form_id not in known:
            raise ReleaseMalformed(f"form of {item.item_id}")
    if "calendar" in documents:
        Calendar.from_plain(documents["calendar"])
    if "notices" in documents:
        Notices.from_plain(documents["notices"])


def version_of(release: Release) -> int:
    """The number of the content, as its index says."""
    return int(_json(release, INDEX)["version"])


def is_held_back(release: Release, node_id: str, site: str, program: str, reading: Reading, *, first: bool) -> bool:
    """Whether the publisher has not released this version to this node yet; `first` when the node has no catalog."""
    custom = release.custom(INDEX)
    rollout = custom.get("rollout") or {}
    regions = rollout.get("regions") or ()
    effective = custom.get("effective_from")
    elsewhere = regions and not any(region_covers(str(region).ljust(12, "0"), site) for region in regions)
    share = hashlib.sha256(f"{node_id}:{version_of(release)}".encode()).digest()[0] * 100 // 256
    later = (
        reading.confidence is not Confidence.DOUBTFUL
        and effective
        and datetime.fromisoformat(str(effective)) > reading.now + LEEWAY
    )
    return bool(
        rollout.get("paused") is True
        or later
        or _numbers(str(custom.get("minimum_program") or "0")) > _numbers(program)
        or (not first and (elsewhere or share >= int(rollout.get("percent", 100))))
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def expires_at(cache: Path) -> datetime | None:
    """When the first of the verified metadata expires; only shown, the judgement is the verifier's."""
    try:
        parts = [json.loads(_read(cache / "metadata" / f"{name}.json")) for name in SHOWN_EXPIRY]
        return min(datetime.fromisoformat(part["signed"]["expires"]) for part in parts)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def while_it_held(cache: Path, now: datetime) -> datetime:
    """Now, or the last moment at which no part of the release had expired, whichever is earlier."""
    metadata = cache / "metadata"
    parts = [*(_read(path) for path in metadata.glob("*.json")), *(part for _, part in _delegated(metadata))]
    ends = [datetime.fromisoformat(json.loads(part)["signed"]["expires"]) for part in parts]
    return min([now, *(end - timedelta(seconds=1) for end in ends)])


def _delegated(metadata: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(metadata.rglob("*.json")):
        name = path.relative_to(metadata).with_suffix("").as_posix()
        if name not in TOP_LEVEL and not name.startswith(f"{ROOT_HISTORY}/"):
            yield name, _read(path)


def _inside(folder: Path, path: str) -> Path:
    """A target's file; a path that leaves the folder does not exist."""
    wanted = (folder / path).resolve()
    if not wanted.is_relative_to(folder.resolve()):
        raise KeyError(path)
    return wanted


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ReleaseMalformed(path.name)
    return path.read_bytes()


def _json(release: Release, path: str) -> Any:  # noqa: ANN401 - it is JSON
    return read_json(release.read(path), path)
