"""A catalog comes down: verified again offline and activated whole, or refused while the old one stays in use."""

import copy
import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from casework.errors import CaseworkError
from casework.working_days import Calendar
from city_gateway.catalog import publication
from edge_node.acts import (
    activate_catalog,
    catalog_release,
    catalogue_reading,
    collecting,
    drafting,
    mail_out,
    readiness,
)
from edge_node.acts.status import status
from edge_node.counter.errors import CatalogRefused, UnknownItem
from offline_store.desk import catalog, state
from offline_store.errors import DeskBusy, DeskFull
from sync_agent.report import node_report
from tests.city_gateway.catalog_world import SEED, CatalogWorld
from tests.edge_node.village import HandClock, Village, seed, seed_edition
from wire.errors import WireError

pytestmark = pytest.mark.node

ITEM = "GA-YB-001"


@pytest.fixture
def world(tmp_path):
    made = CatalogWorld(tmp_path / "city")
    made.begin()
    made.publish()
    return made


@pytest.fixture
def village(tmp_path, world):
    made = Village.at(tmp_path / "node", catalog=False, tuf_root=world.root, clock=HandClock(wall=datetime.now(UTC)))
    world.cache = made.counter.paths.catalog_cache
    world.fetch()
    made.mail.turn()
    return made


def version(village: Village) -> int | None:
    with village.counter.desk.reading() as tx:
        found = catalog.active(tx)
    return found.version if found else None


def changed_source(world: CatalogWorld, folder, **changes) -> None:
    """The seed with one item changed, published."""
    shutil.copytree(SEED, folder)
    for name, change in (("items", changes.get("item")), ("forms", changes.get("form"))):
        path = folder / f"{name}.json"
        plain = json.loads(path.read_text("utf-8"))
        for one in plain[name]:
            if one["item_id"] == ITEM and change is not None:
                change(one)
        path.write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
    world.publish(folder)


def test_the_first_catalog_is_activated_with_its_index_and_initials(village):
    assert version(village) == 1
    found = catalogue_reading.search(village.counter, "hzyl")  # 合作医疗, an alias
    assert ITEM in [row.item_id for row in found.rows]
    bar = status(village.counter)
    assert (bar.catalog_version, bar.catalog_age_days, bar.catalog_expired, bar.alarms) == (1, 0, False, [])
    village.mail.turn()
    assert "catalog_applied" in village.noted()
    assert village.counter.outgoing.facts().catalog_version == 1


def test_the_citys_keys_are_taken_from_the_signed_directory(village):
    with village.counter.desk.reading() as tx:
        assert village.counter.shelf.directory_recipients(tx) == (bytes(range(32)),)


def test_a_station_whose_right_was_withdrawn_learns_it_offline_from_the_signed_list_and_tells_the_city(village, world):
    own = village.counter.node.node_id
    world.publish(revocation_number=1, revoked_nodes=["aa" * 16])
    world.fetch()
    village.mail.turn()
    assert status(village.counter).alarms == [], "somebody else's"
    world.publish(revocation_number=2, revoked_nodes=["aa" * 16, own])
    world.fetch()
    village.mail.turn()
    bar = status(village.counter)
    assert (bar.alarms, bar.conditions[0].why, bar.conditions[0].who) == (["revoked"], "right_withdrawn", "city")
    mail_out.put_facts(village.counter)
    report = node_report(village.counter.outgoing, village.counter.paths.root, ops=0, scans=0)
    assert report.alarms == ["revoked"]


def test_a_draft_that_is_open_meanwhile_is_collected_under_its_own_version(village, world, tmp_path):
    draft_id = village.filled()

    def more(form):
        form["sections"][1]["fields"].append(
            {"id": "a_new_field", "label": "新增的一栏", "type": "text", "required": True}
        )

    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"), form=more)
    world.fetch()
    village.mail.turn()
    assert version(village) == 2
    summary = readiness.summary(village.counter, village.who, draft_id)
    assert summary.ready
    assert ("field_added", "a_new_field", "新增的一栏") in [
        (one.kind, one.ref, one.label) for one in summary.catalog_changes
    ]
    assert drafting.show(village.counter, village.who, draft_id).newer_version == 2
    village = village.restarted()
    slip = collecting.collect(village.counter, village.who, draft_id)
    from edge_node.acts import listing

    assert listing.detail(village.counter, village.who, slip.application_id).catalog_version == 1


