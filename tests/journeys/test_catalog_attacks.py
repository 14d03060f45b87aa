"""Attacks on the real repository folder, served by the real gateway to running nodes.

Whatever lies in the repository: the courier refuses it, and when a courier that checks nothing lays it into the
mailbox, the node itself refuses it. The catalog that is in use stays in use, and the screen says so.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile

from city_gateway.catalog.key_files import open_offline, open_online
from city_gateway.catalog.repository import Repository, online_folder
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from provisioning.demo_world import CATALOG_PASSPHRASE, SEED_CATALOG, DemoNode
from tests.journeys.at_the_counter import Town, changed_catalog

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ITEM = "GA-YB-004"
FORGED = "伪造的条件"
CATALOG_ALARM = "catalog_refused"


def catalog_of(place: Town) -> Path:
    return place.world.gateway_folder / "catalog"


def couriers_refuse(place: Town, version: int) -> None:
    """Both couriers refuse what is served, the screens say so; the nodes go on working with what they have."""
    for node in (place.village, place.township):
        alarm_is_shown(place, node)
        line = Incoming(node.paths.incoming).line()
        assert line is not None
        assert (line.up, (line.last_error or "").startswith("catalog.refused.")) == (True, True)
        still_works(place, node, version)


def alarm_is_shown(place: Town, node: DemoNode) -> None:
    place.until(f"the alarm at {node.name}", lambda: CATALOG_ALARM in place.at(node).status().alarms)


def still_works(place: Town, node: DemoNode, version: int) -> None:
    """The catalog in use is whole and unforged, its age is known, and an application can be begun on it."""
    counter = place.at(node)
    status = counter.status()
    assert (status.catalog_version, status.catalog_expired, status.catalog_age_days) == (version, False, 0)
    assert FORGED not in str(counter.guide(ITEM).item)
    assert ITEM in counter.find("异地备案")


def laid_into_the_mailbox(place: Town, node: DemoNode) -> None:
    """A courier that checks nothing: the repository as it lies in the city's folder, under the names a node uses."""
    cache, served = node.paths.catalog_cache, catalog_of(place)
    (cache / "arrived.json").unlink()
    timestamp = Metadata[Any].from_bytes((served / "metadata" / "timestamp.json").read_bytes())
    snapshot_no = timestamp.signed.snapshot_meta.version
    snapshot = Metadata[Any].from_bytes((served / "metadata" / f"{snapshot_no}.snapshot.json").read_bytes())
    targets_no = snapshot.signed.meta["targets.json"].version
    shutil.copy(served / "metadata" / "timestamp.json", cache / "metadata" / "timestamp.json")
    shutil.copy(served / "metadata" / f"{snapshot_no}.snapshot.json", cache / "metadata" / "snapshot.json")
    shutil.copy(served / "metadata" / f"{targets_no}.targets.json", cache / "metadata" / "targets.json")
    targets = Metadata[Any].from_bytes((cache / "metadata" / "targets.json").read_bytes())
    for path, target in targets.signed.targets.items():
        folder, _, name = path.rpartition("/")
        source = served / "targets" / folder / f"{target.hashes['sha256']}.{name}"
        (cache / "targets" / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, cache / "targets" / path)
    (cache / "arrived.json").write_text(
        f'{{"root":1,"timestamp":{timestamp.signed.version},"snapshot":{snapshot_no},"targets":{targets_no},'
        f'"catalog":99,"fetched_at":"{datetime.now(UTC).isoformat()}"}}'
    )


def the_node_itself_refuses(place: Town, node: DemoNode, version: int) -> None:
    """What its courier laid down is refused by the node, with an alarm on its screen."""
    node.agent.stop()
    Incoming(node.paths.incoming).put_line(LineState(up=True))  # a courier that has nothing to complain of
    assert place.at(node).status().alarms == []
    laid_into_the_mailbox(place, node)
    alarm_is_shown(place, node)
    still_works(place, node, version)
    place.power_fails(node)
    place.power_is_back(node)
    alarm_is_shown(place, node)
    still_works(place, node, version)


