"""The automatic department of a demonstration: it rules on accepted applications with an invented result.

Laws: bounded work at a time; it takes only what no human clerk has begun; what it says is marked as a demonstration.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from casework.application import Application
from casework.events import Concluded, Decided, Event, ReviewStarted
from casework.states import State
from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.acts.rule import decision, department, rule
from city_gateway.errors import RulingRefused
from city_gateway.ledger import cases
from city_gateway.wording import say

CLERK_ID = "automatic"
AT_ONCE = 50
ONE_IN_THIS_MANY_IS_REFUSED = 12


def rule_waiting(gateway: Gateway, *, waited: timedelta) -> int:
    """Rule on the applications that were accepted at least so long ago; how many."""
    before = gateway.clock() - waited
    with gateway.ledger.reading() as tx:
        found, _ = cases.page(
            tx, states=[State.ACCEPTED, State.PROVISIONALLY_ACCEPTED], before=before, offset=0, limit=AT_ONCE
        )
    ruled = 0
    for case in found:
        if case.application.deferred:
            continue
        try:
            rule(gateway, case.application.application_id, lambda now, at: _ruling(gateway, now, at))
        except RulingRefused:
            continue  # it moved meanwhile; the next round looks again
        ruled += 1
    return ruled


def _ruling(gateway: Gateway, application: Application, now: datetime) -> Sequence[Event]:
    if application.state not in {State.ACCEPTED, State.PROVISIONALLY_ACCEPTED}:
        return []
    by = department(CLERK_ID, CITY_REGION, gateway)
    granted = int(application.application_id[:8], 16) % ONE_IN_THIS_MANY_IS_REFUSED != 0
    ruled = decision(
        granted=granted,
        reason=say("automatic.granted" if granted else "automatic.refused"),
        document_name=say("automatic.document"),
        document_no=say("automatic.document_no", year=now.year, number=int(application.application_id[-6:], 16)),
        on=now,
    )
    return [ReviewStarted(at=now, by=by), Decided(at=now, by=by, decision=ruled), Concluded(at=now, by=by)]