def test_a_draft_carried_over_keeps_what_was_typed_and_asks_for_the_new(village, world, tmp_path):
    draft_id = village.filled()
    before = drafting.show(village.counter, village.who, draft_id).values

    def more(form):
        form["sections"][1]["fields"].append(
            {"id": "a_new_field", "label": "新增的一栏", "type": "text", "required": True}
        )

    changed_source(world, tmp_path / "source", form=more)
    world.fetch()
    village.mail.turn()
    carried = drafting.carry_over(village.counter, village.who, draft_id)
    assert (carried.catalog_version, carried.newer_version, carried.values) == (2, None, before)
    summary = readiness.summary(village.counter, village.who, draft_id)
    assert [one.field_id for one in summary.problems] == ["a_new_field"]


def test_an_item_that_a_newer_catalog_dropped_is_finished_under_the_old_one(tmp_path):
    village = Village.at(tmp_path)
    draft_id = village.filled()
    activate_catalog.activate(village.counter, seed_edition(2, without=[ITEM]))
    with pytest.raises(UnknownItem):
        catalogue_reading.guide(village.counter, ITEM)
    assert catalogue_reading.guide(village.counter, ITEM, 1).catalog_version == 1
    with pytest.raises(UnknownItem):
        drafting.begin(village.counter, village.who, ITEM)
    assert [one.kind for one in readiness.summary(village.counter, village.who, draft_id).catalog_changes]
    collecting.collect(village.counter, village.who, draft_id)


def test_the_same_catalog_said_again_starts_its_age_anew(village, world):
    village.clock.passes(days=3)
    assert status(village.counter).catalog_age_days == 3
    marker = world.cache / "arrived.json"
    marker.write_text(marker.read_text("utf-8").replace('"fetched_at": "', '"fetched_at": "again '), "utf-8")
    village.mail.turn()
    assert (version(village), status(village.counter).catalog_age_days) == (1, 0)


def refused(village: Village) -> str:
    with pytest.raises(CatalogRefused) as refusal:
        activate_catalog.activate_arrived(village.counter)
    assert "catalog_refused" in status(village.counter).alarms
    assert version(village) == 1
    assert catalogue_reading.search(village.counter, "医保").total
    village.mail.turn()
    assert "catalog_refused" in village.noted()
    return str(refusal.value.params["why"])


def test_a_tampered_target_is_refused_and_the_old_catalog_stays_in_use(village, world, tmp_path):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    path = world.cache / "targets" / "items" / "yibao.json"
    path.write_bytes(path.read_bytes().replace("新增条件".encode(), "交钱才办".encode()))
    assert refused(village) == "release.tampered"


def test_a_rolled_back_repository_is_refused(village, world, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(world.cache, old)
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    village.mail.turn()
    assert version(village) == 2
    shutil.rmtree(world.cache)
    shutil.copytree(old, world.cache)
    with pytest.raises(CatalogRefused) as refusal:
        activate_catalog.activate_arrived(village.counter)
    assert refusal.value.params["why"] == "release.rolled_back"
    assert version(village) == 2


def test_a_single_signature_is_refused(village, world, tmp_path):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    path = world.cache / "metadata" / "targets.json"
    plain = json.loads(path.read_text("utf-8"))
    plain["signatures"] = plain["signatures"][:1]
    data = json.dumps(plain).encode()
    path.write_bytes(data)
    assert refused(village) in {"release.unsigned", "release.tampered"}


def test_another_citys_catalog_is_refused(village, world, tmp_path):
    other = CatalogWorld(tmp_path / "other")
    other.begin()
    other.publish()
    other.publish()
    shutil.rmtree(world.cache)
    other.cache = world.cache
    other.fetch()
    assert refused(village) in {"release.unsigned", "release.tampered", "release.malformed"}


@pytest.mark.parametrize("left_out", ["metadata/snapshot.json", "targets/forms/yibao.json", "targets/catalog.json"])
def test_a_release_with_a_part_missing_is_refused(village, world, tmp_path, left_out):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    (world.cache / left_out).unlink()
    assert refused(village).startswith("release.")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (lambda items, forms: forms[0]["sections"][0]["fields"][0].update(type="of_tomorrow"), "catalog.malformed"),
        (lambda items, forms: items[0].update(service_mode=None), "catalog.malformed"),
        (lambda items, forms: forms.pop(0), "release.malformed"),
    ],
    ids=["a field of tomorrow", "no service mode", "an item without its form"],
)
def test_content_that_breaks_its_own_rules_is_refused_although_it_is_signed(broken, code):
    items, forms = copy.deepcopy(seed("items")["items"]), copy.deepcopy(seed("forms")["forms"])
    catalog_release.check_content(items, forms, {"calendar": seed("calendar")})
    broken(items, forms)
    with pytest.raises((CaseworkError, WireError)) as refusal:
        catalog_release.check_content(items, forms, {"calendar": seed("calendar")})
    assert refusal.value.code == code


