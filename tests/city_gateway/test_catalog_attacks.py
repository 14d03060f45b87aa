"""What an attacker with the gateway's disk, one key holder's key or the line can do to a node's catalog: nothing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Targets

from city_gateway.catalog import publication
from city_gateway.catalog.errors import TooFewSignatures, VersionNotRising
from city_gateway.catalog.key_files import open_offline, open_online
from city_gateway.catalog.repository import online_folder
from sync_agent.catalog_fetch import CatalogNotReachable, CatalogRefused, read_marker
from tests.city_gateway.catalog_world import PASSPHRASE, SEED, CatalogWorld, passphrase_of
from wire.errors import ReleaseExpired, ReleaseIncomplete, ReleaseRolledBack, ReleaseTampered, ReleaseUnsigned
from wire.release import Release, Versions, verify_release

pytestmark = pytest.mark.node


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    return CatalogWorld.published(tmp_path)


def verified(world: CatalogWorld, accepted: Versions | None = None, now: datetime | None = None) -> Release:
    """What edge_node does with the files in the mailbox."""
    metadata = world.cache / "metadata"
    return verify_release(
        trusted_root=world.root,
        root_chain=[path.read_bytes() for path in sorted((metadata / "root_history").iterdir())],
        timestamp=(metadata / "timestamp.json").read_bytes(),
        snapshot=(metadata / "snapshot.json").read_bytes(),
        targets=(metadata / "targets.json").read_bytes(),
        files=lambda path: (world.cache / "targets" / path).read_bytes(),
        accepted=accepted,
        now=now or datetime.now(UTC),
        delegated={path.stem: path.read_bytes() for path in metadata.glob("county-*.json")},
    )


def test_a_fetched_release_is_verified_offline_and_every_target_reads(world: CatalogWorld) -> None:
    arrived = world.fetch()
    release = verified(world)
    assert json.loads(release.read("catalog.json"))["version"] == arrived.catalog == 1
    assert release.custom("catalog.json")["version"] == 1
    assert {path for path in release if path.startswith("items/")} >= {"items/yibao.json", "items/minzheng.json"}
    for path in release:
        assert release.read(path)


def test_a_quiet_refresh_fetches_no_target(world: CatalogWorld) -> None:
    first = world.fetch()
    world.requests.clear()
    assert world.fetch() == first
    assert not [path for path in world.requests if "/targets/" in path]


def test_a_tampered_target_is_refused_and_the_old_release_stays(world: CatalogWorld) -> None:
    before = world.fetch()
    world.publish(changed_source(world, "one more condition"))
    served = world.folder / "catalog" / "targets"
    for path in [*(served / "items").glob("*.yibao.json"), *(served / "changes").glob("*.json")]:
        path.write_bytes(path.read_bytes().replace("医保".encode(), "假的".encode()).replace(b"more", b"evil"))
    with pytest.raises(CatalogRefused) as refused:
        world.fetch()
    assert refused.value.check == "LengthOrHashMismatchError"
    assert read_marker(world.cache) == before
    assert verified(world).version == before.targets


def changed_source(world: CatalogWorld, note: str) -> Path:
    """A source that differs from the seed in one item."""
    folder = world.folder.parent / "source"
    shutil.copytree(SEED, folder, dirs_exist_ok=True)
    items = json.loads((folder / "items.json").read_text("utf-8"))
    items["items"][0]["conditions"].append(note)
    (folder / "items.json").write_text(json.dumps(items, ensure_ascii=False), "utf-8")
    return folder


def test_a_rolled_back_repository_is_refused_by_courier_and_node(world: CatalogWorld) -> None:
    old = world.folder.parent / "yesterday"
    shutil.copytree(world.folder, old)
    world.publish()
    newer = world.fetch()
    accepted = verified(world).versions
    shutil.rmtree(world.folder / "catalog")
    shutil.copytree(old / "catalog", world.folder / "catalog")
    with pytest.raises(CatalogRefused) as refused:
        world.fetch()
    assert refused.value.check == "BadVersionNumberError"
    assert read_marker(world.cache) == newer
    shutil.rmtree(world.cache)  # a courier that forgot everything brings the old release on a stick
    world.fetch()
    with pytest.raises(ReleaseRolledBack):
        verified(world, accepted)


def test_a_release_signed_by_a_single_holder_cannot_be_published(world: CatalogWorld) -> None:
    for name in ("targets-2.pem", "targets-3.pem"):
        (world.keys / name).unlink()
    with pytest.raises(TooFewSignatures) as refused:
        world.publish()
    assert refused.value.fields == {"role": "targets", "needed": 2, "at_hand": 1}
    assert world.repository.published().content_version == 1


def test_a_release_forged_with_one_stolen_key_is_refused_by_courier_and_node(world: CatalogWorld) -> None:
    """The thief has one holder's stick and the whole gateway, online keys included."""
    before = world.fetch()
    metadata = world.folder / "catalog" / "metadata"
    now = datetime.now(UTC)
    online = open_online(online_folder(world.folder))
    (stolen, *_) = open_offline(world.keys, passphrase_of, ["targets"])["targets"]
    published = world.repository.published()
    forged = {"targets": published.targets, "snapshot": published.snapshot, "timestamp": published.timestamp}
    for part in forged.values():
        part.signed.version += 1
        part.signed.expires = now + timedelta(days=1)
    targets = sign(published.targets, stolen)
    published.snapshot.signed.meta["targets.json"] = MetaFile.from_data(3, targets, ["sha256"])
    snapshot = sign(published.snapshot, online["snapshot"][0])
    published.timestamp.signed.snapshot_meta = MetaFile.from_data(3, snapshot, ["sha256"])
    timestamp = sign(published.timestamp, online["timestamp"][0])
    (metadata / "3.targets.json").write_bytes(targets)
    (metadata / "3.snapshot.json").write_bytes(snapshot)
    (metadata / "timestamp.json").write_bytes(timestamp)
    with pytest.raises(CatalogRefused) as refused:
        world.fetch()
    assert refused.value.check == "UnsignedMetadataError"
    assert read_marker(world.cache) == before
    for name, data in (("targets", targets), ("snapshot", snapshot), ("timestamp", timestamp)):
        (world.cache / "metadata" / f"{name}.json").write_bytes(data)
    with pytest.raises(ReleaseUnsigned):
        verified(world)


