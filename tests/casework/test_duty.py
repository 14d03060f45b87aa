"""Who may do what to which application, and who has to act next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.application import Application, Role
from casework.duty import DUTIES, DUTY_CODES, may, offered, require, who_must_act
from casework.errors import NotYourDuty
from casework.events import EVENTS, Event
from casework.lifecycle import ProxyStanding, State, allowed_events, replay
from casework.states import CLOSED_STATES
from tests.casework.drawn_events import ACTORS, APPLICATION_ID, TOWNSHIP, VILLAGE, an_event, walk, walks

pytestmark = pytest.mark.fast

OTHER_VILLAGE, OTHER_TOWNSHIP, OTHER_COUNTY = "511603106209", "511602101000", "511602000000"


def able(role: Role, code: str, application: Application | None = None, region: str | None = None) -> bool:
    actor = ACTORS[role] if region is None else replace(ACTORS[role], region=region)
    return may(actor, an_event(code, role=role), application or walk("collected"))


def test_every_event_is_somebodys_duty() -> None:
    assert {code for duties in DUTIES.values() for code in duties} == set(EVENTS)
    assert set(DUTIES) == set(Role)


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        (Role.AGENT, {"accepted", "returned", "declined", "decided", "submitted", "voided", "revoked"}),
        (Role.CLERK, {"decided", "review_started", "submitted", "voided", "revoked", "concluded"}),
        (Role.DEPARTMENT, {"accepted", "returned", "collected", "submitted", "voided", "rated"}),
        (Role.CITY, {"accepted", "returned", "collected", "declined", "voided"}),
        (Role.ADMINISTRATOR, set(EVENTS) - {"voided"}),
    ],
)
def test_nobody_does_what_belongs_to_another(role: Role, codes: set[str]) -> None:
    assert not [code for code in codes if able(role, code)]


def test_an_agent_acts_at_the_own_site_only() -> None:
    assert able(Role.AGENT, "collected")
    assert able(Role.AGENT, "withdrawn")
    for region in (OTHER_VILLAGE, TOWNSHIP, ""):
        assert not able(Role.AGENT, "collected", region=region)
        assert not able(Role.AGENT, "withdrawn", region=region)


def test_a_clerk_acts_for_what_is_addressed_to_the_township() -> None:
    assert able(Role.CLERK, "accepted")
    for region in (OTHER_TOWNSHIP, VILLAGE, ""):
        assert not able(Role.CLERK, "accepted", region=region)


def test_a_department_rules_in_its_county_only() -> None:
    assert able(Role.DEPARTMENT, "decided")
    assert not able(Role.DEPARTMENT, "decided", region=OTHER_COUNTY)


def test_a_village_cannot_address_a_township_it_does_not_lie_in() -> None:
    event = an_event("collected", role=Role.AGENT, township=OTHER_TOWNSHIP)
    assert not may(ACTORS[Role.AGENT], event, walk())


def test_a_township_takes_in_what_is_brought_to_its_own_counter() -> None:
    event = an_event("collected", role=Role.CLERK, site=TOWNSHIP)
    assert may(ACTORS[Role.CLERK], event, walk())


@pytest.mark.parametrize("ending", ["proxy_suspended", "proxy_terminated"])
def test_without_a_proxy_the_agent_does_not_act_for_the_applicant(ending: str) -> None:
    application = walk("collected", "submitted", "pre_review_started", "returned", ending)
    for code in ("supplemented", "withdrawn", "delivered"):
        assert not able(Role.AGENT, code, application)
        assert able(Role.CLERK, code, application)
    assert able(Role.AGENT, "proxy_resumed", application)
    assert who_must_act(application).role is Role.CLERK


def test_a_refusal_names_role_and_event_and_no_person() -> None:
    with pytest.raises(NotYourDuty) as refusal:
        require(ACTORS[Role.AGENT], an_event("decided"), walk("collected"))
    assert refusal.value.params == {"role": "agent", "event": "decided"}


@given(walks(), st.sampled_from(list(ACTORS)))
def test_what_is_offered_is_what_lifecycle_and_duty_allow(taken: list[Event], role: Role) -> None:
    application = replay(APPLICATION_ID, taken)
    allowed = [code for code in allowed_events(application) if code != "collected"]
    assert list(offered(ACTORS[role], application)) == [code for code in allowed if able(role, code, application)]


@given(walks())
def test_somebody_is_named_until_nothing_is_left_to_do(taken: list[Event]) -> None:
    application = replay(APPLICATION_ID, taken)
    duty = who_must_act(application)
    assert duty.what in DUTY_CODES
    assert (duty.role is None) == (application.state in CLOSED_STATES)


@given(walks())
def test_whoever_is_named_can_move_the_application(taken: list[Event]) -> None:
    application = replay(APPLICATION_ID, taken)
    duty = who_must_act(application)
    if duty.role is None or application.state is State.DRAFT:
        return
    actor = ACTORS[duty.role]
    moves = [code for code in allowed_events(application) if not code.startswith("proxy_")]
    assert any(may(actor, an_event(code, role=duty.role), application) for code in moves)


def test_the_result_is_handed_over_where_the_applicant_wants_it() -> None:
    concluded = walk(
        "collected", "submitted", "pre_review_started", "accepted", "review_started", "decided", "concluded"
    )
    assert who_must_act(concluded).role is Role.AGENT
    at_the_township = replace(concluded, form={"delivery_way": "pickup_township"})
    assert who_must_act(at_the_township).role is Role.CLERK
    assert who_must_act(replace(concluded, proxy=ProxyStanding.TERMINATED)).region == TOWNSHIP
