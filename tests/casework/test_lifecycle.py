"""The table moves an application and nothing else does."""

from __future__ import annotations

import copy
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given

from casework import diagram
from casework.application import Application, HandedIn, Scan, Seen
from casework.errors import CaseworkError, IllegalEvent, MalformedEvent, NothingDeferred
from casework.events import EVENTS, Event, Rated
from casework.lifecycle import (
    PROXY_TRANSITIONS,
    TRANSITIONS,
    ProxyStanding,
    State,
    advance,
    allowed_events,
    draft,
    replay,
)
from casework.states import CLOSED_STATES
from tests.casework.drawn_events import ACTORS, APPLICATION_ID, START, an_event, events, walk, walks

pytestmark = pytest.mark.fast

ACCEPTED = ("collected", "submitted", "pre_review_started", "accepted")
PROVISIONAL = ("collected", "submitted", "pre_review_started", "provisionally_accepted")
RATED = (*ACCEPTED, "review_started", "decided", "concluded", "delivered", "rated")


def test_the_table_has_every_state_and_only_known_events() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(PROXY_TRANSITIONS) == set(ProxyStanding)
    moves = {code for table in (TRANSITIONS, PROXY_TRANSITIONS) for row in table.values() for code in row}
    assert moves == set(EVENTS)


def test_every_state_is_reachable_through_events_alone() -> None:
    reached, edge = {State.DRAFT}, [draft(APPLICATION_ID)]
    while edge:
        application = edge.pop()
        for code in allowed_events(application):
            after = advance(application, an_event(code))
            if after.state not in reached:
                reached.add(after.state)
                edge.append(after)
    assert reached == set(State)


@given(walks(), events)
def test_an_illegal_event_changes_nothing(taken: list[Event], event: Event) -> None:
    application = replay(APPLICATION_ID, taken)
    before = copy.deepcopy(application)
    if event.code in allowed_events(application):
        advance(application, event)
    else:
        with pytest.raises(IllegalEvent) as refusal:
            advance(application, event)
        assert refusal.value.state == application.state
        assert refusal.value.event == event.code
        assert refusal.value.allowed == allowed_events(application)
    assert application == before


@given(walks())
def test_replay_is_deterministic_and_leaves_the_events_alone(taken: list[Event]) -> None:
    before = copy.deepcopy(taken)
    assert replay(APPLICATION_ID, taken) == replay(APPLICATION_ID, taken)
    assert taken == before


@given(walks())
def test_replay_can_be_cut_anywhere(taken: list[Event]) -> None:
    whole = replay(APPLICATION_ID, taken)
    for cut in range(len(taken) + 1):
        application = replay(APPLICATION_ID, taken[:cut])
        for event in taken[cut:]:
            application = advance(application, event)
        assert application == whole


@given(walks())
def test_every_event_leaves_exactly_one_line_of_history(taken: list[Event]) -> None:
    application = replay(APPLICATION_ID, taken)
    assert [(step.at, step.event) for step in application.history] == [(event.at, event.code) for event in taken]


@given(walks())
def test_the_proxy_never_moves_the_state(taken: list[Event]) -> None:
    application = draft(APPLICATION_ID)
    for event in taken:
        after = advance(application, event)
        if event.code.startswith("proxy_"):
            assert replace(after, proxy=application.proxy, history=application.history) == application
        else:
            assert after.proxy == application.proxy
        application = after


def test_a_closed_application_moves_no_more_except_by_revocation() -> None:
    for state in CLOSED_STATES:
        application = replace(walk("collected"), state=state)
        assert set(allowed_events(application)) <= {"revoked"}


def test_collecting_is_not_accepting() -> None:
    application = walk("collected", "submitted", "pre_review_started")
    assert application.collected_at == START
    assert application.accepted_at is None


def test_what_was_collected_is_in_the_application() -> None:
    event = an_event("collected")
    application = advance(draft(APPLICATION_ID), event)
    shared = {one.name for one in fields(Application)} & {one.name for one in fields(event)} - {"extra"}
    assert shared == {
        "receipt_no", "item_id", "form_id", "catalog_version", "site", "township", "applicant", "form", "handed_in",
        "scans",
    }  # fmt: skip
    for name in shared:
        assert getattr(application, name) == getattr(event, name)


def test_a_form_changed_after_collecting_does_not_change_the_application() -> None:
    form = {"applicant_name": "张测试"}
    application = advance(draft(APPLICATION_ID), an_event("collected", form=form))
    form["applicant_name"] = "李样例"
    assert application.form == {"applicant_name": "张测试"}


