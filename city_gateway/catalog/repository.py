"""The TUF repository in the gateway's folder: who may sign, what was signed, and the switch from old to new.

Laws:
- root and targets need two of three keys; with fewer nothing is written at all.
- Files of a release never overwrite those of another (consistent snapshots). `timestamp.json` is the only name that is
  reused, it is placed last, and placing it *is* the publication; a crash before leaves the old release whole.
- Content version and metadata versions only rise.
- A county's role can sign `county/<its six digits>/*` and nothing else, and ends the search there.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from city_gateway.catalog.errors import (
    BusyPublishing,
    ReleaseUnknown,
    RepositoryExists,
    RepositoryMissing,
    TooFewSignatures,
    VersionNotRising,
)
from city_gateway.catalog.key_files import COUNTIES, THRESHOLD, county_role
from city_gateway.catalog.placing import place, place_with_gzip

ROOT_DAYS = 730
TARGETS_DAYS = 365
SNAPSHOT_DAYS = 90  # a stick may be under way for weeks; what was accepted stays usable in any case
TIMESTAMP_DAYS = 60
CARRIED_DAYS = 90  # renewed by `courier out` for what leaves on a stick

Signers = Mapping[str, Sequence[CryptoSigner]]
S = TypeVar("S", Root, Timestamp, Snapshot, Targets)
_COMPACT = JSONSerializer(compact=True)


@dataclass(frozen=True, slots=True)
class Published:
    """What is published now: metadata versions, content version and the targets with their custom data."""

    root: Metadata[Root]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    counties: Mapping[str, Metadata[Targets]]

    @property
    def content_version(self) -> int:
        """The release number that people speak of; 0 before the first release."""
        index = self.targets.signed.targets.get("catalog.json")
        return 0 if index is None else int(index.custom["version"])


def catalog_folder(folder: Path) -> Path:
    """The folder that is served as it is."""
    return folder / "catalog"


def online_folder(folder: Path) -> Path:
    """Where the gateway's own two keys lie; never served."""
    return folder / "catalog-keys"


def first_root(folder: Path) -> bytes | None:
    """The root that nodes are enrolled with; the chain from there on is in the served folder."""
    path = catalog_folder(folder) / "metadata" / "1.root.json"
    return path.read_bytes() if path.exists() else None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "catalog.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise BusyPublishing from busy
        yield


def _sign(metadata: Metadata[S], role: str, signers: Signers, threshold: int) -> bytes:
    at_hand = signers.get(role, ())
    if len(at_hand) < threshold:
        raise TooFewSignatures(role=role, needed=threshold, at_hand=len(at_hand))
    metadata.signatures.clear()
    for signer in at_hand:
        metadata.sign(signer, append=True)
    return metadata.to_bytes(_COMPACT)