def sign(metadata: Metadata[Any], signer: CryptoSigner) -> bytes:
    metadata.signatures.clear()
    metadata.sign(signer)
    return metadata.to_bytes()


def test_a_file_changed_in_the_mailbox_is_noticed_when_it_is_read(world: CatalogWorld) -> None:
    world.fetch()
    target = world.cache / "targets" / "items" / "yibao.json"
    target.write_bytes(target.read_bytes()[:-1] + b" ")
    release = verified(world)
    with pytest.raises(ReleaseTampered):
        release.read("items/yibao.json")
    (world.cache / "targets" / "faq.json").unlink()
    with pytest.raises(ReleaseIncomplete):
        release.read("faq.json")


def test_expiry_blocks_new_data_and_never_what_was_accepted(world: CatalogWorld) -> None:
    world.fetch()
    later = datetime.now(UTC) + timedelta(days=4000)
    accepted = verified(world).versions
    assert verified(world, accepted, later).expired
    with pytest.raises(ReleaseExpired):
        verified(world, None, later)


def test_a_county_cannot_speak_for_its_neighbour_or_for_the_city(world: CatalogWorld) -> None:
    signers = dict(open_offline(world.keys, passphrase_of, ["county-511603", "targets"]))
    signers |= open_online(online_folder(world.folder))
    own = {"county/511603/notice.json": b"{}"}
    stolen = {"county/511602/notice.json": b"{}", "items/yibao.json": b'{"items":[]}'}
    before = world.repository.published()
    content = {path: world.repository.target(before, path) or b"" for path in before.targets.signed.targets}
    world.repository.publish(content, {"county-511603": own | stolen}, {"version": 2}, signers, datetime.now(UTC))
    world.fetch()
    release = verified(world)
    assert release.read("county/511603/notice.json") == b"{}"
    assert "county/511602/notice.json" not in release
    assert json.loads(release.read("items/yibao.json"))["items"]
    assert not (world.cache / "targets" / "county" / "511602").exists()


def test_the_chain_of_roots_reaches_a_node_that_only_knows_the_first(world: CatalogWorld) -> None:
    world.fetch()
    assert publication.renew_root(world.folder, world.keys, passphrase_of, datetime.now(UTC)) == 2
    publication.refresh(world.folder, datetime.now(UTC))
    assert world.fetch().root == 2
    release = verified(world)
    assert release.versions.root == 2


def test_content_versions_only_rise(world: CatalogWorld) -> None:
    with pytest.raises(VersionNotRising):
        world.publish(version=1)
    assert world.publish(version=7) == 7
    assert world.publish() == 8


def test_no_line_and_a_captive_portal_are_only_not_now(world: CatalogWorld) -> None:
    before = world.fetch()

    def dropped(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no line")

    def portal(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<html>please pay</html>")

    def elsewhere(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "http://portal.invalid/"})

    for answer in (dropped, portal, elsewhere):
        with pytest.raises(CatalogNotReachable):
            world.fetch(httpx.MockTransport(answer))
        assert read_marker(world.cache) == before


def test_a_crash_while_a_release_is_moved_in_is_mended_by_the_next_fetch(world: CatalogWorld) -> None:
    world.fetch()
    newer = world.publish(changed_source(world, "one more condition"))
    (world.cache / "arrived.json").unlink()
    (world.cache / "targets" / "items" / "yibao.json").write_bytes(b"torn")
    assert world.fetch().catalog == newer
    assert "one more condition" in verified(world).read("items/yibao.json").decode()


def test_key_files_are_private_and_do_not_open_without_the_passphrase(world: CatalogWorld) -> None:
    for path in [*world.keys.iterdir(), *online_folder(world.folder).iterdir()]:
        assert path.stat().st_mode & 0o077 == 0
    for path in world.keys.iterdir():
        assert b"ENCRYPTED" in path.read_bytes()
    assert PASSPHRASE.encode() not in b"".join(path.read_bytes() for path in world.keys.iterdir())
    targets = Metadata[Targets].from_bytes((world.folder / "catalog/metadata/2.targets.json").read_bytes())
    assert len(targets.signatures) == 3