def test_a_tampered_target_is_refused_by_courier_and_node_and_the_old_catalog_works_on(place: Town) -> None:
    for node in (place.village, place.township):
        node.line.cut()  # or a courier might come before the thief
    place.world.publish_catalog(changed_catalog(place.world.folder / "source", ITEM, "一条真的新条件"))
    targets = catalog_of(place) / "targets"
    for path in [*(targets / "items").glob("*.yibao.json"), *(targets / "changes").glob("*.json")]:
        path.write_bytes(path.read_bytes().replace("一条真的新条件".encode(), FORGED.encode()))
    for path in [*(targets / "items").glob("*.yibao.json.gz"), *(targets / "changes").glob("*.json.gz")]:
        path.unlink()
    for node in (place.village, place.township):
        place.line_is_back(node)
    couriers_refuse(place, 1)
    the_node_itself_refuses(place, place.village, 1)


def test_a_repository_rolled_back_to_yesterday_is_refused_by_courier_and_node(place: Town) -> None:
    yesterday = place.world.folder / "yesterday"
    shutil.copytree(catalog_of(place), yesterday)
    place.world.publish_catalog(changed_catalog(place.world.folder / "source", ITEM, "今天的条件"))
    for node in (place.village, place.township):
        place.until_catalog(node, 2)
    shutil.rmtree(catalog_of(place))
    shutil.copytree(yesterday, catalog_of(place))
    couriers_refuse(place, 2)
    assert "今天的条件" in place.at(place.village).guide(ITEM).item["conditions"]
    the_node_itself_refuses(place, place.village, 2)
    assert "今天的条件" in place.at(place.village).guide(ITEM).item["conditions"]


def test_a_release_signed_by_one_holder_alone_is_refused_by_courier_and_node(place: Town) -> None:
    forge(place)
    couriers_refuse(place, 1)
    the_node_itself_refuses(place, place.village, 1)


def test_after_an_attack_the_next_true_release_is_taken_and_the_alarm_ends(place: Town) -> None:
    served, kept = catalog_of(place), place.world.folder / "kept"
    shutil.copytree(served, kept)
    forge(place)
    the_node_itself_refuses(place, place.village, 1)
    shutil.rmtree(served)
    shutil.copytree(kept, served)
    place.world.publish_catalog(SEED_CATALOG)
    place.village.agent.start()
    place.until_catalog(place.village, 2)
    assert place.at(place.village).status().alarms == []


def forge(place: Town) -> None:
    """The thief has the city's disk, its online keys included, and one of the three holders' sticks."""
    folder = place.world.gateway_folder
    online = open_online(online_folder(folder))
    (stolen, *_) = open_offline(place.world.keys_folder, lambda _name: CATALOG_PASSPHRASE, ["targets"])["targets"]
    published = Repository(folder).published()
    parts = (published.targets, published.snapshot, published.timestamp)
    for part in parts:
        part.signed.version += 1
        part.signed.expires = datetime.now(UTC) + timedelta(days=1)
    version = published.targets.signed.version
    targets = signed_by(published.targets, stolen)
    published.snapshot.signed.meta["targets.json"] = MetaFile.from_data(version, targets, ["sha256"])
    snapshot = signed_by(published.snapshot, online["snapshot"][0])
    snapshot_no = published.snapshot.signed.version
    published.timestamp.signed.snapshot_meta = MetaFile.from_data(snapshot_no, snapshot, ["sha256"])
    timestamp = signed_by(published.timestamp, online["timestamp"][0])
    metadata = folder / "catalog" / "metadata"
    (metadata / f"{version}.targets.json").write_bytes(targets)
    (metadata / f"{snapshot_no}.snapshot.json").write_bytes(snapshot)
    (metadata / "timestamp.json").write_bytes(timestamp)
    for stale in metadata.glob("timestamp.json.gz"):
        stale.unlink()


def signed_by(metadata: Metadata[Any], signer: CryptoSigner) -> bytes:
    metadata.signatures.clear()
    metadata.sign(signer)
    return metadata.to_bytes()
