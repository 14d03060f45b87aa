"""Every form of the catalog opens, fills, and refuses what is wrong, field by field."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import MalformedCatalog
from casework.field_rules import PROBLEM_CODES
from casework.forms import Form, check, check_field, filed_values, required, visible
from tests.casework.form_values import invalid_variants, valid_values

pytestmark = pytest.mark.fast

SEED = Path(__file__).parents[2] / "seed_catalog"
FORMS = [Form.from_plain(plain) for plain in json.loads((SEED / "forms.json").read_text())["forms"]]
REGIONS = json.loads((SEED / "regions.json").read_text())["regions"]

forms = st.sampled_from(FORMS)
seeds = st.integers(min_value=0, max_value=2**32)


def small_form(*fields: dict) -> Form:
    """A form of one section."""
    return Form.from_plain(
        {"form_id": "F", "item_id": "I", "title": "", "version": 1, "sections": [{"id": "s", "fields": list(fields)}]}
    )


def test_all_58_forms_load() -> None:
    assert len({form.form_id for form in FORMS}) == 58


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form_id)
def test_a_form_filled_with_valid_values_has_no_problem(form: Form) -> None:
    for seed in range(5):
        values = valid_values(form, REGIONS, random.Random(seed))
        assert check(form, values) == []
        assert check(form, filed_values(form, values)) == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form_id)
def test_an_empty_form_names_every_required_field_at_once(form: Form) -> None:
    assert {problem.field_id for problem in check(form, {})} == required(form, {})


@given(forms, seeds)
def test_each_broken_field_is_refused_with_its_own_code(form: Form, seed: int) -> None:
    rng = random.Random(seed)
    values = valid_values(form, REGIONS, rng)
    for field_id, bad, code in invalid_variants(form, values, rng):
        problem = check_field(form, field_id, bad, values)
        assert problem is not None
        assert (problem.field_id, problem.code) == (field_id, code)
        assert problem.code in PROBLEM_CODES
        assert (field_id, code) in {(one.field_id, one.code) for one in check(form, {**values, field_id: bad})}


@given(forms, seeds)
def test_no_problem_carries_the_value_it_is_about(form: Form, seed: int) -> None:
    rng = random.Random(seed)
    values = valid_values(form, REGIONS, rng)
    for field_id, bad, _code in invalid_variants(form, values, rng):
        problem = check_field(form, field_id, bad, values)
        if isinstance(bad, str) and len(bad) > 4:
            assert bad not in repr(problem)


def test_every_field_type_is_broken_by_some_form_of_the_catalog() -> None:
    found = set()
    for form in FORMS:
        rng = random.Random(1)
        values = valid_values(form, REGIONS, rng, {"applicant_id_type": "111"})
        found |= {code for _field, _bad, code in invalid_variants(form, values, rng)}
    assert found >= PROBLEM_CODES - {"form.resident_id.region", "form.uscc.check_digit"}


@given(forms, seeds)
def test_what_is_filed_holds_no_hidden_field(form: Form, seed: int) -> None:
    values = valid_values(form, REGIONS, random.Random(seed))
    hidden_later = {**values, "agent_mode": "self", "delivery_way": "pickup_village"}
    filed = filed_values(form, hidden_later)
    assert set(filed) <= visible(form, hidden_later)
    assert not {"agent_name", "agent_id_no", "ems_address"} & set(filed)


@given(forms, seeds)
def test_checking_changes_no_value(form: Form, seed: int) -> None:
    values = valid_values(form, REGIONS, random.Random(seed))
    before = json.dumps(values, sort_keys=True)
    check(form, values)
    assert json.dumps(values, sort_keys=True) == before


def test_a_conditional_field_is_required_only_while_it_is_shown() -> None:
    form = FORMS[0]
    assert "agent_id_no" not in required(form, {"agent_mode": "village_agent"})
    assert {"agent_name", "agent_id_no", "relation"} <= required(form, {"agent_mode": "relative"})
    assert {"ems_address", "ems_receiver"} <= required(form, {"delivery_way": "ems"})


def test_a_resident_id_is_checked_only_for_that_kind_of_paper() -> None:
    form = FORMS[0]
    assert check_field(form, "applicant_id_no", "E00000001", {"applicant_id_type": "414"}) is None
    problem = check_field(form, "applicant_id_no", "E00000001", {"applicant_id_type": "111"})
    assert problem is not None
    assert problem.code == "form.resident_id.length"


def test_a_problem_in_a_table_names_row_and_column() -> None:
    form = FORMS[0]
    rows = [{"name": "张测试", "id_no": "511602180001010014", "relation": "child"}, {"name": "李", "relation": "child"}]
    problems = check(form, {"household_members": rows})
    found = {(one.row, one.column, one.code) for one in problems if one.field_id == "household_members"}
    assert found == {(1, "name", "form.too_short"), (1, "id_no", "form.required")}


def test_a_field_that_hangs_on_a_hidden_field_is_hidden() -> None:
    form = small_form(
        {"id": "a", "type": "boolean"},
        {"id": "b", "type": "boolean", "visible_when": {"a": [True]}},
        {"id": "c", "type": "text", "required": True, "visible_when": {"b": [True]}},
    )
    assert visible(form, {"a": False, "b": True}) == {"a"}
    assert check(form, {"a": False, "b": True}) == []
    assert visible(form, {"a": True, "b": True}) == {"a", "b", "c"}


def test_true_is_not_the_text_true_and_not_one() -> None:
    form = small_form({"id": "a", "type": "text"}, {"id": "b", "type": "text", "visible_when": {"a": [True]}})
    assert visible(form, {"a": "true"}) == {"a"}
    assert visible(form, {"a": 1}) == {"a"}


def test_zero_and_no_are_answers() -> None:
    form = small_form(
        {"id": "n", "type": "number", "required": True, "validation": {"min": 0}},
        {"id": "b", "type": "boolean", "required": True},
    )
    assert check(form, {"n": 0, "b": False}) == []


def test_a_required_file_is_left_to_the_materials() -> None:
    form = small_form({"id": "photo", "type": "file", "required": True})
    assert check(form, {}) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "a", "type": "voice"},
        {"id": "a", "type": "select"},
        {"id": "a", "type": "text", "validation": {"colour": "red"}},
        {"id": "a", "type": "text", "validation": {"pattern": "("}},
        {"id": "a", "type": "text", "validation": {"check": "iban"}},
        {"id": "a", "type": "region", "validation": {"level": "street"}},
        {"id": "a", "type": "table"},
        {"id": "a", "type": "text", "visible_when": {"nowhere": ["x"]}},
        {"id": "a", "type": "date", "validation": {"not_before": "nowhere"}},
        {"id": "a", "type": "text", "visible_when": {"a": ["x"]}},
        {"type": "text"},
    ],
)
def test_a_form_with_a_rule_nobody_can_apply_is_refused_when_read(broken: dict) -> None:
    with pytest.raises(MalformedCatalog):
        small_form(broken)
