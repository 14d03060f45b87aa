"""Drafts: what is typed is on the disk, valid or not, before anybody judges it.

Laws
- Saving a draft never refuses what was typed; it answers with what is wrong about it. Only more than a person can
  type is refused.
- A draft is pinned to the catalog version it was begun on and collected under it; carrying it over is the clerk's
  choice, shows what changed, and keeps what still means the same.
- Drafts stay on this node and are not journaled. A colleague sees nothing of them, unless their clerk was closed: then
  they are listed, and whoever goes on with one takes it over, which is an entry of the journal.
- On a full disk typing is refused at once, with a sentence, while it still stands on the screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from casework import catalog_changes, proxy
from casework.forms import Form, check_field
from casework.masking import mask_name
from casework.regions import region_problems
from edge_node.acts import audit, showing
from edge_node.counter import problems
from edge_node.counter.counter import Counter
from edge_node.counter.errors import DraftTooLarge, NotText, ProxyNotAllowed, UnknownDraft
from edge_node.counter.sessions import AtCounter
from offline_store.desk import applications, clerks, drafts, scans
from offline_store.desk.database import Transaction
from offline_store.desk.drafts import Draft, DraftKind
from wire.canonical import canonical_json
from wire.counter import DraftBrief, DraftSaved, DraftView, HandedInView, Page
from wire.errors import NotCanonical

T = TypeVar("T")
DRAFT_MAX_BYTES: Final = 256 * 1024
MANDATE_FIELD: Final = "authorization_no"
_ID: Final = re.compile(r"[0-9a-f]{32}")


def begin(counter: Counter, who: AtCounter, item_id: str) -> DraftView:
    """Begin an application on the active catalog; the proxy rule is applied before anything is typed."""
    counter.room.require()
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        version = counter.shelf.active_version(tx)
        item = counter.shelf.item(tx, item_id, version)
        refusal = proxy.may_collect(item, {})
        if refusal is not None:
            raise ProxyNotAllowed(refusal=refusal.code, item_id=item_id)
        draft_id = counter.new_id()
        draft = Draft(
            draft_id=draft_id,
            kind=DraftKind.COLLECT,
            item_id=item_id,
            form_id=item.form_id,
            catalog_version=version,
            clerk_id=who.clerk_id,
            created_at=reading.now,
            updated_at=reading.now,
            values=_mandate_number(counter, tx, item.form_id, version, draft_id),
        )
        drafts.save(tx, draft)
        return view(counter, tx, draft)


def show(counter: Counter, who: AtCounter, draft_id: str) -> DraftView:
    """A draft as it was typed."""
    with counter.desk.reading() as tx:
        return view(counter, tx, find(tx, who, draft_id))


def page(counter: Counter, who: AtCounter, offset: int = 0, limit: int = 20) -> Page[DraftBrief]:
    """The drafts of this clerk and those that a closed one left, the last touched first."""
    with counter.desk.reading() as tx:
        left = _closed(tx)
        found = drafts.page(tx, clerk_id=who.clerk_id, left_by=left, offset=offset, limit=limit)
        rows = [
            DraftBrief(
                draft_id=draft.draft_id,
                kind=draft.kind.value,
                item_id=draft.item_id,
                item_name=counter.shelf.item_name(tx, draft.item_id, draft.catalog_version),
                applicant_masked=_masked(draft.values.get("applicant_name")),
                updated_at=draft.updated_at,
                left_by="" if draft.clerk_id == who.clerk_id else left[draft.clerk_id],
            )
            for draft in found.rows
        ]
    return Page[DraftBrief](rows=rows, total=found.total, offset=offset, limit=limit)


def change(
    counter: Counter,
    who: AtCounter,
    draft_id: str,
    *,
    values: Mapping[str, Any] | None = None,
    handed_in: Sequence[HandedInView] | None = None,
    answers: Mapping[str, str] | None = None,
) -> DraftSaved:
    """Save what was typed, merged by key, and say what is wrong with it."""
    counter.room.require()
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        draft = find(tx, who, draft_id)
        changed = replace(
            draft,
            values=_merged(draft.values, values),
            handed_in={**draft.handed_in, **{one.material_id: one.model_dump() for one in handed_in or ()}},
            answers=_merged(draft.answers, answers),
            updated_at=reading.now,
        )
        _refuse_too_much(changed)
        drafts.save(tx, changed)
        form, table = _form(counter, tx, changed), counter.shelf.regions(tx)
        filed = applications.load(tx, draft.application_id).shown.form if draft.application_id else None
    found = [check_field(form, name, changed.values.get(name), changed.values) for name in values or ()]
    wrong = [problem for problem in found if problem is not None]
    wrong += [one for one in region_problems(form, changed.values, table, filed) if one.field_id in (values or ())]
    return DraftSaved(saved_at=reading.now, problems=problems.views(form, wrong))


def remove(counter: Counter, who: AtCounter, draft_id: str) -> None:
    """Throw a draft away, its scans with it."""
    with counter.desk.transaction() as tx:
        find(tx, who, draft_id)
        hashes = drafts.remove(tx, draft_id)
    for scan_hash in hashes:
        counter.vault.remove(scan_hash)


def take_over(counter: Counter, who: AtCounter, draft_id: str) -> DraftView:
    """Make a draft that a closed clerk left one's own; one's own already stays so."""
    counter.room.require()
    with counter.desk.transaction() as tx:
        draft = drafts.find(tx, draft_id) if _ID.fullmatch(draft_id) else None
        if draft is None or draft.clerk_id not in {who.clerk_id, *_closed(tx)}:
            raise UnknownDraft(draft_id=draft_id)
        if draft.clerk_id != who.clerk_id:
            audit.note(counter, tx, audit.DRAFT_TAKEN_OVER, clerk=who.clerk_id, left_by=draft.clerk_id, draft=draft_id)
            draft = replace(draft, clerk_id=who.clerk_id)
            drafts.save(tx, draft)
        shown = view(counter, tx, draft)
    counter.nudge()
    return shown


def carry_over(counter: Counter, who: AtCounter, draft_id: str) -> DraftView:
    """Move a draft to the catalog in use; every value that still means the same comes along."""
    counter.room.require()
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        draft = find(tx, who, draft_id)
        newest = counter.shelf.active_version(tx)
        if draft.kind is DraftKind.COLLECT and draft.catalog_version != newest:
            item = counter.shelf.item(tx, draft.item_id, newest)
            form = counter.shelf.form(tx, item.form_id, newest)
            kept = catalog_changes.carry_over(draft.values, _form(counter, tx, draft), form)
            draft = replace(draft, catalog_version=newest, form_id=item.form_id, values=kept, updated_at=reading.now)
            drafts.save(tx, draft)
        return view(counter, tx, draft)


def find(tx: Transaction, who: AtCounter, draft_id: str) -> Draft:
    """The draft, if it is this clerk's: a shared machine shows nobody what a colleague was typing."""
    draft = drafts.find(tx, draft_id) if _ID.fullmatch(draft_id) else None
    if draft is None or draft.clerk_id != who.clerk_id:
        raise UnknownDraft(draft_id=draft_id)
    return draft


