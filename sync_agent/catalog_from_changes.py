"""An update of the catalog from what lies here and what the city says was changed, instead of whole files again.

Laws: what is made here is kept only with the signed length and hash of the new release; whatever does not come to that
is left to be fetched whole. Changes that would cost more than the files themselves are not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater

from offline_store.placing import place
from wire.canonical import read_json
from wire.catalog_changes import CHANGES_FOLDER, SCHEMA, changed
from wire.errors import MalformedMessage

INDEX: Final = "catalog.json"


def lacking_after_changes(
    updater: Updater, lying: Path, made: Path, lacking: Sequence[TargetFile], offered: Sequence[TargetFile]
) -> list[TargetFile]:
    """Make what can be made of `lacking` from the release in `lying`, into `made`; the rest has to be fetched.

    `offered` are the targets of the new release that tell changes.
    """
    steps = _steps(lying, lacking, offered)
    of_lists = [info for info in lacking if _kept(lying, info.path) is not None]
    if not steps or sum(step.length for step in steps) >= sum(info.length for info in of_lists):
        return list(lacking)
    try:
        documents = [_read(updater.download_target(step)) for step in steps]
    except (DownloadHTTPError, RepositoryError, MalformedMessage, OSError):
        return list(lacking)
    return [info for info in lacking if not _made(info, lying, made, documents)]


def _steps(lying: Path, lacking: Sequence[TargetFile], offered: Sequence[TargetFile]) -> list[TargetFile]:
    """The chain of changes from the release that lies here to the new one; empty when it has a gap."""
    index = next((info for info in lacking if info.path == INDEX), None)
    held = _version(lying)
    if index is None or held is None:
        return []
    new = int(index.custom["version"])
    by_before = {}
    for info in offered:
        before, _, after = info.path.removeprefix(CHANGES_FOLDER).removesuffix(".json").partition("-")
        if before.isdecimal() and after.isdecimal():
            by_before[int(before)] = (int(after), info)
    steps = []
    while held < new and held in by_before:
        following, info = by_before[held]
        if following <= held:
            return []
        held = following
        steps.append(info)
    return steps if held == new else []


def _made(info: TargetFile, lying: Path, made: Path, documents: Sequence[Mapping[str, Any]]) -> bool:
    data = _kept(lying, info.path)
    if data is None:
        return False
    try:
        for document in documents:
            changes = document["files"].get(info.path)
            data = data if changes is None else changed(data, changes)
        info.verify_length_and_hashes(data)
    except (MalformedMessage, RepositoryError, AttributeError):
        return False
    place(made / quote(info.path, ""), data)
    return True


def _read(path: str) -> Mapping[str, Any]:
    document = read_json(Path(path).read_bytes(), "catalog changes")
    if (
        not isinstance(document, dict)
        or document.get("schema") != SCHEMA
        or not isinstance(document.get("files"), dict)
    ):
        raise MalformedMessage("catalog changes")
    return document


def _version(lying: Path) -> int | None:
    data = _kept(lying, INDEX)
    try:
        return None if data is None else int(read_json(data)["version"])
    except (MalformedMessage, KeyError, TypeError, ValueError):
        return None


def _kept(lying: Path, path: str) -> bytes | None:
    try:
        return (lying / path).read_bytes()
    except OSError:
        return None
