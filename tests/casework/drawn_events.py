"""Events and walks for tests: one valid event of every kind, and Hypothesis strategies over them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from casework.application import Actor, Applicant, Application, Decision, HandedIn, ReturnPoint, Role, Scan, Seen
from casework.events import EVENTS, Event
from casework.lifecycle import advance, allowed_events, draft

VILLAGE, TOWNSHIP, COUNTY, CITY = "511603106205", "511603106000", "511603000000", "511600000000"
START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
APPLICATION_ID = "a" * 32

ACTORS = {
    Role.AGENT: Actor(Role.AGENT, "agent-1", "1" * 32, VILLAGE),
    Role.CLERK: Actor(Role.CLERK, "clerk-1", "2" * 32, TOWNSHIP),
    Role.DEPARTMENT: Actor(Role.DEPARTMENT, "ruler-1", "3" * 32, COUNTY),
    Role.CITY: Actor(Role.CITY, "", "4" * 32, CITY),
    Role.ADMINISTRATOR: Actor(Role.ADMINISTRATOR, "admin-1", "5" * 32, CITY),
}

FORM = {"applicant_name": "张测试", "applicant_id_type": "111", "applicant_id_no": "511602180001010014"}

SAMPLE: dict[str, dict[str, Any]] = {
    "collected": {
        "receipt_no": "511603106205-20260302-0001-K",
        "item_id": "GA-YB-001",
        "form_id": "F-GA-YB-001",
        "catalog_version": 1,
        "site": VILLAGE,
        "township": TOWNSHIP,
        "applicant": Applicant.from_form(FORM),
        "form": FORM,
        "handed_in": (HandedIn("M1", Seen.ORIGINAL_SEEN),),
        "scans": (Scan("b" * 64, 1000, "image/jpeg", "M1", 1),),
    },
    "returned": {"points": (ReturnPoint("material", "M1", "看不清", "重拍"),)},
    "supplemented": {"handed_in": (HandedIn("M2", Seen.COPY),), "answers": {"M1": "已重拍"}},
    "rescanned": {"scans": (Scan("c" * 64, 900, "image/jpeg", "M1", 1),)},
    "provisionally_accepted": {"deferred": ("M9",), "due": date(2026, 3, 20), "promise": "十日内补齐"},
    "declined": {"reason": "不属于本机关职权", "basis": "行政许可法第32条", "remedy": "向县局申请"},
    "found_not_required": {"reason": "不需要取得许可"},
    "forwarded": {"to": "区医疗保障局", "reason": "转有权机关"},
    "suspended": {"kind": "鉴定", "reason": "专家评审", "basis": "行政许可法第45条", "pauses_clock": True},
    "extended": {"days": 10, "reason": "经负责人批准"},
    "decided": {"decision": Decision(True, "符合条件", "登记证", "演示1号", START)},
    "voided": {"reason": "误录"},
    "revoked": {"reason": "依据错误", "basis": "行政许可法第69条"},
}


def an_event(code: str, at: datetime = START, role: Role = Role.CITY, **fields: Any) -> Event:
    """A valid event of that kind."""
    return EVENTS[code](at=at, by=ACTORS[role], **{**SAMPLE.get(code, {}), **fields})


def walk(*codes: str, start: Application | None = None) -> Application:
    """The application after these events, one hour apart."""
    application = start or draft(APPLICATION_ID)
    for number, code in enumerate(codes):
        application = advance(application, an_event(code, START + timedelta(hours=number)))
    return application


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
codes = st.sampled_from(sorted(EVENTS))
events = st.builds(an_event, codes, moments, st.sampled_from(list(Role)))


@st.composite
def walks(draw: st.DrawFn, longest: int = 14) -> list[Event]:
    """A list of events each of which was allowed when it came."""
    application, taken = draft(APPLICATION_ID), []
    for number in range(draw(st.integers(0, longest))):
        allowed = allowed_events(application)
        if not allowed:
            break
        event = an_event(draw(st.sampled_from(sorted(allowed))), START + timedelta(hours=number))
        taken.append(event)
        application = advance(application, event)
    return taken
