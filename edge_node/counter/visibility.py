"""Whose applications a person at this counter may see.

Law: an application that somebody may not see is, for that person, an application that does not exist.
"""

from __future__ import annotations

from casework.application import Actor, Application, Role
from casework.identifiers import region_covers
from edge_node.counter.errors import Erased, UnknownApplication
from offline_store.desk import applications
from offline_store.desk.applications import Known
from offline_store.desk.database import Transaction


def may_see(actor: Actor, application: Application) -> bool:
    """An agent sees what was collected at the own site, a clerk what is addressed to the own region."""
    if actor.role is Role.AGENT:
        return application.site == actor.region
    return region_covers(actor.region, application.township) or region_covers(actor.region, application.site)


def visible(tx: Transaction, actor: Actor, application_id: str) -> Known:
    """The application, if it is here and this person may see it."""
    known = applications.find(tx, application_id)
    if known is None or not may_see(actor, known.shown):
        raise UnknownApplication(application_id=application_id)
    return known


def workable(tx: Transaction, actor: Actor, application_id: str) -> Known:
    """The application, if this person may see it and its papers are here: nobody acts on a line of the register."""
    known = visible(tx, actor, application_id)
    if known.erased_at is not None:
        raise Erased(receipt_no=known.shown.receipt_no)
    return known
