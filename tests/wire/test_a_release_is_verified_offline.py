"""Catalog releases: the chain of roots, thresholds, versions, hashes, counties and expiry, one test per attack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from wire.errors import (
    ReleaseExpired,
    ReleaseIncomplete,
    ReleaseMalformed,
    ReleaseRefused,
    ReleaseRolledBack,
    ReleaseTampered,
    ReleaseUnsigned,
)
from wire.release import Release, Versions, verify_release

pytestmark = pytest.mark.fast

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
COUNTY = "county/511603"


def signers(name: str, count: int) -> list[CryptoSigner]:
    seeds = [f"{name} {number}".encode().ljust(32, b".")[:32] for number in range(count)]
    return [CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed)) for seed in seeds]


def signed(part: object, by: list[CryptoSigner]) -> bytes:
    metadata = Metadata(part)
    for signer in by:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


@dataclass
class City:
    """A repository in memory; every knob is one an attacker could turn."""

    keys: dict[str, list[CryptoSigner]] = field(
        default_factory=lambda: {
            "root": signers("root", 3),
            "targets": signers("targets", 3),
            "snapshot": signers("snapshot", 1),
            "timestamp": signers("timestamp", 1),
            COUNTY: signers("county", 1),
        }
    )
    versions: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(
        default_factory=lambda: {"catalog.json": b'{"version":3}', "items/yibao.json": "医保".encode()}
    )
    county_files: dict[str, bytes] = field(default_factory=lambda: {"county/511603/items.json": b"[]"})
    expires: datetime = LATER
    change: Callable[[str, object], None] = lambda _name, _part: None
    by: dict[str, list[CryptoSigner]] = field(default_factory=dict)

    def version(self, name: str) -> int:
        return self.versions.get(name, 1)

    def sign(self, name: str, part: object) -> bytes:
        self.change(name, part)
        default = self.keys[name][:2] if name in {"root", "targets"} else self.keys[name]
        return signed(part, self.by.get(name, default))

    def root(
        self, version: int = 1, keys: list[CryptoSigner] | None = None, by: list[CryptoSigner] | None = None
    ) -> bytes:
        part = Root(version=version, expires=LATER, consistent_snapshot=True)
        for name in ("root", "targets", "snapshot", "timestamp"):
            for signer in keys if keys and name == "root" else self.keys[name]:
                part.add_key(signer.public_key, name)
            part.roles[name].threshold = 2 if name in {"root", "targets"} else 1
        return signed(part, by or (keys or self.keys["root"])[:2])

    def publish(self) -> dict[str, object]:
        county = Targets(self.version(COUNTY), expires=self.expires)
        county.targets = {path: TargetFile.from_data(path, data) for path, data in self.county_files.items()}
        county_bytes = self.sign(COUNTY, county)
        targets = Targets(self.version("targets"), expires=self.expires)
        targets.targets = {path: TargetFile.from_data(path, data) for path, data in self.files.items()}
        targets.targets["catalog.json"].unrecognized_fields["custom"] = {"version": 3, "stage": "all"}
        key = self.keys[COUNTY][0].public_key
        role = DelegatedRole(COUNTY, [key.keyid], 1, terminating=True, paths=["county/511603/*"])
        targets.delegations = Delegations({key.keyid: key}, {COUNTY: role})
        targets_bytes = self.sign("targets", targets)
        snapshot = Snapshot(self.version("snapshot"), expires=self.expires)
        snapshot.meta = {
            "targets.json": MetaFile.from_data(self.version("targets"), targets_bytes, ["sha256"]),
            f"{COUNTY}.json": MetaFile.from_data(self.version(COUNTY), county_bytes, ["sha256"]),
        }
        snapshot_bytes = self.sign("snapshot", snapshot)
        timestamp = Timestamp(self.version("timestamp"), expires=self.expires)
        timestamp.snapshot_meta = MetaFile.from_data(self.version("snapshot"), snapshot_bytes, ["sha256"])
        return {
            "trusted_root": self.root(),
            "root_chain": [],
            "timestamp": self.sign("timestamp", timestamp),
            "snapshot": snapshot_bytes,
            "targets": targets_bytes,
            "delegated": {COUNTY: county_bytes},
            "files": (self.files | self.county_files).__getitem__,
            "accepted": None,
            "now": NOW,
        }


def checked(city: City, **other: object) -> Release:
    return verify_release(**(city.publish() | other))


def refused(error: type[ReleaseRefused], part: str, city: City, **other: object) -> None:
    with pytest.raises(error) as told:
        checked(city, **other)
    assert type(told.value) is error
    assert told.value.part == part


def test_a_good_release_gives_its_targets_one_by_one() -> None:
    release = checked(City())
    assert sorted(release) == ["catalog.json", "county/511603/items.json", "items/yibao.json"]
    assert release.read("items/yibao.json") == "医保".encode()
    assert release.custom("catalog.json") == {"version": 3, "stage": "all"}
    assert release.custom("items/yibao.json") == {}
    assert len(release.digest("items/yibao.json")) == 64
    assert (release.version, release.expired, "nothing.json" in release) == (1, False, False)
    assert Versions.from_plain(release.versions.to_plain()) == release.versions


def test_a_changed_or_missing_target_is_refused_when_it_is_read() -> None:
    changed = checked(City(), files=lambda _path: b"other")
    with pytest.raises(ReleaseTampered):
        changed.read("items/yibao.json")
    missing = checked(City(), files={}.__getitem__)
    with pytest.raises(ReleaseIncomplete):
        missing.read("items/yibao.json")
    with pytest.raises(ReleaseIncomplete):
        missing.read("nothing.json")


@pytest.mark.parametrize("name", ["targets", "snapshot", "timestamp", COUNTY])
def test_one_signature_too_few_is_refused(name: str) -> None:
    city = City()
    few = city.keys[name][:1] if name == "targets" else signers("stranger", 1)
    refused(ReleaseUnsigned, name, City(by={name: few}))


def test_the_same_key_twice_is_one_signature() -> None:
    one = City().keys["targets"][0]
    refused(ReleaseUnsigned, "targets", City(by={"targets": [one, one]}))


@pytest.mark.parametrize("name", ["targets", "snapshot", "timestamp"])
def test_parts_of_two_releases_do_not_mix(name: str) -> None:
    older = City(files={"catalog.json": b"old"}).publish()
    city = City(versions={"targets": 2, "snapshot": 2, "timestamp": 2})
    with pytest.raises((ReleaseTampered, ReleaseRolledBack)):
        checked(city, **{name: older[name]})


def test_a_changed_byte_in_any_metadata_is_refused() -> None:
    good = City().publish()
    for name in ("timestamp", "snapshot", "targets", "trusted_root"):
        data = good[name]
        assert isinstance(data, bytes)
        for at in range(0, len(data), 11):
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            with pytest.raises(ReleaseRefused):
                verify_release(**(good | {name: changed}))


@pytest.mark.parametrize("bad", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"signed":{"_type":"root"}}'])
def test_what_is_no_metadata_is_malformed(bad: bytes) -> None:
    refused(ReleaseMalformed, "timestamp", City(), timestamp=bad)
    refused(ReleaseMalformed, "root", City(), trusted_root=bad)


def test_one_role_cannot_stand_in_for_another() -> None:
    good = City().publish()
    refused(ReleaseMalformed, "timestamp", City(), timestamp=good["snapshot"])


@pytest.mark.parametrize("name", ["timestamp", "snapshot", "targets", COUNTY])
def test_an_older_release_never_replaces_a_newer_one(name: str) -> None:
    newer = City(versions={"timestamp": 5, "snapshot": 5, "targets": 5, COUNTY: 5})
    accepted = checked(newer).versions
    older = City(versions=dict(newer.versions) | {name: 4})
    with pytest.raises(ReleaseRolledBack) as told:
        checked(older, accepted=accepted)
    assert (told.value.part, told.value.accepted, told.value.offered) == (name, 5, 4)


def test_an_older_content_under_newer_versions_is_the_citys_right() -> None:
    accepted = checked(City()).versions
    rolled = City(files={"catalog.json": b'{"version":2}'}, versions={"timestamp": 2, "snapshot": 2, "targets": 2})
    assert checked(rolled, accepted=accepted).read("catalog.json") == b'{"version":2}'


def test_the_root_may_change_its_keys_one_version_at_a_time() -> None:
    city = City()
    new = signers("new root", 3)
    second = city.root(2, new, [*city.keys["root"][:2], *new[:2]])
    third = city.root(3, new)
    release = checked(city, root_chain=[city.root(), second, third])
    assert (release.versions.root, release.root) == (3, third)
    refused(ReleaseIncomplete, "root 2", city, root_chain=[third])
    refused(ReleaseUnsigned, "root", city, root_chain=[city.root(2, new)])
    refused(ReleaseUnsigned, "root", city, root_chain=[city.root(2, new, city.keys["root"][:2])])
    with pytest.raises(ReleaseRolledBack):
        checked(city, accepted=release.versions)


def test_fifty_rotations_of_the_root_are_followed() -> None:
    city = City()
    chain, keys = [], city.keys["root"]
    for version in range(2, 52):
        new = signers(f"root of {version}", 3)
        chain.append(city.root(version, new, [*keys[:2], *new[:2]]))
        keys = new
    assert checked(city, root_chain=chain).versions.root == 51


def test_a_county_cannot_sign_anything_but_its_own_paths() -> None:
    city = City(
        county_files={"items/yibao.json": b"forged", "county/511602/items.json": b"x", "county/511603/a.json": b"a"}
    )
    release = checked(city)
    assert release.read("county/511603/a.json") == b"a"
    assert "county/511602/items.json" not in release
    assert release.digest("items/yibao.json") == checked(City()).digest("items/yibao.json")


def test_missing_county_metadata_is_incomplete() -> None:
    refused(ReleaseIncomplete, COUNTY, City(), delegated={})


def test_expiry_blocks_what_is_new_and_never_what_was_accepted() -> None:
    city = City()
    accepted = checked(city).versions
    much_later = LATER + timedelta(days=1)
    assert checked(city, accepted=accepted, now=much_later).expired
    refused(ReleaseExpired, "root", city, now=much_later)
    refused(ReleaseExpired, "timestamp", City(expires=NOW - timedelta(days=1)))


def test_a_wrong_county_hash_is_tampering() -> None:
    other = City(county_files={"county/511603/b.json": b"b"}).publish()
    refused(ReleaseTampered, COUNTY, City(), delegated=other["delegated"])
