"""A catalog release, verified without a network: what edge_node does before it activates what sync_agent fetched.

Laws:
- Trust begins at a root already trusted and walks the chain of roots one version at a time; then timestamp, snapshot,
  targets and the delegated counties, each signed by enough keys of the role above it.
- Nothing older than what was accepted is accepted again (versions are per metadata file, so a county cannot be
  rolled back behind a newer city). An older *content* under newer versions is a roll-back the city may make.
- Expiry blocks accepting what is new; for what was accepted before it is only reported.
- A county's keys sign the county's own paths; anything else they list does not exist.
- Target bytes are checked when they are read, every time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from tuf.api.exceptions import LengthOrHashMismatchError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from wire.errors import (
    ReleaseExpired,
    ReleaseIncomplete,
    ReleaseMalformed,
    ReleaseRolledBack,
    ReleaseTampered,
    ReleaseUnsigned,
)

__all__ = ["Release", "Versions", "verify_release"]

S = TypeVar("S", bound=Signed)


@dataclass(frozen=True, slots=True)
class Versions:
    """The metadata versions of an accepted release; kept by the desk, in plain form by `to_plain`."""

    root: int
    timestamp: int
    snapshot: int
    targets: Mapping[str, int]

    def to_plain(self) -> dict[str, Any]:
        return {
            "root": self.root,
            "timestamp": self.timestamp,
            "snapshot": self.snapshot,
            "targets": dict(self.targets),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Versions":
        return cls(plain["root"], plain["timestamp"], plain["snapshot"], dict(plain["targets"]))


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose signatures and versions were accepted; `version` is that of the city's targets."""

    version: int
    root: bytes
    versions: Versions
    expired: bool
    _targets: Mapping[str, TargetFile] = field(repr=False)
    _files: Callable[[str], bytes] = field(repr=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __contains__(self, path: object) -> bool:
        return path in self._targets

    def read(self, path: str) -> bytes:
        """The bytes of a target, proven against the signed length and hash."""
        target = self._target(path)
        try:
            data = self._files(path)
        except (KeyError, OSError):
            raise ReleaseIncomplete(path) from None
        try:
            target.verify_length_and_hashes(data)
        except LengthOrHashMismatchError:
            raise ReleaseTampered(path) from None
        return data

    def custom(self, path: str) -> dict[str, Any]:
        """What the publisher says about a target: stage, minimum program version, effective date."""
        custom = self._target(path).custom
        return dict(custom) if isinstance(custom, Mapping) else {}

    def digest(self, path: str) -> str:
        """The signed SHA-256 of a target, by which an unchanged file is recognised."""
        return self._target(path).hashes.get("sha256", "")

    def _target(self, path: str) -> TargetFile:
        try:
            return self._targets[path]
        except KeyError:
            raise ReleaseIncomplete(path) from None


def verify_release(
    *,
    trusted_root: bytes,
    root_chain: Sequence[bytes],
    timestamp: bytes,
    snapshot: bytes,
    targets: bytes,
    files: Callable[[str], bytes],
    accepted: Versions | None,
    now: datetime,
    delegated: Mapping[str, bytes] | None = None,
) -> Release:
    """Verify the metadata of a release; `files` gives the bytes of a target by its path, when asked.

    `root_chain` may hold roots that are already trusted; `delegated` holds county metadata by role name.
    """
    root, root_bytes = _walk_roots(trusted_root, root_chain)
    stamp = _signed_by(root, Timestamp, "timestamp", timestamp)
    _matches("snapshot", stamp.snapshot_meta, snapshot)
    shot = _signed_by(root, Snapshot, "snapshot", snapshot)
    _has_version("snapshot", shot, stamp.snapshot_meta)
    city = _listed(shot, root, "targets", targets)
    counties = _counties(shot, city, delegated or {})
    versions = Versions(
        root.version,
        stamp.version,
        shot.version,
        {"targets": city.version} | {name: county.version for name, county in counties.items()},
    )
    if accepted is not None:
        _not_older(accepted, versions)
    late = [
        name
        for name, part in (
            ("root", root), ("timestamp", stamp), ("snapshot", shot), ("targets", city), *counties.items()
        )
        if part.is_expired(now)
    ]  # fmt: skip
    if late and versions != accepted:
        raise ReleaseExpired(late[0])
    return Release(city.version, root_bytes, versions, bool(late), _resolved(city, counties), files)


def _walk_roots(trusted: bytes, chain: Sequence[bytes]) -> tuple[Root, bytes]:
    root, root_bytes = _signed_by(None, Root, "root", trusted), trusted
    for data in chain:
        following = _parsed(Root, "root", data)[0]
        if following.version <= root.version:
            continue
        if following.version != root.version + 1:
            raise ReleaseIncomplete(f"root {root.version + 1}")
        _signed_by(root, Root, "root", data)
        root, root_bytes = _signed_by(None, Root, "root", data), data
    return root, root_bytes


def _counties(shot: Snapshot, city: Targets, delegated: Mapping[str, bytes]) -> dict[str, Targets]:
    roles = (city.delegations.roles or {}) if city.delegations else {}
    found = {}
    for name in roles:
        if f"{name}.json" not in shot.meta:
            continue  # delegated, but the county has not signed anything yet
        if name not in delegated:
            raise ReleaseIncomplete(name)
        found[name] = _listed(shot, city, name, delegated[name])
    return found


def _resolved(city: Targets, counties: Mapping[str, Targets]) -> dict[str, TargetFile]:
    """Which target file each path means: the city's own first, then the counties' in the city's order."""
    found = dict(city.targets)
    roles = (city.delegations.roles or {}) if city.delegations else {}
    for name, county in counties.items():
        for path, target in county.targets.items():
            if roles[name].is_delegated_path(path):
                found.setdefault(path, target)
    return found


def _listed(shot: Snapshot, delegator: Root | Targets, name: str, data: bytes) -> Targets:
    meta = shot.meta.get(f"{name}.json")
    if meta is None:
        raise ReleaseIncomplete(name)
    _matches(name, meta, data)
    part = _signed_by(delegator, Targets, name, data)
    _has_version(name, part, meta)
    return part


def _signed_by(delegator: Root | Targets | None, kind: type[S], name: str, data: bytes) -> S:
    """The metadata, signed by enough keys of `delegator`; a root with no delegator vouches for itself."""
    signed, metadata = _parsed(kind, name, data)
    above = delegator if delegator is not None else signed
    if not isinstance(above, (Root, Targets)):
        raise TypeError("only a root vouches for itself")
    try:
        above.verify_delegate(name, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError:
        raise ReleaseUnsigned(name) from None
    except (RepositoryError, ValueError):
        raise ReleaseMalformed(name) from None
    return signed


def _parsed(kind: type[S], name: str, data: bytes) -> tuple[S, Metadata[Any]]:
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(data)
    except (DeserializationError, RepositoryError, ValueError, RecursionError):
        raise ReleaseMalformed(name) from None
    if not isinstance(metadata.signed, kind):
        raise ReleaseMalformed(name)
    return metadata.signed, metadata


def _matches(name: str, meta: MetaFile, data: bytes) -> None:
    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        raise ReleaseTampered(name) from None


def _has_version(name: str, part: Signed, meta: MetaFile) -> None:
    if part.version < meta.version:
        raise ReleaseRolledBack(name, meta.version, part.version)
    if part.version > meta.version:
        raise ReleaseTampered(name)


def _not_older(accepted: Versions, offered: Versions) -> None:
    pairs = [
        ("root", accepted.root, offered.root),
        ("timestamp", accepted.timestamp, offered.timestamp),
        ("snapshot", accepted.snapshot, offered.snapshot),
        *((name, version, offered.targets.get(name, 0)) for name, version in accepted.targets.items()),
    ]
    for name, before, after in pairs:
        if after < before:
            raise ReleaseRolledBack(name, before, after)
