"""What is written as plain data is read back the same, and broken data is refused with its place."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import CaseworkError, MalformedRecord, UnknownEvent
from casework.events import EVENTS, Event
from casework.lifecycle import replay
from casework.record import application_from_plain, application_to_plain, event_from_plain, event_to_plain
from tests.casework.drawn_events import APPLICATION_ID, an_event, events, walks

pytestmark = pytest.mark.fast

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(["x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def over_the_wire(plain: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(plain, ensure_ascii=False, allow_nan=False))


@given(events)
def test_an_event_survives_the_round_trip(event: Event) -> None:
    assert event_from_plain(over_the_wire(event_to_plain(event))) == event


@given(walks())
def test_an_application_survives_the_round_trip(taken: list[Event]) -> None:
    application = replay(APPLICATION_ID, taken)
    assert application_from_plain(over_the_wire(application_to_plain(application))) == application


@given(walks())
def test_replaying_plain_events_gives_the_same_application(taken: list[Event]) -> None:
    again = [event_from_plain(over_the_wire(event_to_plain(event))) for event in taken]
    assert replay(APPLICATION_ID, again) == replay(APPLICATION_ID, taken)


@pytest.mark.parametrize("code", sorted(EVENTS))
def test_fields_of_a_later_version_are_kept(code: str) -> None:
    plain = {**event_to_plain(an_event(code)), "mood": {"of": "tomorrow"}}
    event = event_from_plain(plain)
    assert event.extra == {"mood": {"of": "tomorrow"}}
    assert event_to_plain(event) == plain


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("scans", 0, "scan_hash"), "/dev/tty"),
        (("scans", 0, "scan_hash"), "../../keys/signing.key"),
        (("scans", 0, "scan_hash"), "b" * 63 + "\x00"),
        (("scans", 0, "length"), 2**63),
        (("by", "node_id"), "a\x00b"),
        (("receipt_no",), "x" * 300),
        (("item_id",), "GA\n1"),
        (("catalog_version",), 2**70),
    ],
)
def test_a_name_that_no_program_could_use_is_refused(place: tuple[Any, ...], value: Any) -> None:
    plain = over_the_wire(event_to_plain(an_event("collected")))
    part = plain
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    with pytest.raises(MalformedRecord):
        event_from_plain(plain)


def test_what_people_type_may_hold_anything() -> None:
    typed = "a\x00b\u202e" + "x" * 10_000
    event = an_event("collected", form={"applicant_name": typed})
    assert event_from_plain(over_the_wire(event_to_plain(event))) == event


def test_an_extra_field_cannot_overwrite_a_known_one() -> None:
    event = an_event("submitted", extra={"at": "2000-01-01T00:00:00Z", "new": 1})
    assert event_to_plain(event)["at"] != "2000-01-01T00:00:00Z"
    assert event_to_plain(event)["new"] == 1


def test_an_event_of_a_later_version_is_its_own_error() -> None:
    with pytest.raises(UnknownEvent) as refusal:
        event_from_plain({"event": "teleported", "at": "2026-01-01T00:00:00Z"})
    assert refusal.value.event == "teleported"


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (("at",), "2026-03-02T01:30:00"),
        (("at",), "yesterday"),
        (("by", "role"), "emperor"),
        (("by", "region"), 511603),
        (("catalog_version",), True),
        (("catalog_version",), "1"),
        (("form",), ["not", "a", "mapping"]),
        (("scans",), {"not": "a list"}),
        (("handed_in", 0, "seen"), "glimpsed"),
        (("receipt_no",), None),
        (("township",), " "),
    ],
)
def test_broken_data_is_refused_with_its_place_and_without_its_value(path: tuple, bad: object) -> None:
    plain = over_the_wire(event_to_plain(an_event("collected")))
    inner = plain
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = bad
    with pytest.raises(MalformedRecord) as refusal:
        event_from_plain(plain)
    assert str(path[0]) in refusal.value.where
    assert str(bad) not in str(refusal.value) or bad in (None, " ")


def test_a_missing_field_is_refused_by_name() -> None:
    plain = event_to_plain(an_event("collected"))
    del plain["site"]
    with pytest.raises(MalformedRecord) as refusal:
        event_from_plain(plain)
    assert refusal.value.where == "site"


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_hostile_data_raises_nothing_but_this_rooms_errors(code: str, data: st.DataObject) -> None:
    plain = over_the_wire(event_to_plain(an_event(code)))
    victim = data.draw(st.sampled_from(sorted(plain)))
    plain[victim] = data.draw(anything)
    with contextlib.suppress(MalformedRecord, UnknownEvent):
        event_from_plain(plain)


@given(anything)
def test_what_is_no_record_at_all_is_refused(junk: Any) -> None:
    for read in (event_from_plain, application_from_plain):
        with pytest.raises(CaseworkError):
            read(junk)