def test_an_expired_catalog_stays_usable_and_says_so(village):
    village.clock.passes(days=3650)
    village.receipt()
    village.mail.turn()
    bar = status(village.counter)
    assert bar.catalog_expired
    assert "catalog_expired" in bar.alarms
    assert catalogue_reading.search(village.counter, "医保").total
    collecting.collect(village.counter, village.who, village.filled())


def test_a_release_that_expired_on_its_way_is_not_accepted(village, world, tmp_path):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    village.clock.passes(days=3650)
    village.receipt()
    village.mail.turn()
    assert version(village) == 1


@pytest.mark.parametrize(
    "rollout",
    [
        publication.Rollout(paused=True),
        publication.Rollout(percent=0),
        publication.Rollout(regions=("511621",)),
        publication.Rollout(minimum_program="9.0.0"),
        publication.Rollout(effective_from=datetime(2030, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_release_that_is_not_meant_for_this_node_yet_waits_quietly(village, world, rollout):
    world.publish(rollout=rollout)
    world.fetch()
    village.mail.turn()
    assert version(village) == 1
    assert status(village.counter).alarms == []


def test_a_release_with_a_later_day_is_activated_when_the_day_comes(village, world):
    world.publish(rollout=publication.Rollout(effective_from=datetime.now(UTC) + timedelta(hours=6)))
    world.fetch()
    village.mail.turn()
    assert version(village) == 1
    village.clock.passes(hours=7)
    village.mail.turn()
    assert version(village) == 2


@pytest.mark.parametrize("failure", [DeskFull, DeskBusy])
def test_a_release_for_which_there_was_no_room_is_activated_when_there_is(
    village, world, tmp_path, monkeypatch, failure
):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    with monkeypatch.context() as patch:
        patch.setattr(activate_catalog, "activate", lambda *_: (_ for _ in ()).throw(failure()))
        village.mail.turn()
    assert version(village) == 1
    village.clock.passes(seconds=activate_catalog.LOOK_AGAIN_SECONDS)
    village.mail.turn()
    assert version(village) == 2


def test_a_release_is_given_the_reserve_of_a_full_disk(village, world, tmp_path, monkeypatch):
    changed_source(world, tmp_path / "source", item=lambda one: one["conditions"].append("新增条件"))
    world.fetch()
    real, answers = activate_catalog.activate, iter([DeskFull()])

    def first_without_room(*args):
        for failure in answers:
            raise failure
        return real(*args)

    monkeypatch.setattr(activate_catalog, "activate", first_without_room)
    village.mail.turn()
    assert version(village) == 2


def test_a_crash_in_the_middle_of_activation_leaves_the_old_one_whole(village, world, monkeypatch):
    world.publish()
    world.fetch()
    from edge_node.acts import audit

    def dies(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(audit, "note", dies)
        with pytest.raises(KeyboardInterrupt):
            activate_catalog.activate_arrived(village.counter)
    assert version(village) == 1
    assert catalogue_reading.search(village.counter, "医保").total
    village = village.restarted()
    village.mail.turn()
    assert version(village) == 2


def test_the_calendar_of_the_catalog_counts_the_limits(village):
    with village.counter.desk.reading() as tx:
        calendar = village.counter.shelf.calendar(tx)
        assert state.get(tx, activate_catalog.TRUSTED_ROOT)
    assert isinstance(calendar, Calendar)
    assert 2026 in calendar.years