def view(counter: Counter, tx: Transaction, draft: Draft) -> DraftView:
    """A draft as the screen shows it."""
    newest = counter.shelf.active_version(tx)
    points = []
    if draft.application_id is not None:
        application = applications.load(tx, draft.application_id).shown
        points = showing.return_points(counter, tx, application)
    return DraftView(
        draft_id=draft.draft_id,
        kind=draft.kind.value,
        item_id=draft.item_id,
        form_id=draft.form_id,
        catalog_version=draft.catalog_version,
        newer_version=newest if draft.kind is DraftKind.COLLECT and newest > draft.catalog_version else None,
        values=dict(draft.values),
        handed_in=[HandedInView.model_validate(dict(one)) for one in draft.handed_in.values()],
        scans=[showing.scan_view(one) for one in scans.of_draft(tx, draft.draft_id)],
        return_points=points,
        answers=dict(draft.answers),
        updated_at=draft.updated_at,
        application_id=draft.application_id,
    )


def _closed(tx: Transaction) -> dict[str, str]:
    """Who works here no longer, by sign-in name."""
    return {clerk.clerk_id: clerk.name for clerk in clerks.everyone(tx) if not clerk.active}


def _form(counter: Counter, tx: Transaction, draft: Draft) -> Form:
    return counter.shelf.form(tx, draft.form_id, draft.catalog_version)


def _mandate_number(counter: Counter, tx: Transaction, form_id: str, version: int, draft_id: str) -> dict[str, Any]:
    """The number of the 委托书, which the villager signs before anything is collected."""
    if MANDATE_FIELD not in counter.shelf.form(tx, form_id, version).by_id:
        return {}
    return {MANDATE_FIELD: f"WT-{counter.node.site}-{draft_id[:8].upper()}"}


def _merged(before: Mapping[str, T], now: Mapping[str, T | None] | None) -> dict[str, T]:
    """What was typed, with the changes laid over it; a value of None empties."""
    merged = {**before, **(now or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _refuse_too_much(draft: Draft) -> None:
    try:
        size = len(canonical_json([dict(draft.values), dict(draft.handed_in), dict(draft.answers)]))
    except NotCanonical:
        raise NotText from None
    if size > DRAFT_MAX_BYTES:
        raise DraftTooLarge(max_kib=DRAFT_MAX_BYTES // 1024)


def _masked(name: object) -> str:
    return mask_name(name.strip()) if isinstance(name, str) else ""
