"""Collect (代办收件): every form of the catalog, complete or told what is missing, saved once."""

import pytest

from casework.catalog import ServiceItem
from casework.regions import NO_SUCH_REGION, RegionTable, region_problems
from edge_node.acts import collecting, drafting, readiness
from edge_node.counter.errors import DraftNotReady, ProxyNotAllowed, UnknownDraft
from edge_node.wording import sentence
from offline_store.desk import applications, drafts, journal, scans
from tests.edge_node.village import Village, seed
from wire.counter import HandedInView

pytestmark = pytest.mark.node

ITEMS = {one["item_id"]: ServiceItem.from_plain(one) for one in seed("items")["items"]}
APPLY = sorted(name for name, item in ITEMS.items() if item.service_mode == "apply")
GUIDE = sorted(set(ITEMS) - set(APPLY))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Village.at(tmp_path_factory.mktemp("village"))


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


@pytest.mark.parametrize("item_id", APPLY)
def test_every_form_opens_fills_and_collects(shared, item_id):
    slip = collecting.collect(shared.counter, shared.who, shared.filled(item_id))
    assert (slip.item_name, slip.qr_text) == (ITEMS[item_id].name, slip.receipt_no)
    with shared.counter.desk.reading() as tx:
        known = applications.load(tx, slip.application_id)
    assert known.shown.item_id == item_id
    assert known.pending
    assert known.standing == "saved_here"


@pytest.mark.parametrize("item_id", GUIDE)
def test_what_is_only_guided_is_refused_before_anything_is_typed(shared, item_id):
    with pytest.raises(ProxyNotAllowed) as refusal:
        drafting.begin(shared.counter, shared.who, item_id)
    assert refusal.value.params["refusal"] == "proxy.guide_only"
    assert sentence(f"error.{refusal.value.params['refusal']}") != f"error.{refusal.value.params['refusal']}"


def test_a_proxy_that_the_item_does_not_allow_is_refused_and_the_draft_stays(village):
    item_id = next(name for name in APPLY if ITEMS[name].agent_policy.mode == "assist_only")
    draft_id = village.filled(item_id, agent_mode="village_agent", agent_name="张测试", agent_phone="13800000001")
    with pytest.raises(ProxyNotAllowed):
        collecting.collect(village.counter, village.who, draft_id)
    assert drafting.show(village.counter, village.who, draft_id).values["agent_mode"] == "village_agent"


def test_a_region_whose_township_does_not_exist_is_refused_where_it_is_typed_and_by_the_act(village):
    draft_id = village.filled()
    typed = {"applicant_region": "511603199205"}
    saved = drafting.change(village.counter, village.who, draft_id, values=typed)
    assert [(one.field_id, one.code) for one in saved.problems] == [("applicant_region", NO_SUCH_REGION)]
    assert "511603199205" not in saved.problems[0].message
    with village.counter.desk.reading() as tx:
        before = journal.head(tx).seq
    with pytest.raises(DraftNotReady):
        collecting.collect(village.counter, village.who, draft_id)
    with village.counter.desk.reading() as tx:
        assert journal.head(tx).seq == before
    assert drafting.show(village.counter, village.who, draft_id).values["applicant_region"] == "511603199205"


@pytest.mark.parametrize("code", ["511602001205", "511603106299", "510107001001"])
def test_a_village_that_the_table_cannot_know_and_a_place_elsewhere_are_taken(village, code):
    draft_id = village.filled(applicant_region=code)
    assert readiness.summary(village.counter, village.who, draft_id).ready
    assert collecting.collect(village.counter, village.who, draft_id).receipt_no


def test_what_was_filed_before_a_table_lost_its_township_can_still_be_supplemented(village):
    application_id = village.collected(applicant_region="511603106205")
    with village.counter.desk.reading() as tx:
        form = village.counter.shelf.form(tx, "F-GA-YB-001")
        filed = applications.load(tx, application_id).shown.form
    elsewhere = RegionTable.from_plain({"regions": [{"code": "511600000000"}, {"code": "511602000000"}]})
    assert [one.code for one in region_problems(form, filed, elsewhere)] == [NO_SUCH_REGION]
    assert region_problems(form, filed, elsewhere, filed) == []


def test_collecting_twice_gives_the_same_slip_and_one_operation(village):
    draft_id = village.filled()
    first = collecting.collect(village.counter, village.who, draft_id)
    with village.counter.desk.reading() as tx:
        seq = journal.head(tx).seq
    village = village.restarted()
    assert collecting.collect(village.counter, village.who, draft_id) == first
    with village.counter.desk.reading() as tx:
        assert journal.of_application(tx, first.application_id)[-1].seq <= seq
        assert len(journal.of_application(tx, first.application_id)) == 1


