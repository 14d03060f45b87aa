"""Answer a return (补正), or hand in what was deferred: a draft over the application, then one act with what changed.

Laws
- The draft begins with everything as it was filed; what is handed in says only what changed, and answers every point.
- It is judged by the guide the application was filed under.
- Handing the same supplement in twice finds the first one done.
- Where nobody waits for a supplement, the same draft scans again what this disk lost, and changes nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from casework.application import Application
from casework.events import Rescanned, Supplemented
from casework.lifecycle import allowed_events
from edge_node.acts import drafting, journaling, readiness
from edge_node.counter.counter import Counter
from edge_node.counter.errors import DraftNotReady, NothingScannedAgain, NothingToSupplement, OnlyLostPages
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from edge_node.counter.visibility import workable
from offline_store.desk import applications, catalog, drafts, scans
from offline_store.desk.database import Transaction
from offline_store.desk.drafts import Draft, DraftKind
from offline_store.desk.scans import ScanStatus
from wire.counter import DraftView


def begin(counter: Counter, who: AtCounter, application_id: str) -> DraftView:
    """Open the answer to a return; one that was begun before is continued, by whoever asks."""
    counter.room.require()
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        known = workable(tx, who.actor, application_id)
        application = known.shown
        if Supplemented.code not in allowed_events(application) and not rescan_needed(tx, application):
            raise NothingToSupplement(state=application.state.value)
        begun = drafts.of_application(tx, application_id)
        draft = begun or _draft(counter, tx, who, application, reading)
        if begun is None or begun.clerk_id != who.clerk_id:
            draft = replace(draft, clerk_id=who.clerk_id)
            drafts.save(tx, draft)
        return drafting.view(counter, tx, draft)


def hand_in(counter: Counter, tx: Transaction, who: AtCounter, draft: Draft, reading: Reading) -> Application:
    """Hand the supplement in, inside the transaction of `collecting.collect`."""
    known = applications.load(tx, draft.application_id or "")
    papers = readiness.papers_of(counter, tx, draft)
    summary = readiness.summary_of(counter, tx, draft, papers)
    if not summary.ready and (summary.problems or summary.missing):
        raise DraftNotReady(
            fields=[one.model_dump(mode="json") for one in summary.problems],
            missing=[one.model_dump(mode="json") for one in summary.missing],
        )
    application = known.shown
    before = {one.material_id: one for one in application.handed_in}
    supplement = Supplemented(
        at=reading.now,
        by=who.actor,
        form=_changed_fields(application, papers),
        handed_in=tuple(one for one in papers.handed_in if before.get(one.material_id) != one),
        scans=papers.scans,
        answers={ref: text for ref, text in draft.answers.items() if text.strip()},
    )
    event = supplement if Supplemented.code in allowed_events(application) else _rescan(tx, application, supplement)
    moved = journaling.record(counter, tx, who, known, [event], reading, op_id=draft.draft_id)
    scans.forget_damaged(tx, application.application_id, {scan.material_id for scan in papers.scans})
    scans.hand_over(tx, draft.draft_id, application.application_id)
    drafts.remove(tx, draft.draft_id)
    return moved


def rescan_needed(tx: Transaction, application: Application) -> bool:
    """Whether pages were lost on this disk that may still be scanned again."""
    return Rescanned.code in allowed_events(application) and scans.has_damaged(tx, application.application_id)


def _rescan(tx: Transaction, application: Application, meant: Supplemented) -> Rescanned:
    """The same draft where nobody waits for a supplement: lost pages, scanned again, and nothing else."""
    if not rescan_needed(tx, application):
        raise NothingToSupplement(state=application.state.value)
    lost = {
        scan.material_id
        for scan in scans.of_application(tx, application.application_id)
        if scan.status is ScanStatus.DAMAGED
    }
    if meant.form or meant.handed_in or not {scan.material_id for scan in meant.scans} <= lost:
        raise OnlyLostPages
    if not meant.scans:
        raise NothingScannedAgain
    return Rescanned(at=meant.at, by=meant.by, scans=meant.scans)


def _draft(counter: Counter, tx: Transaction, who: AtCounter, application: Application, reading: Reading) -> Draft:
    here = catalog.versions(tx)
    version = application.catalog_version
    return Draft(
        draft_id=counter.new_id(),
        kind=DraftKind.SUPPLEMENT,
        item_id=application.item_id,
        form_id=application.form_id,
        catalog_version=version if version in here else counter.shelf.active_version(tx),
        clerk_id=who.clerk_id,
        created_at=reading.now,
        updated_at=reading.now,
        application_id=application.application_id,
        values=dict(application.form),
        handed_in={
            one.material_id: {
                "material_id": one.material_id,
                "seen": one.seen.value,
                "applies": one.applies,
                "copies": one.copies,
                "note": one.note,
            }
            for one in application.handed_in
        },
    )


def _changed_fields(application: Application, papers: readiness.Papers) -> dict[str, Any]:
    """Fields with another value than was filed; None for those that were emptied."""
    emptied = {name: None for name in papers.form.by_id if name in application.form and name not in papers.filed}
    return {
        **{name: value for name, value in papers.filed.items() if application.form.get(name) != value},
        **{name: value for name, value in emptied.items() if application.form[name] is not None},
    }
