"""What the region table knows to be wrong, and what it leaves to people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.identifiers import is_region_code, region_at
from casework.regions import RegionTable

pytestmark = pytest.mark.fast

PLAIN = json.loads((Path(__file__).parents[2] / "seed_catalog" / "regions.json").read_text("utf-8"))
TABLE = RegionTable.from_plain(PLAIN)
CODES = [one["code"] for one in PLAIN["regions"]]
TOWNSHIPS = [one["code"] for one in PLAIN["regions"] if one["level"] == 4]


@pytest.mark.parametrize("code", ["511601000000", "511609000000", "511603199000", "511603199205", "511681999001"])
def test_a_county_or_township_that_the_city_does_not_have_is_known_to_be_wrong(code: str) -> None:
    assert TABLE.knows_wrong(code)


@pytest.mark.parametrize("code", ["513922000000", "510104020001", "110101001001", "510000000000", "511600000000"])
def test_nothing_is_said_of_what_lies_outside_the_city(code: str) -> None:
    assert not TABLE.knows_wrong(code)


@pytest.mark.parametrize("code", ["", "5116", "abc", "000000000000", "511603106205x"])
def test_what_is_no_code_is_not_the_tables_question(code: str) -> None:
    assert not TABLE.knows_wrong(code)


@given(st.sampled_from(CODES))
def test_nothing_that_is_listed_is_wrong(code: str) -> None:
    assert not TABLE.knows_wrong(code)


@given(st.sampled_from(TOWNSHIPS), st.integers(1, 999))
def test_no_village_of_a_township_that_exists_is_known_to_be_wrong(township: str, number: int) -> None:
    assert not TABLE.knows_wrong(f"{township[:9]}{number:03d}")


@given(st.from_regex(r"5116[0-9]{8}", fullmatch=True))
def test_only_a_code_without_its_county_or_township_is_wrong(code: str) -> None:
    if is_region_code(code) and TABLE.knows_wrong(code):
        assert not {region_at(code, 3), region_at(code, 4)} <= set(CODES)


@pytest.mark.parametrize("plain", [None, [], {}, {"regions": None}, {"regions": [1, {}, {"code": 5}, {"code": "x"}]}])
def test_a_table_that_cannot_be_read_knows_nothing(plain: object) -> None:
    assert not any(RegionTable.from_plain(plain).knows_wrong(code) for code in ("511603199205", "511601000000"))


def test_a_county_whose_townships_are_not_listed_leaves_them_open() -> None:
    table = RegionTable.from_plain({"regions": [{"code": "511600000000"}, {"code": "511602000000"}]})
    assert not table.knows_wrong("511602100201")
    assert table.knows_wrong("511603106205")
