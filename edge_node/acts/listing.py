"""Lists and details: searched, filtered and paged on the node, whatever their length.

Laws: a list shows masked names; opening an application in full is recorded once a session; nobody sees what is not
theirs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from casework.application import Role
from casework.errors import NotYourDuty
from casework.states import State
from edge_node.acts import audit, explaining, showing
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.counter.visibility import may_see, visible
from offline_store.desk import applications, catalog, unsent
from wire.counter import ApplicationBrief, ApplicationDetail, Page

MAX_PAGE: Final = 100
ITEMS_BY_NAME: Final = 50
QUEUE_STATES: Final = (State.COLLECTED, State.SUBMITTED, State.PRE_REVIEW)


def page(
    counter: Counter,
    who: AtCounter,
    *,
    states: Collection[State] | None = None,
    text: str = "",
    offset: int = 0,
    limit: int = 20,
    by_due: bool = False,
) -> Page[ApplicationBrief]:
    """The applications of this counter; `text` is looked for in name, numbers and the item."""
    limit = max(1, min(limit, MAX_PAGE))
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        items = [line.item_id for line in catalog.search(tx, text, ITEMS_BY_NAME).rows] if text.strip() else []
        found = applications.page(
            tx,
            states=states,
            text=text,
            items=items,
            site=who.actor.region if who.actor.role is Role.AGENT else None,
            by_due=by_due,
            offset=max(0, offset),
            limit=limit,
        )
        here = explaining.standpoint(counter, tx, reading)
        rows = [
            showing.brief(counter, tx, known, reading, here) for known in found.rows if may_see(who.actor, known.shown)
        ]
    return Page[ApplicationBrief](rows=rows, total=found.total, offset=max(0, offset), limit=limit)


def waiting(counter: Counter, who: AtCounter, *, offset: int = 0, limit: int = 20) -> Page[ApplicationBrief]:
    """The applications of which something is not at the city, what only a person can move on first."""
    limit, offset = max(1, min(limit, MAX_PAGE)), max(0, offset)
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        site = who.actor.region if who.actor.role is Role.AGENT else None
        found = unsent.page(tx, site=site, offset=offset, limit=limit)
        here = explaining.standpoint(counter, tx, reading)
        all_of = [applications.load(tx, application_id) for application_id in found.application_ids]
        rows = [showing.brief(counter, tx, one, reading, here) for one in all_of if may_see(who.actor, one.shown)]
        rows.sort(key=explaining.urgency)
    return Page[ApplicationBrief](rows=rows, total=found.total, offset=offset, limit=limit)


def queue(
    counter: Counter,
    who: AtCounter,
    *,
    text: str = "",
    states: Collection[State] | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Page[ApplicationBrief]:
    """What waits for the township, the soonest due first."""
    if who.actor.role is not Role.CLERK:
        raise NotYourDuty(who.actor.role, "review_queue")
    return page(counter, who, states=states or QUEUE_STATES, text=text, offset=offset, limit=limit, by_due=True)


def detail(counter: Counter, who: AtCounter, application_id: str) -> ApplicationDetail:
    """One application in full, for somebody who may see it; the look is recorded."""
    shown = detail_after_act(counter, who, application_id)
    audit.viewed(counter, who, application_id)
    return shown


def detail_after_act(counter: Counter, who: AtCounter, application_id: str) -> ApplicationDetail:
    """The same right after an act of this person, which is a journal entry already."""
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        known = visible(tx, who.actor, application_id)
        return showing.detail(counter, tx, known, reading, who.actor)
