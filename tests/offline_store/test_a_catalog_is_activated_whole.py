"""Catalog versions: activation, pinning, pruning; drafts and scans beside them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.lifecycle import draft as new_application
from casework.states import State
from offline_store.desk import applications, catalog, drafts, scans
from offline_store.desk.applications import Standing
from offline_store.desk.database import Desk
from offline_store.desk.drafts import Draft, DraftKind
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.errors import CatalogMissing, OlderCatalog, Unknown
from tests.offline_store import drawn_applications as drawn
from tests.offline_store.desk_fixtures import NOON, edition, new_desk, service_item
from wire.envelope import Dictionary

pytestmark = pytest.mark.node

DRAFT = Draft(
    draft_id="d1",
    kind=DraftKind.COLLECT,
    item_id="A",
    form_id="F-A",
    catalog_version=1,
    clerk_id="z01",
    created_at=NOON,
    updated_at=NOON,
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        with desk.transaction() as tx:
            first = edition(
                1,
                service_item("A", "旧名"),
                service_item("B", "乙项"),
                documents={"regions": [1]},
                accepted={"root": 1},
            )
            catalog.activate(tx, first, NOON)
        yield desk


def activate(desk: Desk, version: int, *items: dict, **more: object) -> catalog.Activated:
    with desk.transaction() as tx:
        return catalog.activate(tx, edition(version, *items, **more), NOON + timedelta(days=version))


def test_a_new_version_is_in_use_at_once_and_says_what_changed(desk: Desk) -> None:
    done = activate(desk, 2, service_item("A", "新名"), service_item("C", "丙项"), documents={"regions": [2]})
    assert (done.before, done.added, done.changed, done.removed) == (1, ("C",), ("A",), ("B",))
    with desk.reading() as tx:
        now = catalog.active(tx)
        assert now is not None
        assert (now.version, now.activated_at) == (2, NOON + timedelta(days=2))
        assert catalog.item(tx, "A").name == "新名"
        assert catalog.item(tx, "A", version=1).name == "旧名"
        assert (catalog.document(tx, "regions"), catalog.document(tx, "regions", version=1)) == ([2], [1])
        assert catalog.form(tx, "F-C").item_id == "C"
        with pytest.raises(Unknown):
            catalog.item(tx, "B")
        with pytest.raises(CatalogMissing):
            catalog.item(tx, "A", version=77)


def test_an_older_or_equal_version_is_refused_and_the_active_one_stays(desk: Desk) -> None:
    activate(desk, 5, service_item("A", "五"))
    for version in (5, 4, 1):
        with pytest.raises(OlderCatalog) as refused:
            activate(desk, version, service_item("A", "旧"))
        assert (refused.value.active, refused.value.offered) == (5, version)
    with desk.reading() as tx:
        assert catalog.item(tx, "A").name == "五"
        assert [line.name for line in catalog.search(tx, "").rows] == ["五"]


def test_a_failed_activation_leaves_the_old_version_and_its_index(desk: Desk) -> None:
    with pytest.raises(KeyError):
        activate(desk, 2, service_item("A", "新名"), {"item_id": "X", "form_id": "F-X"} | {"name2": "no name"})
    with desk.reading() as tx:
        now = catalog.active(tx)
        assert now is not None
        assert (now.version, catalog.versions(tx), catalog.item(tx, "A").name) == (1, [1], "旧名")
        assert [line.name for line in catalog.search(tx, "旧名").rows] == ["旧名"]


def test_versions_stay_while_a_draft_or_an_open_application_refers_to_them(desk: Desk) -> None:
    open_one = replace(new_application("1" * 32), catalog_version=2, state=State.COLLECTED)
    with desk.transaction() as tx:
        drafts.save(tx, DRAFT)
    activate(desk, 2, service_item("A", "二"))
    with desk.transaction() as tx:
        applications.save(tx, open_one, confirmed=None, standing=Standing.SAVED_HERE, case_seq=0, at=NOON)
    activate(desk, 3, service_item("A", "三"))
    assert activate(desk, 4, service_item("A", "四")).removed_versions == ()
    assert activate(desk, 5, service_item("A", "五")).removed_versions == (3,)
    with desk.transaction() as tx:
        assert catalog.item(tx, "A", drafts.load(tx, "d1").catalog_version).name == "旧名"
        drafts.remove(tx, "d1")
        closed = replace(open_one, state=State.WITHDRAWN)
        applications.save(tx, closed, confirmed=None, standing=Standing.CONFIRMED, case_seq=1, at=NOON)
    assert activate(desk, 6, service_item("A", "六")).removed_versions == (4, 2, 1)
    with desk.reading() as tx:
        bodies = tx.connection().exec_driver_sql("SELECT count(*) FROM catalog_body").scalar_one()
        assert (catalog.versions(tx), bodies) == ([6, 5], 3)  # two items and the form that both share


def test_younger_metadata_over_the_same_content_only_moves_the_date(desk: Desk) -> None:
    later = NOON + timedelta(days=9)
    with desk.transaction() as tx:
        catalog.confirm(tx, 1, at=later, expires_at=later, accepted={"root": 2})
        with pytest.raises(CatalogMissing):
            catalog.confirm(tx, 2, at=later, expires_at=None, accepted={})
    with desk.reading() as tx:
        now = catalog.active(tx)
        assert now is not None
        assert (now.confirmed_at, now.expires_at, now.accepted, now.activated_at) == (later, later, {"root": 2}, NOON)


def test_dictionaries_stay_for_old_envelopes(desk: Desk) -> None:
    activate(desk, 2, service_item("A", "二"), dictionaries=[Dictionary(1, b"old words")])
    activate(desk, 3, service_item("A", "三"), dictionaries=[Dictionary(2, b"new words")])
    with desk.reading() as tx:
        assert {number: one.data for number, one in catalog.dictionaries(tx).items()} == {
            1: b"old words",
            2: b"new words",
        }


def test_a_node_without_a_catalog_says_so(tmp_path: Path) -> None:
    with new_desk(tmp_path / "bare") as bare, bare.reading() as tx:
        assert catalog.active(tx) is None
        with pytest.raises(CatalogMissing):
            catalog.item(tx, "A")
        assert catalog.search(tx, "低保").rows == ()


@given(
    values=st.dictionaries(drawn.words, drawn.plain, max_size=4),
    handed_in=st.dictionaries(drawn.words, st.dictionaries(drawn.words, drawn.plain, max_size=2), max_size=2),
    answers=st.dictionaries(drawn.words, drawn.words, max_size=2),
)
def test_a_draft_comes_back_as_typed(tmp_path_factory: pytest.TempPathFactory, values, handed_in, answers) -> None:
    typed = replace(DRAFT, values=values, handed_in=handed_in, answers=answers)
    with new_desk(tmp_path_factory.mktemp("draft")) as desk:
        with desk.transaction() as tx:
            catalog.activate(tx, edition(1, service_item("A", "甲")), NOON)
            drafts.save(tx, typed)
        with desk.reading() as tx:
            assert drafts.load(tx, "d1") == typed


def test_drafts_are_listed_by_clerk_the_last_touched_first(desk: Desk) -> None:
    with desk.transaction() as tx:
        for number, clerk in enumerate(["z01", "z02", "z01"]):
            later = NOON + timedelta(minutes=number)
            drafts.save(tx, replace(DRAFT, draft_id=f"d{number}", clerk_id=clerk, updated_at=later))
        drafts.save(
            tx, replace(DRAFT, draft_id="s1", kind=DraftKind.SUPPLEMENT, application_id="1" * 32, clerk_id="z03")
        )
        assert [one.draft_id for one in drafts.page(tx, clerk_id="z01").rows] == ["d2", "d0"]
        assert drafts.page(tx, limit=1).total == 4
        supplement = drafts.of_application(tx, "1" * 32)
        assert supplement is not None
        assert supplement.draft_id == "s1"
        with pytest.raises(Unknown):
            drafts.load(tx, "none")


def scan(number: int, **more: object) -> KeptScan:
    first = KeptScan(
        scan_hash=f"{number:064x}",
        status=ScanStatus.DRAFT,
        draft_id="d1",
        material_id="M01",
        page=number,
        length=100,
        media_type="image/jpeg",
        kept_at=NOON,
        content_key=b"k" * 32,
    )
    return replace(first, **more)


def test_scans_go_over_from_the_draft_to_the_application(desk: Desk) -> None:
    filed = new_application("1" * 32)
    with desk.transaction() as tx:
        drafts.save(tx, DRAFT)
        for number in (2, 1):
            scans.save(tx, scan(number))
        assert [one.page for one in scans.of_draft(tx, "d1")] == [1, 2]
    with desk.transaction() as tx:
        scans.hand_over(tx, "d1", "1" * 32)
        moved = scans.of_application(tx, "1" * 32)
        assert drafts.remove(tx, "d1") == []
        applications.save(tx, filed, confirmed=None, standing=Standing.SAVED_HERE, case_seq=0, at=NOON)
    assert [(one.page, one.status, one.draft_id) for one in moved] == [
        (1, ScanStatus.OUTGOING, None),
        (2, ScanStatus.OUTGOING, None),
    ]
    with desk.transaction() as tx:
        assert scans.backlog(tx) == (2, 200)
        scans.set_status(tx, moved[0].scan_hash, ScanStatus.STORED)
        assert scans.backlog(tx) == (1, 100)
        assert [one.scan_hash for one in scans.with_status(tx, ScanStatus.OUTGOING)] == [moved[1].scan_hash]
        assert scans.of_application(tx, "1" * 32)[0].content_key == b"k" * 32


def test_a_removed_draft_forgets_its_scans_and_names_their_files(desk: Desk) -> None:
    with desk.transaction() as tx:
        drafts.save(tx, DRAFT)
        scans.save(tx, scan(1))
        scans.save(tx, scan(2))
    with desk.transaction() as tx:
        assert sorted(drafts.remove(tx, "d1")) == [f"{1:064x}", f"{2:064x}"]
    with desk.reading() as tx:
        assert (drafts.find(tx, "d1"), scans.hashes(tx)) == (None, set())


def test_a_scan_of_another_node_gets_its_key_when_its_bytes_arrive(desk: Desk) -> None:
    with desk.transaction() as tx:
        wanted = scan(7, draft_id=None, status=ScanStatus.WANTED, content_key=None, wrap=b"wrapped")
        scans.save(tx, wanted)
        scans.save(tx, wanted)
        scans.set_status(tx, wanted.scan_hash, ScanStatus.ARRIVED, content_key=b"n" * 32)
    with desk.transaction() as tx:
        arrived = scans.load(tx, wanted.scan_hash)
        assert (arrived.status, arrived.content_key, arrived.wrap) == (ScanStatus.ARRIVED, b"n" * 32, b"wrapped")
        scans.remove(tx, [wanted.scan_hash])
        assert scans.find(tx, wanted.scan_hash) is None
        with pytest.raises(Unknown):
            scans.set_status(tx, wanted.scan_hash, ScanStatus.ARRIVED)
        with pytest.raises(Unknown):
            scans.load(tx, wanted.scan_hash)
