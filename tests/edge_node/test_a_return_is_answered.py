"""Answering a return: point by point, only what changed, once."""

import pytest

from casework.application import ReturnPoint
from casework.states import State
from edge_node.acts import collecting, drafting, supplementing
from edge_node.counter.errors import DraftNotReady, NothingToSupplement
from tests.edge_node.city import known, returned, submitted
from tests.edge_node.village import Village

pytestmark = pytest.mark.node


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


def test_a_return_is_answered_point_by_point_and_sends_only_what_changed(village):
    application_id = village.collected()
    submitted(village, application_id)
    material = known(village, application_id).shown.handed_in[0].material_id
    returned(
        village,
        application_id,
        ReturnPoint("field", "applicant_phone", "号码停机", "换一个号码"),
        ReturnPoint("material", material, "看不清", "重新拍摄"),
    )
    draft = supplementing.begin(village.counter, village.who, application_id)
    assert supplementing.begin(village.counter, village.who, application_id).draft_id == draft.draft_id
    assert draft.values["applicant_phone"]
    assert draft.return_points[0].label == "手机号码"
    with pytest.raises(DraftNotReady) as refusal:
        collecting.collect(village.counter, village.who, draft.draft_id)
    assert {one["field_id"] for one in refusal.value.params["fields"]} == {"applicant_phone", material}
    drafting.change(village.counter, village.who, draft.draft_id, values={"applicant_phone": "13800000099"})
    village.scan(draft.draft_id, material)
    slip = collecting.collect(village.counter, village.who, draft.draft_id)
    assert slip.application_id == application_id
    assert collecting.collect(village.counter, village.who, draft.draft_id) == slip
    village.mail.turn()
    event = village.operations_after(2)[-1].events[0]
    assert (event["event"], event["form"]) == ("supplemented", {"applicant_phone": "13800000099"})
    assert {one["material_id"] for one in event["scans"]} == {material}
    it = known(village, application_id)
    assert it.shown.state is State.PRE_REVIEW
    assert it.shown.form["applicant_phone"] == "13800000099"


def test_nothing_waits_for_a_supplement_where_nothing_was_returned(village):
    application_id = village.collected()
    with pytest.raises(NothingToSupplement):
        supplementing.begin(village.counter, village.who, application_id)


def test_a_point_may_be_answered_in_words(village):
    application_id = village.collected()
    submitted(village, application_id)
    returned(village, application_id, ReturnPoint("condition", "GA-YB-001-C01", "未说明", "请说明"))
    draft = supplementing.begin(village.counter, village.who, application_id)
    drafting.change(village.counter, village.who, draft.draft_id, answers={"GA-YB-001-C01": "符合,已说明"})
    collecting.collect(village.counter, village.who, draft.draft_id)
    assert known(village, application_id).shown.answers == {"GA-YB-001-C01": "符合,已说明"}
