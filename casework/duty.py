"""Who may do what, and who has to act next: one table, used by both doors.

- A duty is role × event × region: the role may do the event to applications that stand in this relation to its region.
- `OWN_SITE`: collected at the actor's own site. `COVERS`: the site lies in the actor's region, and for a township
  clerk the application is addressed to that township. `ANYWHERE`: the whole city.
- While the proxy is suspended or terminated, the agent no longer acts for the applicant; the township does.
- Nobody rates for the applicant; at the agent's screen the applicant's sealed rating only passes through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from casework.application import Actor, Application, Role
from casework.errors import NotYourDuty
from casework.events import Collected, Event
from casework.identifiers import COUNTY, is_region_code, region_at, region_covers
from casework.lifecycle import allowed_events
from casework.states import ProxyStanding, State


class Reach(Enum):
    """Which applications a duty reaches."""

    OWN_SITE = "own_site"
    COVERS = "covers"
    ANYWHERE = "anywhere"


_OWN_SITE, _COVERS, _ANYWHERE = Reach.OWN_SITE, Reach.COVERS, Reach.ANYWHERE

DUTIES: Final[dict[Role, dict[str, Reach]]] = {
    Role.AGENT: {
        "collected": _OWN_SITE,
        "supplemented": _OWN_SITE,
        "rescanned": _OWN_SITE,
        "withdrawn": _OWN_SITE,
        "delivered": _OWN_SITE,
        "rated": _OWN_SITE,
        "proxy_suspended": _OWN_SITE,
        "proxy_resumed": _OWN_SITE,
        "proxy_terminated": _OWN_SITE,
    },
    Role.CLERK: {
        "collected": _COVERS,
        "pre_review_started": _COVERS,
        "returned": _COVERS,
        "supplemented": _COVERS,
        "rescanned": _COVERS,
        "accepted": _COVERS,
        "provisionally_accepted": _COVERS,
        "declined": _COVERS,
        "found_not_required": _COVERS,
        "forwarded": _COVERS,
        "withdrawn": _COVERS,
        "delivered": _COVERS,
        "rated": _COVERS,
        "proxy_suspended": _COVERS,
        "proxy_resumed": _COVERS,
        "proxy_terminated": _COVERS,
    },
    Role.DEPARTMENT: {
        "review_started": _COVERS,
        "suspended": _COVERS,
        "resumed": _COVERS,
        "extended": _COVERS,
        "decided": _COVERS,
        "concluded": _COVERS,
        "revoked": _COVERS,
    },
    Role.CITY: {
        "submitted": _ANYWHERE,
        "review_started": _ANYWHERE,
        "suspended": _ANYWHERE,
        "resumed": _ANYWHERE,
        "extended": _ANYWHERE,
        "decided": _ANYWHERE,
        "concluded": _ANYWHERE,
        "withdrawn": _ANYWHERE,
        "rated": _ANYWHERE,
        "revoked": _ANYWHERE,
    },
    Role.ADMINISTRATOR: {
        "voided": _ANYWHERE,
    },
}

_IN_THE_APPLICANTS_NAME: Final = frozenset({"supplemented", "withdrawn", "delivered"})


@dataclass(frozen=True, slots=True)
class Duty:
    """Who has to act next; `role` None means nobody, `region` None the whole city."""

    role: Role | None
    region: str | None
    what: str


DUTY_CODES: Final = frozenset(
    {
        "duty.collect",
        "duty.send",
        "duty.begin_pre_review",
        "duty.decide_acceptance",
        "duty.supplement",
        "duty.hand_in_deferred",
        "duty.confirm_acceptance",
        "duty.begin_review",
        "duty.rule",
        "duty.end_special_procedure",
        "duty.conclude",
        "duty.deliver",
        "duty.rate",
        "duty.nothing",
    }
)
"""Everything that can be waited for; every surface has a sentence for each."""


def may(actor: Actor, event: Event, application: Application) -> bool:
    """Say whether this actor may do this to this application; whether the state allows it is `advance`'s question."""
    reach = DUTIES[actor.role].get(event.code)
    if reach is None or not _speaks_for_the_applicant(actor, event.code, application):
        return False
    if isinstance(event, Collected):
        return region_covers(event.township, event.site) and _reaches(reach, actor, event.site, event.township)
    return _reaches(reach, actor, application.site, application.township)


