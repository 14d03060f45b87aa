"""What this node's own acts still wait for, and how far that makes an application stand.

Laws
- An act awaits an answer as long as the feed has given none; what the audit trail notes is never answered.
- Standing is decided from three things and nothing else: the acts that wait, the city's mark, the last refusal.
- What is to be answered again (the city was set back, or this machine has another identity and whoever answered it may
  have been a gateway that was given up) waits for its answer and is shown so.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from offline_store.desk import applications, journal
from offline_store.desk.applications import Standing
from offline_store.desk.journal import OPERATION, Link


def waiting(tx: Session, application_id: str) -> list[Link]:
    """The acts of this node on an application that the city has not answered, in order."""
    links = journal.of_application(tx, application_id)
    return [link for link in links if link.outcome is None and link.kind == OPERATION]


def standing(acts: Sequence[Link], hwm: int, *, refused: bool) -> Standing:
    """How far an application has come: `acts` are those that wait, `hwm` is the city's mark (0: no receipt yet)."""
    if not acts:
        return Standing.REFUSED if refused else Standing.CONFIRMED
    return Standing.AT_CITY if all(link.seq <= hwm for link in acts) else Standing.SAVED_HERE


def await_again_after(tx: Session, seq: int, at: datetime) -> None:
    """Whatever follows `seq` in the journal waits for its answer again, and is shown so."""
    for application_id in journal.forget_outcomes_after(tx, seq):
        known = applications.find(tx, application_id)
        if known is None:
            continue
        acts = waiting(tx, application_id)
        applications.save(
            tx,
            known.shown,
            confirmed=known.confirmed,
            pending=[link.op_id for link in acts],
            standing=Standing.SAVED_HERE if acts else known.standing,
            case_seq=known.case_seq,
            at=at,
            due=known.due,
            refusal=known.refusal,
        )


def mark_moved(tx: Session, was: int, hwm: int) -> None:
    """What the mark has passed is at the city, though not answered yet; what it fell behind of is here again."""
    low, high = min(was, hwm), max(was, hwm)
    touched: dict[str, None] = {}
    at = low
    while at < high and (passed := journal.after(tx, at)):
        for link in passed:
            if link.seq <= high and link.outcome is None and link.application_id is not None:
                touched[link.application_id] = None
        at = passed[-1].seq
    for application_id in touched:
        if acts := waiting(tx, application_id):
            applications.set_standing(tx, application_id, standing(acts, hwm, refused=False))
