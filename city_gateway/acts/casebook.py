"""The applications a transaction has in hand: the only place of the gateway that moves them.

Laws: the same `casework.lifecycle` as on the node; the events of one operation move the application together or not
at all; a node acts only in its own role, for its own region, under its own identity or an earlier one of the same
counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from casework.application import Application, Role
from casework.duty import require
from casework.errors import CaseworkError, MalformedEvent
from casework.events import Collected, Event, Rated
from casework.lifecycle import advance, draft
from city_gateway.ledger import cases, nodes
from city_gateway.ledger.cases import Case
from city_gateway.ledger.nodes import Node
from wire.fields import NodeRole

ROLE_OF = {NodeRole.VILLAGE: Role.AGENT, NodeRole.TOWNSHIP: Role.CLERK}


class OtherIdentity(CaseworkError):
    """The operation claims a role, a region or a node that is not the sender's."""

    code = "operation.other_identity"


class UnknownApplication(CaseworkError):
    """The operation is about an application that the city does not have."""

    code = "operation.unknown_application"


class Casebook:
    """Cases locked by this transaction, and what became of them."""

    def __init__(self, tx: Connection, application_ids: Iterable[str]) -> None:
        self._tx = tx
        self._cases = cases.lock(tx, application_ids)
        self._known = set(self._cases)
        self._touched: set[str] = set()

    def case(self, application_id: str) -> Case | None:
        """The case as it stands now."""
        return self._cases.get(application_id)

    def move(self, application_id: str, events: Sequence[Event]) -> Case:
        """Apply a ruling made here to a known application; one step further in the city's order."""
        before = self._cases[application_id]
        application = before.application
        for event in events:
            require(event.by, event, application)
            application = advance(application, event)
        return self._keep(application_id, Case(application, before.case_seq + 1))

    def move_by_node(
        self,
        application_id: str,
        events: Sequence[Event],
        node: Node,
        *,
        clerk: str,
        and_then: Callable[[Application], list[Event]],
    ) -> tuple[Case, list[Event]]:
        """Apply a node's events, each checked against its duty, and what the city itself adds to them."""
        before = self._cases.get(application_id)
        application = before.application if before else draft(application_id)
        for event in events:
            self._check_identity(event, node, clerk)
            _check_rating(event)
            if before is None and not isinstance(event, Collected) and application.receipt_no == "":
                raise UnknownApplication(application_id=application_id)
            require(event.by, event, application)
            application = advance(application, event)
        added = and_then(application)
        for event in added:
            application = advance(application, event)
        return self._keep(application_id, Case(application, before.case_seq + 1 if before else 1)), added

    def save(self, now: datetime) -> None:
        """Write what changed."""
        new = {key: self._cases[key] for key in sorted(self._touched - self._known)}
        changed = {key: self._cases[key] for key in sorted(self._touched & self._known)}
        cases.save(self._tx, new, changed, now)

    def _keep(self, application_id: str, case: Case) -> Case:
        self._cases[application_id] = case
        self._touched.add(application_id)
        return case

    def _check_identity(self, event: Event, node: Node, clerk: str) -> None:
        actor = event.by
        if actor.clerk_id != clerk:
            raise OtherIdentity(field="clerk_id")
        claimed = (actor.role, actor.region)
        if claimed != (ROLE_OF[node.role], node.region):
            raise OtherIdentity(role=str(actor.role), region=actor.region)
        if isinstance(event, Collected) and (event.site, event.township) != (node.site, node.township):
            raise OtherIdentity(site=event.site, township=event.township)
        if actor.node_id == node.node_id:
            return
        if not nodes.stood_at(self._tx, actor.node_id, site=node.site, role=node.role):
            raise OtherIdentity(node=actor.node_id)


def _check_rating(event: Event) -> None:
    """What the applicant said travels sealed beside the event, never in it."""
    if isinstance(event, Rated) and (event.level is not None or event.text):
        raise MalformedEvent(event.code, "level")
