"""Whose applications a person at this counter may see."""

from __future__ import annotations

from casework.application import Actor, Application, Role
from casework.identifiers import region_covers


def may_see(actor: Actor, application: Application) -> bool:
    """An agent sees what was collected at the own site, a clerk what is addressed to the own region."""
    if actor.role is Role.AGENT:
        return application.site == actor.region
    return region_covers(actor.region, application.township) or region_covers(actor.region, application.site)