def test_what_is_missing_is_told_at_once_and_the_draft_stays_as_it_was(village):
    draft = drafting.begin(village.counter, village.who, "GA-YB-001")
    drafting.change(village.counter, village.who, draft.draft_id, values={"applicant_name": "张"})
    with pytest.raises(DraftNotReady) as refusal:
        collecting.collect(village.counter, village.who, draft.draft_id)
    fields = {one["field_id"] for one in refusal.value.params["fields"]}
    assert {"applicant_name", "applicant_id_no", "applicant_region", "principal_consent", "action"} <= fields
    assert refusal.value.params["missing"]
    assert drafting.show(village.counter, village.who, draft.draft_id).values["applicant_name"] == "张"
    with village.counter.desk.reading() as tx:
        assert applications.find(tx, draft.draft_id) is None


def test_a_form_that_is_filled_without_its_papers_is_not_ready(village):
    draft_id = village.filled()
    scan = drafting.show(village.counter, village.who, draft_id).scans[0]
    from edge_node.acts import intake

    intake.remove(village.counter, village.who, draft_id, scan.scan_hash)
    summary = readiness.summary(village.counter, village.who, draft_id)
    assert [(one.material_id, one.why) for one in summary.missing] == [(scan.material_id, "material.no_scan")]
    assert not village.counter.vault.has(scan.scan_hash)


def test_collecting_moves_draft_and_scans_into_the_application(village):
    draft_id = village.filled()
    hashes = {one.scan_hash for one in drafting.show(village.counter, village.who, draft_id).scans}
    slip = collecting.collect(village.counter, village.who, draft_id)
    with village.counter.desk.reading() as tx:
        assert drafts.find(tx, draft_id) is None
        assert {one.scan_hash for one in scans.of_application(tx, slip.application_id)} == hashes
        assert {one.scan_hash for one in applications.load(tx, slip.application_id).shown.scans} == hashes
    with pytest.raises(UnknownDraft):
        drafting.show(village.counter, village.who, draft_id)


def test_the_authorization_is_asked_for_when_somebody_files_for_another(village):
    draft_id = village.filled(agent_mode="village_agent", agent_name="张测试", agent_phone="13800000001")
    assert readiness.summary(village.counter, village.who, draft_id).ready
    draft = drafting.show(village.counter, village.who, draft_id)
    assert draft.values["authorization_no"].startswith("WT-")
    assert "D-WT" in {one.material_id for one in draft.scans}


def test_a_conditional_material_that_does_not_apply_is_not_asked_for(village):
    item_id = next(name for name in APPLY if any(one.necessity == "conditional" for one in ITEMS[name].materials))
    draft_id = village.filled(item_id)
    draft = drafting.show(village.counter, village.who, draft_id)
    conditional = next(one for one in ITEMS[item_id].materials if one.necessity == "conditional").material_id
    from edge_node.acts import intake

    for scan in draft.scans:
        if scan.material_id == conditional:
            intake.remove(village.counter, village.who, draft_id, scan.scan_hash)
    drafting.change(
        village.counter,
        village.who,
        draft_id,
        handed_in=[HandedInView(material_id=conditional, seen="copy", applies=False)],
    )
    assert readiness.summary(village.counter, village.who, draft_id).ready


def test_that_a_material_applies_is_kept_through_a_kill_and_counts_as_not_handed_in(village):
    item_id = next(name for name in APPLY if any(one.necessity == "conditional" for one in ITEMS[name].materials))
    conditional = next(one for one in ITEMS[item_id].materials if one.necessity == "conditional").material_id
    draft_id = village.filled(item_id)

    def say(**said):
        one = HandedInView(material_id=conditional, **said)
        drafting.change(village.counter, village.who, draft_id, handed_in=[one])

    say(applies=True, copies=2, note="原件在县里")
    village = village.restarted(close=False)
    held = {one.material_id: one for one in drafting.show(village.counter, village.who, draft_id).handed_in}
    kept = HandedInView(material_id=conditional, seen=None, applies=True, copies=2, note="原件在县里")
    assert held[conditional] == kept
    summary = readiness.summary(village.counter, village.who, draft_id)
    assert [(one.material_id, one.why) for one in summary.missing] == [(conditional, "material.not_handed_in")]
    with pytest.raises(DraftNotReady):
        collecting.collect(village.counter, village.who, draft_id)
    say(applies=True, seen="copy")
    slip = collecting.collect(village.counter, village.who, draft_id)
    assert {one.material_id: one.seen for one in slip.materials}[conditional] == "copy"


def test_no_slip_names_a_material_that_is_not_needed_and_nobody_has_to_look_at_it(village):
    item_id = next(name for name in APPLY if any(one.necessity == "conditional" for one in ITEMS[name].materials))
    conditional = next(one for one in ITEMS[item_id].materials if one.necessity == "conditional").material_id
    draft_id = village.filled(item_id)
    said = HandedInView(material_id=conditional, applies=False)
    drafting.change(village.counter, village.who, draft_id, handed_in=[said])
    slip = collecting.collect(village.counter, village.who, draft_id)
    assert conditional not in {one.material_id for one in slip.materials}
    assert all(one.seen for one in slip.materials)
    with village.counter.desk.reading() as tx:
        handed_in = applications.load(tx, slip.application_id).shown.handed_in
    assert {one.material_id: one.applies for one in handed_in}[conditional] is False
