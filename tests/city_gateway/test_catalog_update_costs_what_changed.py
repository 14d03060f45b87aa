"""A node that has the last catalog fetches what changed in it; whatever goes wrong with that costs bytes only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from city_gateway.catalog.telling_changes import KEPT
from tests.city_gateway.catalog_world import SEED, CatalogWorld
from wire.catalog_changes import changes_path

pytestmark = pytest.mark.node


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    """A city with one release, and a node that has it."""
    made = CatalogWorld.published(tmp_path)
    made.fetch()
    made.requests.clear()
    return made


def publish_a_change(world: CatalogWorld, note: str) -> int:
    """The next release: the first item has one more condition."""
    folder = world.folder.parent / "source"
    if not folder.exists():
        shutil.copytree(SEED, folder)
    items = json.loads((folder / "items.json").read_text("utf-8"))
    items["items"][0]["conditions"].append(note)
    (folder / "items.json").write_text(json.dumps(items, ensure_ascii=False), "utf-8")
    return world.publish(folder)


def conditions(world: CatalogWorld) -> list[str]:
    """What the node's copy says of that item."""
    items = json.loads((world.cache / "targets" / "items" / "yibao.json").read_text("utf-8"))["items"]
    found: list[str] = next(item["conditions"] for item in items if item["item_id"] == "GA-YB-001")
    return found


def fetched_targets(world: CatalogWorld) -> set[str]:
    """Which targets went over the line, without the hashes in their names."""
    targets = [path for path in world.requests if "/targets/" in path]
    return {path.partition("/targets/")[2].replace(path.rpartition("/")[2].split(".")[0] + ".", "") for path in targets}


def test_an_update_fetches_what_changed_and_not_the_file_it_changed_in(world: CatalogWorld) -> None:
    publish_a_change(world, "新条件")
    assert world.fetch().catalog == 2
    assert fetched_targets(world) == {"catalog.json", changes_path(1, 2)}
    assert conditions(world)[-1] == "新条件"


def test_a_node_that_missed_releases_follows_them_one_by_one(world: CatalogWorld) -> None:
    for note in ("一", "二", "三"):
        publish_a_change(world, note)
    assert world.fetch().catalog == 4
    assert fetched_targets(world) == {"catalog.json", changes_path(1, 2), changes_path(2, 3), changes_path(3, 4)}
    assert conditions(world)[-3:] == ["一", "二", "三"]


def test_a_node_that_is_further_behind_than_is_kept_fetches_the_file(world: CatalogWorld) -> None:
    for number in range(KEPT + 1):
        publish_a_change(world, f"第{number}条")
    newest = world.repository.published()
    kept = [path for path in newest.targets.signed.targets if path.startswith("changes/")]
    assert len(kept) == KEPT
    world.fetch()
    assert fetched_targets(world) == {"catalog.json", "items/yibao.json"}
    assert conditions(world)[-1] == f"第{KEPT}条"


def test_a_damaged_copy_is_fetched_whole(world: CatalogWorld) -> None:
    publish_a_change(world, "新条件")
    lying = world.cache / "targets" / "items" / "yibao.json"
    lying.write_bytes(lying.read_bytes().replace("医保".encode(), "假的".encode()))
    world.fetch()
    assert fetched_targets(world) == {"catalog.json", changes_path(1, 2), "items/yibao.json"}
    assert conditions(world)[-1] == "新条件"


def test_a_node_without_a_catalog_fetches_files_and_no_changes(world: CatalogWorld) -> None:
    publish_a_change(world, "新条件")
    shutil.rmtree(world.cache)
    world.fetch()
    assert not [path for path in fetched_targets(world) if path.startswith("changes/")]
    assert conditions(world)[-1] == "新条件"


@pytest.mark.parametrize("harm", ["lost", "tampered with"])
def test_changes_that_are_lost_or_tampered_with_cost_bytes_and_nothing_else(world: CatalogWorld, harm: str) -> None:
    publish_a_change(world, "新条件")
    for path in (world.folder / "catalog" / "targets" / "changes").glob("*.json"):
        if harm == "lost":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes().replace("新条件".encode(), "旧条件".encode()))
    world.fetch()
    assert "items/yibao.json" in fetched_targets(world)
    assert conditions(world)[-1] == "新条件"
    assert not (world.cache / "targets" / "changes").exists()
