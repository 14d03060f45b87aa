"""Whatever is wrong in any of the forms is refused field by field, in Chinese, and what was typed stays as typed."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.acts import collecting, drafting, readiness
from edge_node.counter.errors import DraftNotReady, NotText, ProxyNotAllowed
from tests.casework.form_values import invalid_variants
from tests.edge_node.test_collecting import APPLY, ITEMS
from tests.edge_node.village import Village

pytestmark = pytest.mark.node

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Village.at(tmp_path_factory.mktemp("village"))


@pytest.mark.parametrize("item_id", APPLY)
def test_invalid_input_is_refused_field_by_field_with_a_chinese_sentence(shared, item_id):
    draft_id = shared.filled(item_id)
    draft = drafting.show(shared.counter, shared.who, draft_id)
    with shared.counter.desk.reading() as tx:
        form = shared.counter.shelf.form(tx, draft.form_id, draft.catalog_version)
    rng = random.Random(item_id)
    by_field = {}
    for field_id, bad, code in invalid_variants(form, draft.values, rng):
        by_field.setdefault(field_id, []).append((bad, code))
    assert len(by_field) > 8
    for field_id, variants in by_field.items():
        bad, code = rng.choice(variants)
        saved = drafting.change(shared.counter, shared.who, draft_id, values={field_id: bad})
        told = {(one.field_id, one.code): one for one in saved.problems}
        assert (field_id, code) in told, (field_id, code)
        assert CHINESE.search(told[field_id, code].message)
        assert "{" not in told[field_id, code].message
        with pytest.raises(DraftNotReady) as refusal:
            collecting.collect(shared.counter, shared.who, draft_id)
        assert field_id in {one["field_id"] for one in refusal.value.params["fields"]}
        assert drafting.show(shared.counter, shared.who, draft_id).values.get(field_id) == bad
        restored = {field_id: draft.values.get(field_id)}
        drafting.change(shared.counter, shared.who, draft_id, values=restored)
    assert readiness.summary(shared.counter, shared.who, draft_id).ready


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "applicant_name", "applicant_id_type", "applicant_id_no", "applicant_region", "agent_mode", "relation",
    "principal_consent", "action", "insured_year", "household_members", "delivery_way", "of_tomorrow",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, min_size=1))
def test_any_json_at_all_is_judged_and_never_a_defect(shared, typed):
    item_id = next(name for name in APPLY if ITEMS[name].agent_policy.mode == "relatives_only")
    for one in ("GA-YB-001", item_id):
        draft_id = drafting.begin(shared.counter, shared.who, one).draft_id
        try:
            drafting.change(shared.counter, shared.who, draft_id, values=typed)
        except NotText:
            continue
        summary = readiness.summary(shared.counter, shared.who, draft_id)
        assert not summary.ready
        with pytest.raises((DraftNotReady, ProxyNotAllowed)):
            collecting.collect(shared.counter, shared.who, draft_id)
        drafting.remove(shared.counter, shared.who, draft_id)
