"""Every item that is not at the city yet has an explanation, whatever the facts; and each reason is somebody's or
nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wire.waiting import (
    ALARMS,
    RULES,
    Alarm,
    Explanation,
    Facts,
    Hold,
    Item,
    Place,
    Reason,
    Road,
    Then,
    Who,
    conditions,
    explain,
    most_urgent,
)

pytestmark = pytest.mark.fast
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

ERRORS = (
    "", "ConnectError", "ReadTimeout", "AnswerWithoutEnd", "interrupted", "not_the_gateway", "http_302", "http_401",
    "http_403", "http_404", "http_429", "http_503", "http_511", "wire.malformed", "wire.wrong_signature",
    "receipt.abandoned_epoch", "receipt.busy", "gateway.busy", "request.stale", "request.replayed", "request.unsigned",
    "request.unknown_node", "node.stopped", "fork", "chain.fork", "catalog.refused.expired", "of tomorrow",
)  # fmt: skip
TIMES = st.none() | st.integers(-90, 90).map(lambda minutes: NOW + timedelta(minutes=minutes))
FACTS = st.builds(
    Facts,
    road=st.sampled_from(Road),
    error=st.sampled_from(ERRORS) | st.text(max_size=12),
    next_try=TIMES,
    hold=st.none() | st.sampled_from(Hold),
    hold_until=TIMES,
    relay=st.booleans(),
    alarms=st.frozensets(st.sampled_from([*sorted(ALARMS), "of_tomorrow"]), max_size=4),
)
ITEMS = st.builds(Item, place=st.sampled_from(Place), scan=st.booleans(), code=st.sampled_from(["", "return.vague"]))
BY_ITSELF = {
    Then.TRIED_AGAIN, Then.SENT_AT_ONCE, Then.GOES_ON, Then.ANSWER_COMES, Then.AFTER_ANOTHER, Then.COMES_BY_ITSELF,
    Then.NEXT_CONTACT, Then.DONE_LATER,
}  # fmt: skip


def whole(one: Explanation) -> None:
    rule = RULES[one.reason]
    assert (one.who, one.then, one.stick) == (rule.who, rule.then, rule.stick)


@given(item=ITEMS, facts=FACTS)
@example(item=Item(place=Place.HERE), facts=Facts(road=Road.SILENT))
def test_every_item_is_explained_whatever_the_facts(item, facts):
    one = explain(item, facts)
    whole(replace(one, stick=RULES[one.reason].stick) if item.place is Place.COMING else one)
    assert one.stick <= (item.place is not Place.COMING)
    assert one == explain(item, facts)
    if one.when is not None:
        assert one.when in {facts.next_try, facts.hold_until}


@given(facts=FACTS)
def test_how_the_node_stands_is_told_in_order_of_urgency_and_each_thing_once(facts):
    told = conditions(facts)
    order = list(Reason)
    assert told
    for one in told:
        whole(one)
    assert [order.index(one.reason) for one in told] == sorted(order.index(one.reason) for one in told)
    assert len({(one.reason, one.code) for one in told}) == len(told)
    assert most_urgent(told) == told[0]
    for alarm in facts.alarms:
        assert ALARMS.get(alarm, Reason.OTHER_ALARM) in {one.reason for one in told}


@given(item=ITEMS, facts=FACTS)
def test_what_stops_an_item_is_never_told_as_passing_by_itself(item, facts):
    one = explain(item, facts)
    if "forked" in facts.alarms and item.place not in {Place.REFUSED, Place.DAMAGED}:
        assert one.reason is Reason.IDENTITY_STOPPED
    if facts.road is Road.SILENT and item.place is Place.HERE:
        assert one.who is not Who.NOBODY
    if not item.scan and item.place is Place.HERE:
        assert one.reason not in {Reason.QUIET_HOURS, Reason.DAILY_CAP, Reason.OPERATIONS_ONLY, Reason.BAD_SETTINGS}


def test_a_reason_that_passes_by_itself_names_nobody_and_any_other_names_somebody():
    assert set(RULES) == set(Reason)
    for reason, rule in RULES.items():
        assert (rule.who is Who.NOBODY) == (rule.then in BY_ITSELF), reason
    assert {rule.then for rule in RULES.values()} == set(Then)
    assert {rule.who for rule in RULES.values()} == set(Who)


def test_each_reason_is_what_some_facts_lead_to():
    met = set()
    for road in Road:
        for error in ERRORS:
            for hold in (None, *Hold):
                for alarms in (frozenset(), *(frozenset({one}) for one in (*ALARMS, "of_tomorrow"))):
                    facts = Facts(road=road, error=error, hold=hold, alarms=alarms, relay=hold is Hold.DAILY_CAP)
                    met |= {one.reason for one in conditions(facts)}
                    met |= {explain(Item(place=place, scan=True), facts).reason for place in Place}
    assert met == set(Reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("ConnectError", Reason.LINE_DOWN),
        ("http_302", Reason.STRANGER_ANSWERS),
        ("http_403", Reason.STRANGER_ANSWERS),
        ("http_503", Reason.CITY_BUSY),
        ("http_429", Reason.CITY_BUSY),
        ("not_the_gateway", Reason.STRANGER_ANSWERS),
        ("wire.wrong_signature", Reason.STRANGER_ANSWERS),
        ("gateway.busy", Reason.CITY_BUSY),
        ("request.stale", Reason.CLOCK_CORRECTED),
        ("request.unknown_node", Reason.CITY_REFUSES_NODE),
        ("node.stopped", Reason.NODE_REVOKED),
        ("fork", Reason.IDENTITY_STOPPED),
    ],
)
def test_a_failed_question_is_told_by_its_cause(error, reason):
    facts = Facts(road=Road.DOWN, error=error, next_try=NOW)
    assert explain(Item(place=Place.HERE), facts).reason is reason
    assert conditions(facts)[0].reason is reason


def test_scans_that_rest_by_a_setting_say_so_even_while_the_line_is_down():
    until = NOW + timedelta(hours=3)
    facts = Facts(road=Road.DOWN, error="ConnectError", next_try=NOW, hold=Hold.QUIET_HOURS, hold_until=until)
    scan, act = explain(Item(place=Place.HERE, scan=True), facts), explain(Item(place=Place.HERE), facts)
    assert (scan.reason, scan.then, scan.when) == (Reason.QUIET_HOURS, Then.GOES_ON, until)
    assert (act.reason, act.then, act.when) == (Reason.LINE_DOWN, Then.TRIED_AGAIN, NOW)


def test_where_the_township_carries_the_mail_the_line_is_not_what_it_waits_for():
    facts = Facts(road=Road.DOWN, error="ConnectError", relay=True)
    assert explain(Item(place=Place.HERE), facts).reason is Reason.BY_RELAY
    assert explain(Item(place=Place.HERE), replace(facts, error="node.stopped")).reason is Reason.NODE_REVOKED


def test_what_a_station_without_its_right_did_waits_for_a_person_at_the_city_and_says_so():
    facts = Facts(road=Road.UP, alarms=frozenset({Alarm.REVOKED}))
    for place in (Place.AT_CITY, Place.BEHIND):
        one = explain(Item(place=place), facts)
        assert (one.reason, one.who, one.then) == (Reason.RIGHT_WITHDRAWN, Who.CITY, Then.CITY_LOOKS_AT_IT)
    assert conditions(facts)[0].reason is Reason.RIGHT_WITHDRAWN
    on_the_way = replace(facts, road=Road.DOWN, error="ConnectError")
    assert explain(Item(place=Place.HERE), on_the_way).reason is Reason.LINE_DOWN, "it still is sent, and held there"
