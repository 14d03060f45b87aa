"""After a release: compared before it is signed, given to more nodes, paused, rolled back; and seen in the console."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from casework.application import Role
from city_gateway.acts.adoption import catalog_view
from city_gateway.acts.gateway import CITY_REGION
from city_gateway.catalog import staging
from city_gateway.catalog.comparing import Change, Content, compare, lines_of
from city_gateway.catalog.errors import ReleaseUnknown, SourceRefused, StageRegionUnknown, TooFewSignatures
from city_gateway.catalog.publication import Rollout
from city_gateway.catalog.release_commands import app
from city_gateway.folder import GatewayFolder
from city_gateway.keys import make_keys
from city_gateway.wording import sentences
from tests.city_gateway.catalog_world import PASSPHRASE, RECIPIENT, SEED, CatalogWorld, passphrase_of
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, City
from tests.city_gateway.test_the_back_office_rules import clerk, sign_in
from tests.edge_node.notices import notice

pytestmark = pytest.mark.node
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    return CatalogWorld.published(tmp_path / "world")


def edited(tmp_path: Path, **edits: Edit) -> Path:
    """A source in which some files were changed."""
    source = tmp_path / f"source{len(list(tmp_path.iterdir()))}"
    shutil.copytree(SEED, source)
    for name, edit in edits.items():
        path = source / f"{name}.json"
        plain = json.loads(path.read_text())
        edit(plain)
        path.write_text(json.dumps(plain, ensure_ascii=False))
    return source


def item(plain: dict[str, Any], item_id: str) -> dict[str, Any]:
    return next(one for one in plain["items"] if one["item_id"] == item_id)


def read(world: CatalogWorld, path: str) -> Any:
    found = world.repository.target(world.repository.published(), path)
    return json.loads(found) if found is not None else None


def files(world: CatalogWorld) -> dict[str, str]:
    targets = world.repository.published().targets.signed.targets
    return {path: info.hashes["sha256"] for path, info in targets.items()}


def restage(world: CatalogWorld, **change: Any) -> Rollout:
    return staging.restage(
        world.folder, world.keys, passphrase_of, lambda now: replace(now, **change), datetime.now(UTC)
    )


def roll_back(world: CatalogWorld, to: int) -> int:
    published = staging.roll_back(
        world.folder, world.keys, passphrase_of, to=to, recipients=[RECIPIENT], rollout=Rollout(), now=datetime.now(UTC)
    )
    return published.content_version


def test_what_a_source_would_change_is_told_before_it_is_signed(world: CatalogWorld, tmp_path: Path) -> None:
    def items(plain: dict[str, Any]) -> None:
        changed = item(plain, "GA-YB-001")
        changed["name"] = "换了名称"
        changed["materials"][0]["copies"] = 7

    def forms(plain: dict[str, Any]) -> None:
        form = next(one for one in plain["forms"] if one["form_id"] == "F-GA-YB-001")
        form["sections"][0]["fields"][0]["label"] = "换了栏名"

    def notices(plain: dict[str, Any]) -> None:
        plain["notices"].append(plain["notices"][0] | {"notice_id": "N-9", "title": "新公告"})

    before = files(world)
    source = edited(tmp_path, items=items, forms=forms, notices=notices)
    found = staging.compared_with_source(world.folder, source, datetime.now(UTC))
    assert [(one.kind, one.how, one.id) for one in found] == [
        ("items", "changed", "GA-YB-001"),
        ("forms", "changed", "F-GA-YB-001"),
        ("notices", "added", "N-9"),
    ]
    assert [part.partition(":")[0] for part in found[0].parts] == ["material_changed", "value"]
    assert found[1].parts == ("field_changed:换了栏名",)
    assert all("compare." not in line for line in lines_of(found)), "every part has words"
    assert files(world) == before
    assert staging.compared_with_source(world.folder, SEED, datetime.now(UTC)) == []


def test_a_stage_changes_who_takes_a_release_and_no_file_of_it(world: CatalogWorld) -> None:
    world.publish(rollout=Rollout(percent=10, regions=("511603",)))
    before, version = files(world), world.repository.published().content_version
    world.fetch()
    assert restage(world, percent=50).regions == ("511603",), "what was not said stays"
    restage(world, paused=True)
    published = world.repository.published()
    assert (files(world), published.content_version) == (before, version)
    assert staging.stage_of(published) == replace(
        Rollout(percent=50, regions=("511603",), paused=True), effective_from=staging.stage_of(published).effective_from
    )
    arrived = world.fetch()
    assert arrived is not None
    kept = json.loads((world.cache / "metadata" / "targets.json").read_text())
    assert kept["signed"]["targets"]["catalog.json"]["custom"]["rollout"]["paused"] is True, "a node hears of it"
    assert restage(world, paused=False).paused is False


@pytest.mark.parametrize("region", ["前锋区", "511699", "5116031", "511603199201"])
def test_a_stage_for_a_region_that_nobody_lives_in_is_refused(world: CatalogWorld, region: str) -> None:
    world.publish(rollout=Rollout(percent=10, regions=("511603106000", "511603106777")))
    before = (world.folder / "catalog" / "metadata" / "timestamp.json").read_bytes()
    with pytest.raises(StageRegionUnknown):
        restage(world, regions=(region,))
    with pytest.raises(StageRegionUnknown):
        world.publish(rollout=Rollout(regions=("511603", region)))
    assert (world.folder / "catalog" / "metadata" / "timestamp.json").read_bytes() == before


def test_a_stage_needs_two_holders_and_a_release(world: CatalogWorld, tmp_path: Path) -> None:
    before = (world.folder / "catalog" / "metadata" / "timestamp.json").read_bytes()
    for name in ("targets-1", "targets-2"):
        (world.keys / f"{name}.pem").unlink()
    with pytest.raises(TooFewSignatures):
        restage(world, paused=True)
    assert (world.folder / "catalog" / "metadata" / "timestamp.json").read_bytes() == before
    empty = CatalogWorld(tmp_path / "empty")
    empty.begin()
    with pytest.raises(ReleaseUnknown):
        restage(empty, paused=True)


def test_a_roll_back_is_an_older_content_under_a_newer_version(world: CatalogWorld, tmp_path: Path) -> None:
    first = {path: hash_ for path, hash_ in files(world).items() if path.startswith(("items/", "forms/", "notices"))}
    world.publish(
        edited(tmp_path, items=lambda plain: item(plain, "GA-YB-001").update(name="换了名称")),
        new_dictionary=True,
        revocation_number=1,
        revoked_nodes=["aa" * 16],
    )
    assert [one.id for one in staging.compared_with_version(world.folder, 1)] == ["GA-YB-001"]
    assert roll_back(world, to=1) == 3
    assert {path: files(world)[path] for path in first} == first
    assert read(world, "catalog.json")["version"] == 3
    assert read(world, "directory.json")["revocations"] == {"number": 1, "nodes": ["aa" * 16]}, "a list only grows"
    assert staging.compared_with_version(world.folder, 1) == []
    world.fetch()
    assert json.loads((world.cache / "metadata" / "targets.json").read_text())["signed"]["version"] >= 3
    assert roll_back(world, to=2) == 4
    assert item(read(world, _path_of(world, "GA-YB-001")), "GA-YB-001")["name"] == "换了名称"


def test_a_roll_back_takes_no_emergency_notice_back(world: CatalogWorld, tmp_path: Path) -> None:
    def ordered(plain: dict[str, Any]) -> None:
        plain["notices"][0] |= {"status": "active", "effective_from": "2026-11-01"}
        plain["notices"][0]["measures"].append({"code": "DEADLINE_POLICY", "params": {"effect": "unknown"}})

    world.publish(edited(tmp_path, notices=ordered))
    said = read(world, "notices.json")
    assert [one.kind for one in staging.compared_with_version(world.folder, 1)] == []
    assert roll_back(world, to=1) == 3
    assert read(world, "notices.json") == said


def _path_of(world: CatalogWorld, item_id: str) -> str:
    paths = read(world, "catalog.json")["items"]
    return next(path for path in paths if any(one["item_id"] == item_id for one in read(world, path)["items"]))


def test_a_version_that_was_never_published_is_refused_and_changes_nothing(world: CatalogWorld) -> None:
    before = files(world)
    for version in (0, 2, 9):
        with pytest.raises(ReleaseUnknown):
            roll_back(world, to=version)
    assert (files(world), world.repository.published().content_version) == (before, 1)


def test_an_old_file_that_was_changed_on_the_disk_is_not_published_again(world: CatalogWorld, tmp_path: Path) -> None:
    old = world.repository.published().targets.signed.targets[_path_of(world, "GA-YB-001")].get_prefixed_paths()[0]
    world.publish(edited(tmp_path, items=lambda plain: item(plain, "GA-YB-001").update(name="换了名称")))
    (world.repository.targets / old).write_bytes(b"{}")
    with pytest.raises(ReleaseUnknown):
        roll_back(world, to=1)
    assert world.repository.published().content_version == 2


def test_a_source_is_checked_without_a_key(tmp_path: Path) -> None:
    assert len(staging.checked(SEED).listed("items")) > 50
    with pytest.raises(SourceRefused):
        staging.checked(edited(tmp_path, items=lambda plain: plain["items"].append(plain["items"][0])))


def test_the_commands_lead_from_a_look_to_a_roll_back(tmp_path: Path) -> None:
    folder, keys = tmp_path / "gateway", tmp_path / "keys"
    make_keys(GatewayFolder(folder).keys, os.urandom)
    runner, signed = CliRunner(), ["--folder", str(folder), "--keys", str(keys), "--passphrase-stdin"]

    def run(*command: str) -> str:
        said = runner.invoke(app, command, input=f"{PASSPHRASE}\n")
        assert said.exit_code == 0, said.output
        return said.output

    run("init", *signed)
    run("check", "--source", str(SEED))
    run("publish", *signed, "--source", str(SEED), "--percent", "10")
    other = edited(tmp_path, items=lambda plain: item(plain, "GA-YB-001").update(name="换了名称"))
    assert "GA-YB-001" in run("compare", "--folder", str(folder), "--source", str(other))
    assert "50%" in run("stage", *signed, "--percent", "50", "--region", "511603")
    assert "511603" in run("pause", *signed)
    assert "511603" not in run("stage", *signed, "--everywhere")
    run("resume", *signed)
    run("publish", *signed, "--source", str(other))
    assert "GA-YB-001" in run("roll-back", *signed, "--to", "1")
    nothing = runner.invoke(app, ["compare", "--folder", str(folder), "--to", "1"]).output
    assert sentences("zh_CN")["compare.nothing"] in nothing
    assert runner.invoke(app, ["roll-back", *signed, "--to", "7"], input=f"{PASSPHRASE}\n").exit_code == 1


ENTRIES = st.dictionaries(
    st.sampled_from("ABC"),
    st.fixed_dictionaries({"name": st.sampled_from("xy"), "fee": st.integers(0, 2)}),
    max_size=3,
)


@given(ENTRIES, ENTRIES)
def test_every_entry_that_differs_is_told_once_and_nothing_else(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = compare(Content({"policies": old}, {}), Content({"policies": new}, {}))
    told = {(one.id, one.how) for one in found}
    assert len(told) == len(found)
    assert told == {
        *((key, "added") for key in new.keys() - old.keys()),
        *((key, "removed") for key in old.keys() - new.keys()),
        *((key, "changed") for key in old.keys() & new.keys() if old[key] != new[key]),
    }
    assert all(one.parts for one in found if one.how == "changed")
    assert compare(Content({"policies": new}, {}), Content({"policies": new}, {})) == []


def test_a_change_is_a_sentence_in_both_languages() -> None:
    one = Change("items", "changed", "GA-1", "名称", ("value:fee", "material_added:照片", "layout:"))
    assert all("GA-1" in line and "fee" in line for line in lines_of([one]))


async def test_the_console_shows_who_has_which_version_and_a_silent_node_is_unknown(city: City, tmp_path: Path) -> None:
    world = CatalogWorld(tmp_path)  # its gateway folder is the city's
    world.begin()
    world.publish()
    speaking, silent, never = await city.enrol(), await city.enrol("village", OTHER_VILLAGE), await city.enrol()
    await silent.exchange()
    city.clock.forward(hours=25)
    await speaking.exchange()
    world.publish(revocation_number=1, revoked_nodes=[never.document.node_id], rollout=Rollout(percent=10))
    view = catalog_view(city.gateway, CITY_REGION)
    assert [(one.version, one.nodes, one.in_force) for one in view.releases] == [(2, 0, True), (1, 1, False)]
    assert (view.silent, [line.node.node_id for line in view.revoked]) == (1, [never.document.node_id])
    clerk(city)
    await sign_in(city)
    assert (await city.client.get("/office/catalog")).status_code == 403
    clerk(city, role=Role.ADMINISTRATOR)
    await sign_in(city)
    page = (await city.client.get("/office/catalog")).text
    assert "10%" in page
    assert never.document.node_id in page
    assert json.loads((SEED / "notices.json").read_text())["notices"][0]["title"] in page


async def test_a_notice_that_another_one_ended_is_not_in_force_at_the_console(city: City, tmp_path: Path) -> None:
    def notices(plain: dict[str, Any]) -> None:
        earlier = notice(notice_id="N-A", effective_from="2026-03-02", effective_to=None)
        plain["notices"] += [earlier, notice(notice_id="N-B", effective_from="2026-03-20", supersedes=["N-A"])]

    world = CatalogWorld(tmp_path)
    world.begin()
    world.publish(source=edited(tmp_path, notices=notices))
    now = city.clock().date()
    assert date(2026, 3, 20) < now < date(2026, 12, 4)
    shown = [one.in_force for one in catalog_view(city.gateway, CITY_REGION).notices]
    assert shown == [False, False, True]


async def test_without_a_catalog_the_page_says_so(city: City) -> None:
    clerk(city, CITY_REGION, Role.ADMINISTRATOR)
    await city.enrol()
    await sign_in(city)
    page = await city.client.get("/office/catalog")
    assert (page.status_code, sentences("zh_CN")["catalog.page.none"] in page.text) == (200, True)
