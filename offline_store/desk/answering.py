"""What this node's own acts still wait for, and how far that makes an application stand.

Laws
- An act awaits an answer as long as the feed has given none; what the audit trail notes is never answered.
- Standing is decided from three things and nothing else: the acts that wait, the city's mark, the last refusal.
- What is to be answered again (the city was set back or tells its feed anew, or this machine has another identity:
  whoever answered may have been a gateway that was given up) waits for its answer and is shown so.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from offline_store.desk import applications, journal
from offline_store.desk.applications import Standing
from offline_store.desk.journal import OPERATION, Link
from wire.canonical import canonical_json

AT_ONCE = 500

_OPEN = "FROM journal WHERE application_id = application.application_id AND outcome IS NULL AND kind = :operation"
_WAITS_AGAIN = text(f"""
    UPDATE application SET
        pending = (SELECT json_group_array(op_id) FROM (SELECT op_id {_OPEN} ORDER BY seq)),
        standing = CASE
            WHEN standing = :doubted OR NOT EXISTS (SELECT 1 {_OPEN}) THEN standing
            WHEN (SELECT max(seq) {_OPEN}) <= :hwm THEN :there
            ELSE :here
        END,
        version = version + 1
    WHERE application_id IN (SELECT value FROM json_each(:ids))
""")  # noqa: S608 - no value is written into it


def waiting(tx: Session, application_id: str) -> list[Link]:
    """The acts of this node on an application that the city has not answered, in order."""
    links = journal.of_application(tx, application_id)
    return [link for link in links if link.outcome is None and link.kind == OPERATION]


def standing(acts: Sequence[Link], hwm: int, *, refused: bool) -> Standing:
    """How far an application has come: `acts` are those that wait, `hwm` is the city's mark (0: no receipt yet)."""
    if not acts:
        return Standing.REFUSED if refused else Standing.CONFIRMED
    return Standing.AT_CITY if all(link.seq <= hwm for link in acts) else Standing.SAVED_HERE


def await_again_after(tx: Session, seq: int, hwm: int) -> None:
    """Whatever follows `seq` in the journal waits for its answer again, and is shown as far as the mark `hwm` says.
    What is being checked again as a whole stays so until it is told.

    Done by the database alone: a restored city makes a whole desk wait.
    """
    again = journal.forget_outcomes_after(tx, seq)
    said = {
        "operation": OPERATION,
        "hwm": hwm,
        "doubted": Standing.DOUBTED.value,
        "here": Standing.SAVED_HERE.value,
        "there": Standing.AT_CITY.value,
    }
    for start in range(0, len(again), AT_ONCE):
        tx.execute(_WAITS_AGAIN, {**said, "ids": canonical_json(again[start : start + AT_ONCE]).decode()})
    tx.expire_all()


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