def offered(actor: Actor, application: Application) -> tuple[str, ...]:
    """Name the events that this actor may cause to this application now; collecting begins one and is never among them.

    >>> offered(Actor(Role.AGENT, "a", "b" * 32, "511603106205"), Application(application_id="0" * 32))
    ()
    """
    duties = DUTIES[actor.role]
    return tuple(
        code
        for code in allowed_events(application)
        if code in duties
        and code != Collected.code
        and _speaks_for_the_applicant(actor, code, application)
        and _reaches(duties[code], actor, application.site, application.township)
    )


def require(actor: Actor, event: Event, application: Application) -> None:
    """Raise `NotYourDuty` unless `may`."""
    if not may(actor, event, application):
        raise NotYourDuty(actor.role, event.code)


def _speaks_for_the_applicant(actor: Actor, code: str, application: Application) -> bool:
    return (
        actor.role is not Role.AGENT or code not in _IN_THE_APPLICANTS_NAME or application.proxy is ProxyStanding.ACTIVE
    )


def _reaches(reach: Reach, actor: Actor, site: str, township: str) -> bool:
    if reach is Reach.ANYWHERE:
        return True
    if reach is Reach.OWN_SITE:
        return bool(site) and actor.region == site
    # A clerk answers for what is addressed to the township, even where a street was moved under another one.
    wanted = township if actor.role is Role.CLERK else site
    return region_covers(actor.region, wanted)


def who_must_act(application: Application) -> Duty:
    """Say who has to act next and what is waited for.

    >>> who_must_act(Application(application_id="0" * 32)).what
    'duty.collect'
    """
    state = application.state
    if state in _WAITING_FOR_THE_DEPARTMENT:
        return Duty(Role.DEPARTMENT, _county(application), _WAITING_FOR_THE_DEPARTMENT[state])
    if state in _WAITING_FOR_THE_TOWNSHIP:
        return Duty(Role.CLERK, application.township or None, _WAITING_FOR_THE_TOWNSHIP[state])
    match state:
        case State.DRAFT:
            return Duty(Role.AGENT, application.site or None, "duty.collect")
        case State.COLLECTED:
            return Duty(Role.CITY, None, "duty.send")
        case State.RETURNED:
            return _at_the_site(application, "duty.supplement")
        case State.PROVISIONALLY_ACCEPTED if application.deferred:
            return _at_the_site(application, "duty.hand_in_deferred")
        case State.PROVISIONALLY_ACCEPTED:
            return Duty(Role.CLERK, application.township or None, "duty.confirm_acceptance")
        case State.CONCLUDED if application.form.get("delivery_way") == "pickup_township":
            return Duty(Role.CLERK, application.township or None, "duty.deliver")
        case State.CONCLUDED:
            return _at_the_site(application, "duty.deliver")
        case State.DELIVERED:
            return Duty(Role.AGENT, application.site or None, "duty.rate")
        case _:
            return Duty(None, None, "duty.nothing")


_WAITING_FOR_THE_TOWNSHIP: Final[Mapping[State, str]] = {
    State.SUBMITTED: "duty.begin_pre_review",
    State.PRE_REVIEW: "duty.decide_acceptance",
}
_WAITING_FOR_THE_DEPARTMENT: Final[Mapping[State, str]] = {
    State.ACCEPTED: "duty.begin_review",
    State.UNDER_REVIEW: "duty.rule",
    State.EXTENDED: "duty.rule",
    State.SUSPENDED: "duty.end_special_procedure",
    State.DECIDED: "duty.conclude",
}


def _at_the_site(application: Application, what: str) -> Duty:
    if application.proxy is ProxyStanding.ACTIVE:
        return Duty(Role.AGENT, application.site or None, what)
    return Duty(Role.CLERK, application.township or None, what)


def _county(application: Application) -> str | None:
    return region_at(application.site, COUNTY) if is_region_code(application.site) else None