class Repository:
    """The repository in one gateway folder; every method that writes holds the publishing lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.metadata = catalog_folder(folder) / "metadata"
        self.targets = catalog_folder(folder) / "targets"

    def _read(self, name: str) -> bytes:
        try:
            return (self.metadata / name).read_bytes()
        except FileNotFoundError as missing:
            raise RepositoryMissing(folder=str(self._folder)) from missing

    def published(self) -> Published:
        """Read what is published and check every signature on the way down from the root."""
        number = 1
        root = Metadata[Root].from_bytes(self._read("1.root.json"))
        root.verify_delegate(Root.type, root)
        while (self.metadata / f"{number + 1}.root.json").exists():
            number += 1
            newer = Metadata[Root].from_bytes(self._read(f"{number}.root.json"))
            root.verify_delegate(Root.type, newer)
            newer.verify_delegate(Root.type, newer)
            root = newer
        timestamp = Metadata[Timestamp].from_bytes(self._read("timestamp.json"))
        root.verify_delegate(Timestamp.type, timestamp)
        snapshot = Metadata[Snapshot].from_bytes(self._read(f"{timestamp.signed.snapshot_meta.version}.snapshot.json"))
        root.verify_delegate(Snapshot.type, snapshot)
        versions = {name.removesuffix(".json"): meta.version for name, meta in snapshot.signed.meta.items()}
        targets = Metadata[Targets].from_bytes(self._read(f"{versions.pop('targets')}.targets.json"))
        root.verify_delegate(Targets.type, targets)
        counties: dict[str, Metadata[Targets]] = {}
        for role, version in versions.items():
            counties[role] = Metadata[Targets].from_bytes(self._read(f"{version}.{role}.json"))
            targets.verify_delegate(role, counties[role])
        return Published(root, timestamp, snapshot, targets, counties)

    def target(self, published: Published, path: str) -> bytes | None:
        """A published top-level target, checked against its signature; None when the release has no such file."""
        return self.target_of(published.targets, path)

    def target_of(self, listed: Metadata[Targets], path: str) -> bytes | None:
        """The same of any of the city's lists."""
        info = listed.signed.targets.get(path)
        if info is None:
            return None
        data = (self.targets / info.get_prefixed_paths()[0]).read_bytes()
        info.verify_length_and_hashes(data)
        return data

    def targets_at(self, published: Published, number: int) -> Metadata[Targets] | None:
        """The city's list of an earlier number, checked against the keys of today; None when there is none."""
        try:
            listed = Metadata[Targets].from_bytes((self.metadata / f"{number}.targets.json").read_bytes())
            published.root.verify_delegate(Targets.type, listed)
        except (FileNotFoundError, UnsignedMetadataError):
            return None
        return listed

    def create(self, signers: Signers, now: datetime) -> None:
        """Sign root number 1 and an empty release number 0."""
        with _alone(self._folder):
            if (self.metadata / "1.root.json").exists():
                raise RepositoryExists(folder=str(self._folder))
            root = Root(expires=now + timedelta(days=ROOT_DAYS), consistent_snapshot=True)
            for role in (Root.type, Targets.type, Snapshot.type, Timestamp.type):
                for signer in signers[role]:
                    root.add_key(signer.public_key, role)
            root.roles[Root.type].threshold = THRESHOLD
            root.roles[Targets.type].threshold = THRESHOLD
            signed = Metadata(root)
            data = _sign(signed, Root.type, signers, THRESHOLD)
            signed.verify_delegate(Root.type, signed)
            nothing = Published(
                root=signed,
                timestamp=_unnumbered(Timestamp()),
                snapshot=_unnumbered(Snapshot(meta={})),
                targets=_unnumbered(Targets(delegations=_delegations(signers))),
                counties={county_role(county): _unnumbered(Targets()) for county in COUNTIES},
            )
            files = self._next(nothing, {}, {role: {} for role in nothing.counties}, {}, signers, now)
            place(self.metadata / "1.root.json", data)
            self._switch(files)

    def publish(
        self,
        content: Mapping[str, bytes],
        county_content: Mapping[str, Mapping[str, bytes]],
        custom: Mapping[str, Any],
        signers: Signers,
        now: datetime,
    ) -> Published:
        """Sign and place a release; `county_content` re-signs the counties it names and leaves the others alone."""
        with _alone(self._folder):
            before = self.published()
            if int(custom["version"]) <= before.content_version:
                raise VersionNotRising(published=before.content_version, asked=int(custom["version"]))
            files = self._next(before, content, county_content, custom, signers, now)
            for path, data in [*content.items(), *((p, d) for c in county_content.values() for p, d in c.items())]:
                for prefixed in TargetFile.from_data(path, data, ["sha256"]).get_prefixed_paths():
                    place_with_gzip(self.targets / prefixed, data)
            self._switch(files)
            return self.published()

    def restage(self, custom: Mapping[str, Any], signers: Signers, now: datetime) -> Published:
        """Sign the same release again with another stage; no file of it changes."""
        with _alone(self._folder):
            before = self.published()
            index = before.targets.signed.targets.get("catalog.json")
            if index is None:
                raise ReleaseUnknown(version=0)
            index.unrecognized_fields["custom"] = dict(custom)
            before.targets.signed.version += 1
            before.targets.signed.expires = now + timedelta(days=TARGETS_DAYS)
            files: dict[str, bytes] = {}
            meta: dict[str, MetaFile] = dict(before.snapshot.signed.meta)
            number = before.targets.signed.version
            files[f"{number}.targets.json"] = data = _sign(before.targets, Targets.type, signers, THRESHOLD)
            meta["targets.json"] = MetaFile.from_data(number, data, ["sha256"])
            self._online(before, meta, signers, now, files)
            self._switch(files)
            return self.published()

    def refresh(self, signers: Signers, now: datetime) -> Published:
        """Say again "this is the newest" with the two online keys: a quiet month must not look like a freeze."""
        with _alone(self._folder):
            before = self.published()
            files: dict[str, bytes] = {}
            self._online(before, before.snapshot.signed.meta, signers, now, files)
            self._switch(files)
            return self.published()

    def refresh_for_carriers(self, signers: Signers, now: datetime) -> Published:
        """As `refresh`, for longer: a stick that leaves today may be read in two months."""
        with _alone(self._folder):
            before = self.published()
            files: dict[str, bytes] = {}
            self._online(before, before.snapshot.signed.meta, signers, now, files, days=CARRIED_DAYS)
            self._switch(files)
            return self.published()

    def renew_root(self, signers: Signers, now: datetime) -> int:
        """Sign the next root with the same keys before the present one expires; returns its number."""
        with _alone(self._folder):
            root = self.published().root
            root.signed.version += 1
            root.signed.expires = now + timedelta(days=ROOT_DAYS)
            place(self.metadata / f"{root.signed.version}.root.json", _sign(root, Root.type, signers, THRESHOLD))
            return root.signed.version

    def _next(
        self,
        before: Published,
        content: Mapping[str, bytes],
        county_content: Mapping[str, Mapping[str, bytes]],
        custom: Mapping[str, Any],
        signers: Signers,
        now: datetime,
    ) -> dict[str, bytes]:
        """Sign all metadata of the next release, timestamp last; nothing is written here."""
        files: dict[str, bytes] = {}
        meta: dict[str, MetaFile] = dict(before.snapshot.signed.meta)
        offline: list[tuple[str, Metadata[Targets], Mapping[str, bytes], int]] = [
            ("targets", before.targets, content, THRESHOLD)
        ]
        offline += [(role, before.counties[role], files_of, 1) for role, files_of in county_content.items()]
        for role, metadata, targets, threshold in offline:
            metadata.signed.version += 1
            metadata.signed.expires = now + timedelta(days=TARGETS_DAYS)
            metadata.signed.targets = {
                path: TargetFile.from_data(path, data, ["sha256"]) for path, data in targets.items()
            }
            if "catalog.json" in metadata.signed.targets:
                metadata.signed.targets["catalog.json"].unrecognized_fields["custom"] = dict(custom)
            files[f"{metadata.signed.version}.{role}.json"] = data = _sign(metadata, role, signers, threshold)
            meta[f"{role}.json"] = MetaFile.from_data(metadata.signed.version, data, ["sha256"])
        self._online(before, meta, signers, now, files)
        return files

    def _online(
        self,
        before: Published,
        meta: Mapping[str, MetaFile],
        signers: Signers,
        now: datetime,
        files: dict[str, bytes],
        *,
        days: int = TIMESTAMP_DAYS,
    ) -> None:
        snapshot = Snapshot(
            version=before.snapshot.signed.version + 1, expires=now + timedelta(days=SNAPSHOT_DAYS), meta=dict(meta)
        )
        data = _sign(Metadata(snapshot), Snapshot.type, signers, 1)
        files[f"{snapshot.version}.snapshot.json"] = data
        timestamp = Timestamp(
            version=before.timestamp.signed.version + 1,
            expires=now + timedelta(days=days),
            snapshot_meta=MetaFile.from_data(snapshot.version, data, ["sha256"]),
        )
        files["timestamp.json"] = _sign(Metadata(timestamp), Timestamp.type, signers, 1)

    def _switch(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            # the one name that is reused must change in one step, so it has no compressed copy beside it
            placing = place if name == "timestamp.json" else place_with_gzip
            placing(self.metadata / name, data)


def _unnumbered(signed: S) -> Metadata[S]:
    """Metadata before its first version: the next one signed is number 1."""
    signed.version = 0
    return Metadata(signed)


def _delegations(signers: Signers) -> Delegations:
    roles: dict[str, DelegatedRole] = {}
    keys: dict[str, Key] = {}
    for county in COUNTIES:
        (signer,) = signers[county_role(county)]
        keys[signer.public_key.keyid] = signer.public_key
        roles[county_role(county)] = DelegatedRole(
            name=county_role(county),
            keyids=[signer.public_key.keyid],
            threshold=1,
            terminating=True,
            paths=[f"county/{county}/*"],
        )
    return Delegations(keys=keys, roles=roles)
