"""Pages that a phone takes: the clerk invites it, it hands in pages like the screen does, and nothing else.

Laws: a page from a phone goes the way of every scan (`intake`): same checks, cleaned, sealed, in memory only; the phone
reads nothing but the name of the material and how many pages are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from casework.materials import AUTHORIZATION, needed
from edge_node.acts import drafting, intake
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.wording import sentence
from offline_store.desk import scans


@dataclass(frozen=True, slots=True)
class Asked:
    """What the phone is to photograph, and how many pages of it are there."""

    material: str
    pages: int


def invite(counter: Counter, who: AtCounter, draft_id: str, material_id: str) -> str:
    """A token that lets a phone in for `INVITED_SECONDS`."""
    intake.check_room(counter)
    intake.check_place(counter, who, draft_id, material_id)
    return counter.invitations.invite(who, draft_id, material_id)


def asked(counter: Counter, token: str | None) -> Asked:
    """What the invited phone is told."""
    invitation = counter.invitations.invited(token)
    with counter.desk.reading() as tx:
        draft = drafting.find(tx, invitation.who, invitation.draft_id)
        item = counter.shelf.item(tx, draft.item_id, draft.catalog_version)
        form = counter.shelf.form(tx, draft.form_id, draft.catalog_version)
        names = {need.material_id: need.name for need in needed(item, draft.values, form)}
        here = sum(one.material_id == invitation.material_id for one in scans.of_draft(tx, invitation.draft_id))
    names.setdefault(AUTHORIZATION, sentence("phone.authorization"))
    return Asked(names.get(invitation.material_id, ""), here)


def take_in(counter: Counter, token: str | None, data: bytes | bytearray) -> int:
    """Take in one page; its number."""
    invitation = counter.invitations.invited(token)
    where = (counter, invitation.who, invitation.draft_id, invitation.material_id)
    return intake.take_in(*where, None, data).page
