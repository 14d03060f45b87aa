"""What is told of a change makes the new file of the old one, byte by byte, and nothing else is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.canonical import canonical_json
from wire.catalog_changes import changed, told
from wire.errors import MalformedMessage

pytestmark = pytest.mark.fast

VALUES = st.one_of(st.none(), st.integers(0, 3), st.text("代办ab", max_size=3), st.lists(st.integers(0, 2), max_size=2))
FIELDS = st.dictionaries(st.sampled_from(["name", "fee", "conditions", "materials"]), VALUES, max_size=4)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of items, each with an id of its own."""
    ids = draw(st.lists(st.sampled_from([f"GA-{n}" for n in range(8)]), unique=True, max_size=6))
    return file_of([{"item_id": one, **draw(FIELDS)} for one in ids])


def file_of(items: list[dict[str, Any]], domain: str = "医保") -> bytes:
    return canonical_json({"domain": domain, "items": items})


@given(files(), files())
def test_the_new_file_is_made_of_the_old_one_byte_by_byte(before: bytes, after: bytes) -> None:
    changes = told(before, after)
    if changes is not None:
        assert changed(before, changes) == after


@given(files(), FIELDS)
def test_changed_fields_of_an_entry_are_always_told(before: bytes, fields: dict[str, Any]) -> None:
    after = changed(before, {"new": [{"item_id": "GA-9", **fields}]})
    assert changed(before, told(before, after) or {}) == after


def test_only_the_changed_field_travels() -> None:
    before = file_of([{"item_id": "GA-1", "name": "医保参保", "fee": None}, {"item_id": "GA-2", "name": "高龄津贴"}])
    after = file_of([{"item_id": "GA-1", "name": "医保参保", "fee": 20}, {"item_id": "GA-2", "name": "高龄津贴"}])
    assert told(before, after) == {"set": {"GA-1": {"fee": 20}}}


def test_an_unknown_value_is_told_as_unknown_and_a_dropped_field_is_gone() -> None:
    before = file_of([{"item_id": "GA-1", "fee": 20, "note": "旧"}])
    after = file_of([{"item_id": "GA-1", "fee": None}])
    changes = told(before, after)
    assert changes == {"set": {"GA-1": {"fee": None}}, "dropped": {"GA-1": ["note"]}}
    assert changed(before, changes) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (file_of([{"item_id": "GA-1"}, {"item_id": "GA-2"}]), file_of([{"item_id": "GA-2"}, {"item_id": "GA-1"}])),
        (file_of([{"item_id": "GA-1"}]), file_of([{"item_id": "GA-1"}], domain="民政")),
        (canonical_json({"years": {"2026": []}}), canonical_json({"years": {"2027": []}})),
        (canonical_json({"items": [], "forms": []}), canonical_json({"items": [], "forms": []})),
        (file_of([{"name": "no id"}]), file_of([{"name": "none either"}])),
        (file_of([{"item_id": "GA-1"}, {"item_id": "GA-1"}]), file_of([{"item_id": "GA-1"}])),
    ],
    ids=["another order", "another domain", "no list", "two lists", "entries without an id", "an id twice"],
)
def test_a_file_that_is_no_list_of_entries_in_one_order_is_fetched_whole(before: bytes, after: bytes) -> None:
    assert told(before, after) is None


@pytest.mark.parametrize(
    "changes",
    [{"gone": ["GA-7"]}, {"set": {"GA-7": {"fee": 1}}}, {"set": {"GA-1": 5}}, {"dropped": {"GA-7": []}}, {"gone": 3}],
)
def test_changes_that_do_not_fit_the_file_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        changed(file_of([{"item_id": "GA-1"}]), changes)