def test_an_answered_return_starts_the_notice_clock_again() -> None:
    returned = walk("collected", "submitted", "pre_review_started", "returned")
    assert returned.returns_count == 1
    assert [one.points for one in returned.rounds] == [returned.return_points]
    assert returned.notice_given_at is not None
    answered = walk("supplemented", start=returned)
    assert answered.state is State.PRE_REVIEW
    assert answered.notice_given_at is None
    assert answered.received_at is None, "the village has it, the competent body does not"
    arrived = walk("submitted", start=answered)
    assert arrived.state is State.PRE_REVIEW
    assert arrived.received_at == arrived.history[-1].at
    assert arrived.submitted_at == answered.submitted_at
    assert answered.answers == {"M1": "已重拍"}
    assert walk("returned", start=answered).returns_count == 2


def test_days_without_a_line_do_not_run_against_the_township() -> None:
    collected = walk("collected")
    assert (collected.collected_at is not None, collected.received_at) == (True, None)
    arrived = walk("submitted", start=collected)
    assert arrived.received_at == arrived.submitted_at == arrived.history[-1].at


def test_a_supplement_replaces_what_it_names_and_keeps_the_rest() -> None:
    returned = walk("collected", "submitted", "pre_review_started", "returned")
    new = Scan("c" * 64, 5, "image/png", "M2", 1)
    answered = advance(
        returned,
        an_event(
            "supplemented",
            form={"applicant_name": "李样例"},
            handed_in=(HandedIn("M1", Seen.COPY), HandedIn("M2", Seen.COPY)),
            scans=(new, new),
        ),
    )
    assert answered.form == {**returned.form, "applicant_name": "李样例"}
    assert answered.applicant.name == "李样例"
    assert [(one.material_id, one.seen) for one in answered.handed_in] == [("M1", Seen.COPY), ("M2", Seen.COPY)]
    assert answered.scans == (*returned.scans, new)
    again = advance(
        walk("returned", start=answered), an_event("supplemented", scans=(replace(new, scan_hash="d" * 64),))
    )
    assert [scan.scan_hash[0] for scan in again.scans] == ["b", "d"]


def test_deferred_materials_may_follow_until_the_decision() -> None:
    provisional = walk(*PROVISIONAL)
    assert provisional.deferred == ("M9",)
    handed = an_event("supplemented", handed_in=(HandedIn("M9", Seen.COPY),))
    for extra in ((), ("review_started",), ("review_started", "suspended"), ("review_started", "extended")):
        application = walk(*extra, start=provisional)
        after = advance(application, handed)
        assert after.state is application.state
        assert after.deferred == ()
        assert after.received_at == provisional.received_at
        with pytest.raises(NothingDeferred):
            advance(after, handed)


def test_after_acceptance_nothing_more_may_be_asked_for() -> None:
    with pytest.raises(IllegalEvent):
        walk(*ACCEPTED, "supplemented")
    with pytest.raises(NothingDeferred):
        walk(*ACCEPTED, "review_started", "supplemented")
    with pytest.raises(IllegalEvent):
        walk(*ACCEPTED, "returned")


def test_full_acceptance_keeps_the_day_of_the_provisional_one() -> None:
    provisional = walk(*PROVISIONAL)
    accepted = walk("accepted", start=provisional)
    assert accepted.accepted_at == provisional.accepted_at
    assert accepted.deferred == ()


def test_a_pause_is_closed_by_the_resumption() -> None:
    application = walk(*ACCEPTED, "review_started", "suspended", "resumed", "suspended")
    assert [pause.ended_at is None for pause in application.pauses] == [False, True]
    assert application.state is State.SUSPENDED


def test_how_it_was_rated_stays_out_of_the_application() -> None:
    delivered = walk(*RATED[:-1])
    rated = advance(delivered, Rated(at=START, by=ACTORS["agent"], sealed="c2VhbGVk", level=5, text="慢"))
    assert rated.rated_at == START
    assert "5" not in repr(rated.history[-1].note)
    assert "慢" not in repr(rated)
    assert "c2VhbGVk" not in repr(rated)


@pytest.mark.parametrize(
    ("code", "blank"),
    [
        ("returned", {"points": ()}),
        ("declined", {"reason": "  "}),
        ("forwarded", {"to": ""}),
        ("voided", {"reason": ""}),
        ("extended", {"days": 0}),
        ("extended", {"days": 10**9}),
        ("rated", {"level": 6}),
        ("collected", {"township": ""}),
    ],
)
def test_an_event_that_leaves_out_what_must_be_said_cannot_be_made(code: str, blank: dict) -> None:
    with pytest.raises(MalformedEvent) as refusal:
        an_event(code, **blank)
    assert refusal.value.field in blank


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(MalformedEvent):
        an_event("submitted", START.replace(tzinfo=None))


def test_error_codes_are_stable_words_and_never_shared() -> None:
    kinds = {CaseworkError}
    for _ in range(3):
        kinds |= {sub for kind in kinds for sub in kind.__subclasses__()}
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", code) for code in codes)
    assert all(kind.__doc__ for kind in kinds)


def test_the_committed_diagram_is_the_generated_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "machines" / "application.md"
    assert page.read_text() == diagram.render()
