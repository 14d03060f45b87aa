"""The catalog's items, its materials, proxy rules, and what a newer version changes."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from casework.application import HandedIn, ReturnPoint, Scan, Seen
from casework.catalog import ServiceItem
from casework.catalog_changes import carry_over, changes
from casework.errors import AddedRequirement, MalformedCatalog, VagueReturn
from casework.forms import Form, visible
from casework.materials import (
    AUTHORIZATION,
    MISSING_CODES,
    check_return,
    condition_ref,
    is_asked,
    missing,
    needed,
    returnable,
)
from casework.proxy import REFUSAL_CODES, may_collect

pytestmark = pytest.mark.fast

SEED = Path(__file__).parents[2] / "seed_catalog"
PLAIN = {item["item_id"]: item for item in json.loads((SEED / "items.json").read_text())["items"]}
ITEMS = {item_id: ServiceItem.from_plain(plain) for item_id, plain in PLAIN.items()}
PLAIN_FORMS = {form["form_id"]: form for form in json.loads((SEED / "forms.json").read_text())["forms"]}
FORMS = {form_id: Form.from_plain(plain) for form_id, plain in PLAIN_FORMS.items()}
SELF = {"agent_mode": "self"}


def scan(material_id: str) -> Scan:
    return Scan("0" * 64, 1, "image/jpeg", material_id, 1)


def item_with(**changed: object) -> ServiceItem:
    return ServiceItem.from_plain({**PLAIN["GA-RS-007"], **changed})


def test_all_58_items_load_and_each_has_its_form() -> None:
    assert len(ITEMS) == 58
    for item in ITEMS.values():
        assert FORMS[item.form_id].item_id == item.item_id
        assert item.raw is PLAIN[item.item_id]


def test_what_the_catalog_does_not_know_stays_unknown() -> None:
    item = ITEMS["GA-YB-005"]
    assert item.promised_limit is None
    assert item.handling_limit is None
    assert all(material.deferrable is None for material in item.materials)
    assert ITEMS["GA-WJ-001"].type_code is None
    assert not ITEMS["GA-WJ-001"].is_permit


def test_limits_of_other_regions_are_not_read_as_limits() -> None:
    item = ITEMS["GA-MZ-007"]
    assert item.raw["time_limits"]["reference_other_region"]
    assert item.handling_limit is None


def test_units_belong_to_each_limit() -> None:
    assert ITEMS["GA-GA-004"].statutory_limit is not None
    assert ITEMS["GA-GA-004"].statutory_limit.unit == "calendar_day"
    assert ITEMS["GA-LY-001"].statutory_limit is not None
    assert ITEMS["GA-LY-001"].statutory_limit.unit == "working_day"


@pytest.mark.parametrize(
    "broken",
    [
        {"item_id": ""},
        {"service_mode": "maybe"},
        {"materials": [{"material_id": "M", "name": "x", "necessity": "nice"}]},
        {"materials": [{"material_id": "M", "name": "x", "necessity": "required"}] * 2},
        {"time_limits": {"promised": {"value": -1, "unit": "working_day"}}},
        {"time_limits": {"promised": {"value": 5, "unit": "fortnight"}}},
    ],
)
def test_a_broken_item_is_refused_when_read(broken: dict) -> None:
    with pytest.raises(MalformedCatalog):
        item_with(**broken)


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.item_id)
def test_everything_missing_is_named_at_once_and_vanishes_when_handed_in(item: ServiceItem) -> None:
    values = {"agent_mode": "village_agent"}
    form = FORMS[item.form_id]
    absent = missing(item, values, (), (), form)
    wanted = [need for need in needed(item, values, form) if need.kind != "optional"]
    assert [one.material_id for one in absent] == [need.material_id for need in wanted]
    assert {one.why for one in absent} <= MISSING_CODES
    handed = [HandedIn(need.material_id, Seen.ORIGINAL_SEEN, applies=True) for need in wanted]
    assert {one.why for one in missing(item, values, handed, (), form)} == {"material.no_scan"}
    assert missing(item, values, handed, [scan(need.material_id) for need in wanted], form) == []


def test_a_conditional_material_has_to_be_decided() -> None:
    item = ITEMS["GA-RS-007"]
    conditional = next(one.material_id for one in item.materials if one.necessity == "conditional")

    def why(*handed: HandedIn) -> str | None:
        return next((one.why for one in missing(item, SELF, handed, ()) if one.material_id == conditional), None)

    assert why() == "material.undecided"
    assert why(HandedIn(conditional, Seen.COPY)) == "material.undecided"
    assert why(HandedIn(conditional, Seen.COPY, applies=True)) == "material.no_scan"
    assert why(HandedIn(conditional, Seen.COPY, applies=False)) is None


def test_a_material_said_to_apply_is_decided_but_not_handed_in() -> None:
    item = ITEMS["GA-RS-007"]
    conditional = next(one.material_id for one in item.materials if one.necessity == "conditional")

    def why(*handed: HandedIn) -> str | None:
        found = missing(item, SELF, handed, (), said_to_apply={conditional})
        return next((one.why for one in found if one.material_id == conditional), None)

    assert why() == "material.not_handed_in"
    assert why(HandedIn(conditional, Seen.COPY, applies=True)) == "material.no_scan"


def test_a_scan_alone_does_not_say_how_the_paper_was_seen() -> None:
    item = ITEMS["GA-YB-001"]
    material = item.materials[0].material_id
    assert [one.why for one in missing(item, SELF, (), [scan(material)])] == ["material.not_handed_in"]


def test_a_material_can_be_deferred_only_where_that_is_allowed_in_so_many_words() -> None:
    plain = copy.deepcopy(PLAIN["GA-YB-001"])
    material = plain["materials"][0]["material_id"]
    handed = [HandedIn(material, Seen.DEFERRED)]
    for deferrable, expected in ((None, ["material.not_deferrable"]), (False, ["material.not_deferrable"]), (True, [])):
        plain["materials"][0]["deferrable"] = deferrable
        assert [one.why for one in missing(ServiceItem.from_plain(plain), SELF, handed, ())] == expected


def test_a_look_up_that_waits_for_the_line_needs_no_scan() -> None:
    item = ITEMS["GA-YB-001"]
    assert missing(item, SELF, [HandedIn(item.materials[0].material_id, Seen.TO_BE_VERIFIED)], ()) == []


def test_whoever_files_for_another_hands_in_the_mandate_itself() -> None:
    item = ITEMS["GA-YB-001"]
    proxied = {"agent_mode": "relative"}
    assert AUTHORIZATION not in [need.material_id for need in needed(item, SELF)]
    assert AUTHORIZATION in [need.material_id for need in needed(item, proxied)]
    own = HandedIn(item.materials[0].material_id, Seen.TO_BE_VERIFIED)
    for seen, expected in (
        (Seen.DEFERRED, ["material.not_deferrable"]),
        (Seen.TO_BE_VERIFIED, ["material.not_verifiable"]),
        (Seen.ORIGINAL_SEEN, ["material.no_scan"]),
    ):
        assert [one.why for one in missing(item, proxied, [own, HandedIn(AUTHORIZATION, seen)], ())] == expected


def test_a_required_file_field_is_a_material_and_an_optional_one_is_not() -> None:
    plain = copy.deepcopy(PLAIN_FORMS["F-GA-RS-009"])
    photo = next(one for section in plain["sections"] for one in section["fields"] if one["type"] == "file")
    item = ITEMS["GA-RS-009"]
    assert "field:photo" not in [need.material_id for need in needed(item, SELF, Form.from_plain(plain))]
    photo["required"] = True
    form = Form.from_plain(plain)
    assert "field:photo" in [need.material_id for need in needed(item, SELF, form)]
    assert "field:photo" in [one.material_id for one in missing(item, SELF, (), (), form)]


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.item_id)
def test_a_return_may_name_all_of_the_guide_and_nothing_else(item: ServiceItem) -> None:
    form = FORMS[item.form_id]
    everything = [ReturnPoint(one.kind, one.ref, "不清楚", "请更正") for one in returnable(item, form)]
    check_return(item, form, everything)
    for kind, ref in (
        ("material", "GA-XX-999-M01"),
        ("material", "applicant_name"),
        ("field", "political_views"),
        ("condition", condition_ref(item, len(item.conditions) + 1)),
    ):
        with pytest.raises(AddedRequirement) as refusal:
            check_return(item, form, [*everything, ReturnPoint(kind, ref, "另外要", "再交")])
        assert (refusal.value.kind, refusal.value.ref) == (kind, ref)


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.item_id)
def test_a_field_is_asked_exactly_where_the_form_shows_it(item: ServiceItem) -> None:
    form = FORMS[item.form_id]
    for values in (SELF, {"agent_mode": "relative"}, {}):
        shown = visible(form, values)
        for one in returnable(item, form):
            name = one.ref.removeprefix("field:")
            of_the_form = one.kind == "field" or name != one.ref
            assert is_asked(form, values, one.kind, one.ref) is (not of_the_form or name in shown)
    assert not is_asked(form, SELF, "field", "agent_id_no")
    assert is_asked(form, {"agent_mode": "relative"}, "field", "agent_id_no")


def test_a_return_says_what_is_wrong() -> None:
    item = ITEMS["GA-YB-001"]
    with pytest.raises(VagueReturn):
        check_return(item, FORMS[item.form_id], [ReturnPoint("field", "applicant_name", " ", "")])


VILLAGE_AGENT = {"agent_mode": "village_agent"}


@pytest.mark.parametrize(
    ("mode", "values", "code"),
    [
        ("full", {}, None),
        ("full", VILLAGE_AGENT, None),
        ("full", {"agent_mode": "other"}, None),
        ("relatives_only", {}, None),
        ("relatives_only", SELF, None),
        ("relatives_only", VILLAGE_AGENT, "proxy.relatives_only"),
        ("relatives_only", {"agent_mode": "relative"}, "proxy.relation_missing"),
        ("relatives_only", {"agent_mode": "relative", "relation": "child"}, None),
        ("relatives_only", {"agent_mode": "other", "relation": "guardian"}, None),
        ("relatives_only", {"agent_mode": "relative", "relation": "committee"}, "proxy.not_a_close_relative"),
        ("relatives_only", {"agent_mode": "other", "relation": "other"}, "proxy.not_a_close_relative"),
        ("assist_only", {}, None),
        ("assist_only", SELF, None),
        ("assist_only", VILLAGE_AGENT, "proxy.in_person"),
        ("assist_only", {"agent_mode": "relative", "relation": "child"}, "proxy.in_person"),
        ("not_allowed", {}, "proxy.not_allowed"),
        ("not_allowed", SELF, "proxy.not_allowed"),
        ("by_pigeon", SELF, "proxy.rule_unknown"),
    ],
)
def test_the_proxy_rule_decides_who_may_file(mode: str, values: dict, code: str | None) -> None:
    refusal = may_collect(item_with(agent_policy={"mode": mode}), values)
    assert (refusal and refusal.code) == code
    assert code is None or code in REFUSAL_CODES


def test_an_item_without_a_proxy_rule_is_not_a_permission() -> None:
    refusal = may_collect(item_with(agent_policy=None), SELF)
    assert refusal is not None
    assert refusal.code == "proxy.rule_unknown"


def test_a_guide_is_never_collected() -> None:
    for item in ITEMS.values():
        refusal = may_collect(item, SELF)
        assert (refusal is not None and refusal.code == "proxy.guide_only") == (item.service_mode == "guide")


def test_a_catalog_that_is_the_same_changes_nothing() -> None:
    item = ITEMS["GA-YB-001"]
    form = FORMS[item.form_id]
    assert not changes(item, form, ServiceItem.from_plain(copy.deepcopy(PLAIN["GA-YB-001"])), form)


def test_a_newer_catalog_says_what_it_changes_and_keeps_what_still_fits() -> None:
    plain_item = copy.deepcopy(PLAIN["GA-YB-001"])
    plain_form = copy.deepcopy(PLAIN_FORMS["F-GA-YB-001"])
    plain_item["materials"].append({"material_id": "NEW", "name": "新材料", "necessity": "required"})
    plain_item["materials"][0]["necessity"] = "optional"
    plain_item["conditions"] = ["换了"]
    fields = plain_form["sections"][1]["fields"]
    fields[:] = [one for one in fields if one["id"] != "insured_kind"]
    next(one for one in fields if one["id"] == "insured_year")["validation"]["min"] = 2030
    fields.append({"id": "note", "label": "说明", "type": "text"})
    item, form = ServiceItem.from_plain(plain_item), Form.from_plain(plain_form)
    old_form = FORMS["F-GA-YB-001"]
    found = changes(ITEMS["GA-YB-001"], old_form, item, form)
    assert found
    assert found.fields_added == ("note",)
    assert found.fields_removed == ("insured_kind",)
    assert found.fields_changed == ("insured_year",)
    assert found.materials_added == ("NEW",)
    assert found.materials_changed == (ITEMS["GA-YB-001"].materials[0].material_id,)
    assert found.guide_changed
    values = {"applicant_name": "张测试", "insured_year": 2026, "insured_kind": "resident", "agent_mode": ""}
    assert carry_over(values, old_form, form) == {"applicant_name": "张测试", "agent_mode": ""}
    assert carry_over({"insured_year": 2031}, old_form, form) == {"insured_year": 2031}


def test_a_value_does_not_carry_over_into_a_field_of_another_type() -> None:
    plain = copy.deepcopy(PLAIN_FORMS["F-GA-YB-005"])
    day = next(one for section in plain["sections"] for one in section["fields"] if one["id"] == "diag_date")
    day["type"] = "text"
    old_form = FORMS["F-GA-YB-005"]
    assert carry_over({"diag_date": "2026-01-05"}, old_form, old_form) == {"diag_date": "2026-01-05"}
    assert carry_over({"diag_date": "2026-01-05"}, old_form, Form.from_plain(plain)) == {}
