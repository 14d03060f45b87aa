"""What must be seen afterwards: who came, who looked at whose papers, what changed on this node.

Laws: audit entries are links of the same journal as the business acts, sealed and signed like them; they name clerks,
ids and counts, never a citizen. Looking at one application is recorded once in a session, not with every key pressed.
"""

from __future__ import annotations

from typing import Final

from edge_node.acts import journaling
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk.database import Transaction

SIGNED_IN: Final = "signed_in"
SIGN_IN_REFUSED: Final = "sign_in_refused"
SIGNED_OUT: Final = "signed_out"
VIEWED: Final = "viewed"
SCAN_VIEWED: Final = "scan_viewed"
CATALOG_APPLIED: Final = "catalog_applied"
CATALOG_REFUSED: Final = "catalog_refused"
CLOCK_STEPPED: Final = "clock_stepped"
STOPPED: Final = "node_stopped"
ERASING_DUE: Final = "erasing_due"
ERASED: Final = "erased"
SCAN_LOST: Final = "scan_lost"
RENEWED: Final = "enrolment_renewed"
MACHINE_CHANGED: Final = "machine_changed"
REKEYED: Final = "rekeyed"
RECOVERY_ASKED: Final = "recovery_asked"
RECOVERY_REFUSED: Final = "recovery_refused"
RECOVERED: Final = "passphrase_recovered"
EXPORTED: Final = "exported"
LIMITS_RECOUNTED: Final = "limits_recounted"
DRAFT_TAKEN_OVER: Final = "draft_taken_over"


def note(
    counter: Counter,
    tx: Transaction,
    kind: str,
    *,
    clerk: str = "",
    reading: Reading | None = None,
    application_id: str | None = None,
    **facts: str | int | None,
) -> None:
    """Append one audit entry in the caller's transaction."""
    journaling.append(
        counter,
        tx,
        reading or counter.clock.read(),
        clerk=clerk,
        application_id=application_id,
        audit={"kind": kind, **facts},
    )


def viewed(counter: Counter, who: AtCounter, application_id: str, kind: str = VIEWED) -> None:
    """Record that a clerk looked at somebody's application."""
    if not counter.sessions.first_look(who, f"{kind}:{application_id}"):
        return
    counter.room.must(lambda: once(counter, kind, clerk=who.clerk_id, application_id=application_id))


def once(
    counter: Counter, kind: str, *, clerk: str = "", application_id: str | None = None, role: str | None = None
) -> None:
    """One audit entry in a transaction of its own."""
    facts = {} if role is None else {"role": role}
    with counter.desk.transaction() as tx:
        note(counter, tx, kind, clerk=clerk, application_id=application_id, reading=None, **facts)
    counter.nudge()
