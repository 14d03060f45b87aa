"""Check digits, regions, phones, receipt numbers and masks."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casework import identifiers as ids
from casework.receipt_numbers import MAX_SERIAL, mod_37_36
from tests.casework.form_values import resident_id, uscc

pytestmark = pytest.mark.fast

SEED = Path(__file__).parents[2] / "seed_catalog"
REGIONS = json.loads((SEED / "regions.json").read_text())["regions"]

seeds = st.integers(0, 2**32)


@given(seeds)
def test_an_invented_resident_id_passes(seed: int) -> None:
    assert ids.resident_id_problem(resident_id(random.Random(seed))) is None


@given(seeds, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_of_a_resident_id_is_noticed(seed: int, place: int, shift: int) -> None:
    text = resident_id(random.Random(seed))
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    assert ids.resident_id_problem(wrong) is not None


@given(seeds, st.integers(0, 15))
def test_two_swapped_digits_of_a_resident_id_are_noticed(seed: int, place: int) -> None:
    text = resident_id(random.Random(seed))
    assume(text[place] != text[place + 1])
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert ids.resident_id_problem(swapped) is not None


@given(st.text(max_size=20))
def test_checking_any_text_only_ever_answers_with_a_short_code(text: str) -> None:
    for check in (ids.resident_id_problem, ids.uscc_problem, ids.phone_problem, ids.receipt_number_problem):
        problem = check(text)
        assert problem is None or problem in {
            "length", "characters", "region", "birth_date", "check_digit", "format",
        }  # fmt: skip


def test_digits_of_other_scripts_are_not_digits() -> None:
    assert ids.resident_id_problem("511602180001010014".replace("1", "\u0661")) == "characters"
    assert not ids.is_region_code("51160310620\u0665")
    assert ids.phone_problem("1380000000\u0661") == "format"


def test_a_small_x_is_taken_for_the_check_character() -> None:
    ending_in_x = next(text for text in (resident_id(random.Random(n)) for n in range(500)) if text.endswith("X"))
    assert ids.resident_id_problem(ending_in_x.lower()) is None


def test_the_published_codes_of_the_bodies_in_the_catalog_pass() -> None:
    items = json.loads((SEED / "items.json").read_text())["items"]
    codes = {(item["codes"].get("sczwfw_item_code") or "---").split("-")[3] for item in items}
    whole = [code for code in codes if len(code) == 18]
    assert len(whole) >= 15
    assert {ids.uscc_problem(code) for code in whole} == {None}


@given(seeds, st.integers(0, 16))
def test_one_wrong_character_of_a_credit_code_is_noticed(seed: int, place: int) -> None:
    text = uscc(random.Random(seed))
    assert ids.uscc_problem(text) is None
    other = "A" if text[place] != "A" else "B"
    assert ids.uscc_problem(text[:place] + other + text[place + 1 :]) == "check_digit"


def test_levels_and_parents_agree_with_the_region_table() -> None:
    for region in REGIONS:
        code = region["code"]
        assert ids.is_region_code(code)
        assert ids.region_level(code) == region["level"]
        assert ids.parent_region(code) == region["parent"]


def test_a_region_covers_itself_and_what_lies_in_it_alone() -> None:
    codes = [region["code"] for region in REGIONS]
    parents = {region["code"]: region["parent"] for region in REGIONS}
    for outer in codes:
        for inner in codes:
            up: str | None = inner
            while up is not None and up != outer:
                up = parents[up]
            assert ids.region_covers(outer, inner) == (up == outer)


def test_what_is_no_region_code_covers_nothing() -> None:
    assert not ids.region_covers("", "511603106205")
    assert not ids.region_covers("511603", "511603106205")
    assert not ids.region_covers("511603106000", "")


days = st.dates(date(2020, 1, 1), date(2099, 12, 31))


@given(days, st.integers(1, MAX_SERIAL))
def test_a_receipt_number_passes_its_own_check(day: date, serial: int) -> None:
    assert ids.receipt_number_problem(ids.receipt_number("511603106205", day, serial)) is None


@given(days, st.integers(1, 9999), st.integers(0, 24), st.sampled_from("0123456789"))
def test_one_wrong_digit_of_a_receipt_number_is_noticed(day: date, serial: int, place: int, digit: str) -> None:
    text = ids.receipt_number("511603106205", day, serial)
    assume(text[place] not in (digit, "-"))
    assert ids.receipt_number_problem(text[:place] + digit + text[place + 1 :]) == "check_digit"


def test_a_serial_out_of_range_is_refused() -> None:
    for serial in (0, -1, MAX_SERIAL + 1):
        with pytest.raises(ValueError, match="serial"):
            ids.receipt_number("511603106205", date(2026, 1, 1), serial)


def test_the_check_character_agrees_with_a_published_example() -> None:
    assert mod_37_36("A12425GABC1234002") == "M"


@given(st.text(min_size=1, max_size=40))
def test_no_mask_shows_the_whole_value(text: str) -> None:
    assume("*" not in text)
    masks = (ids.mask_resident_id, ids.mask_phone, ids.mask_bank, ids.mask_address, ids.mask_for_notice)
    for mask in masks:
        assert text not in mask(text)


@given(seeds)
def test_a_masked_resident_id_hides_the_birth_date(seed: int) -> None:
    text = resident_id(random.Random(seed))
    assert ids.mask_resident_id(text)[6:14] == "*" * 8


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("四川省广安市前锋区护安镇团柏村三组12号", "四川省广安市前锋区护安镇团柏村***"),
        ("护安镇民丰路社区8栋", "护安镇民丰路社区***"),
        ("广安区浓洄街道1号", "广安区浓洄街道***"),
        ("团柏村三组", "团柏村***"),
        ("某路1号", "***"),
        ("", ""),
    ],
)
def test_an_address_is_shown_down_to_the_village(address: str, shown: str) -> None:
    assert ids.mask_address(address) == shown
