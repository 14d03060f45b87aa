"""Collect (代办收件): a draft becomes an application that is sealed, signed, chained and saved, in one transaction.

Laws
- A draft's id is the id of the operation it becomes, and of the application it begins: collecting the same draft
  twice (a client that crashed and asks again) finds the operation and gives the same slip.
- Nothing incomplete is collected, and everything that is missing is told at once; the draft stays as it was.
- A 收件单 says that papers were taken in for delivery, never that the application was accepted.
"""

from __future__ import annotations

from casework.application import Applicant
from casework.events import Collected
from casework.identifiers import TOWNSHIP, region_at
from edge_node.acts import drafting, journaling, readiness, receipt_serials, showing, supplementing
from edge_node.counter.counter import Counter
from edge_node.counter.errors import DraftNotReady, ProxyNotAllowed
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from edge_node.counter.visibility import may_see, workable
from offline_store.desk import applications, drafts, journal, scans
from offline_store.desk.database import Transaction
from offline_store.desk.drafts import Draft, DraftKind
from wire.counter import Slip, Summary


def collect(counter: Counter, who: AtCounter, draft_id: str) -> Slip:
    """Collect a draft, or answer a return with a supplement draft; either way the slip comes back."""
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        done = _already(counter, tx, who, draft_id)
        if done is not None:
            return done
        counter.room.require()
        draft = drafting.find(tx, who, draft_id)
        if draft.kind is DraftKind.SUPPLEMENT:
            application = supplementing.hand_in(counter, tx, who, draft, reading)
        else:
            papers = readiness.papers_of(counter, tx, draft)
            refuse_unready(readiness.summary_of(counter, tx, draft, papers))
            event = _collected(counter, tx, who, draft, papers, reading)
            application = journaling.record(
                counter, tx, who, None, [event], reading, application_id=draft_id, op_id=draft_id
            )
            scans.hand_over(tx, draft_id, draft_id)
            drafts.remove(tx, draft_id)
        given = showing.slip(counter, tx, application, who.name)
    counter.nudge()
    return given


def slip(counter: Counter, who: AtCounter, application_id: str) -> Slip:
    """The slip again, for printing."""
    with counter.desk.reading() as tx:
        known = workable(tx, who.actor, application_id)
        return showing.slip(counter, tx, known.shown, who.name)


def refuse_unready(summary: Summary) -> None:
    """Raise with everything that is missing, unless nothing is."""
    if summary.proxy_refusal is not None and not summary.problems:
        raise ProxyNotAllowed(refusal=summary.proxy_refusal)
    if not summary.ready:
        raise DraftNotReady(
            fields=[one.model_dump(mode="json") for one in summary.problems],
            missing=[one.model_dump(mode="json") for one in summary.missing],
            proxy_refusal=summary.proxy_refusal,
        )


def _already(counter: Counter, tx: Transaction, who: AtCounter, draft_id: str) -> Slip | None:
    link = journal.by_op(tx, draft_id)
    known = applications.find(tx, link.application_id) if link is not None and link.application_id else None
    if known is None or not may_see(who.actor, known.shown):
        return None
    return showing.slip(counter, tx, known.shown, who.name)


def _collected(
    counter: Counter, tx: Transaction, who: AtCounter, draft: Draft, papers: readiness.Papers, reading: Reading
) -> Collected:
    site = counter.node.site
    return Collected(
        at=reading.now,
        by=who.actor,
        receipt_no=receipt_serials.next_receipt_number(counter, tx, reading.now),
        item_id=draft.item_id,
        form_id=draft.form_id,
        catalog_version=draft.catalog_version,
        site=site,
        township=counter.node.township or region_at(site, TOWNSHIP),
        applicant=Applicant.from_form(papers.filed),
        form=papers.filed,
        handed_in=papers.handed_in,
        scans=papers.scans,
    )
