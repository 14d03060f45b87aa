"""What still stands between a draft and the act it will become: everything, at once.

Laws
- The same check serves the summary on the screen and the act itself; the screen can let nothing through that the act
  refuses.
- A material counts as handed in once it is said how the paper was seen; what was said before that is only kept.
- A draft is judged by the guide of its own catalog version; what a newer one changed is told, not enforced.
- A region that the table in use knows to be wrong is refused; what was filed before that table came stays.
- A return is answered point by point: by changing what the point names, or in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from casework import proxy
from casework.application import Application, HandedIn, Scan
from casework.catalog import ServiceItem
from casework.catalog_changes import changes
from casework.forms import FieldProblem, Form, check, filed_values
from casework.materials import FIELD_PREFIX, Missing, missing, needed
from casework.regions import region_problems
from casework.states import State
from edge_node.acts import drafting
from edge_node.counter import problems
from edge_node.counter.counter import Counter
from edge_node.counter.errors import ActRefused
from edge_node.counter.sessions import AtCounter
from edge_node.wording import sentence
from offline_store.desk import applications, scans
from offline_store.desk.database import Transaction
from offline_store.desk.drafts import Draft
from wire.counter import CatalogChange, FieldProblemView, HandedInView, MissingView, Summary

UNANSWERED: Final = "form.return_not_answered"


@dataclass(frozen=True, slots=True)
class Papers:
    """A draft in the terms of casework."""

    item: ServiceItem
    form: Form
    filed: Mapping[str, Any]
    handed_in: tuple[HandedIn, ...]
    said_to_apply: frozenset[str]
    scans: tuple[Scan, ...]
    application: Application | None


def summary(counter: Counter, who: AtCounter, draft_id: str) -> Summary:
    """Everything that still stands between this draft and its act."""
    with counter.desk.reading() as tx:
        draft = drafting.find(tx, who, draft_id)
        return summary_of(counter, tx, draft, papers_of(counter, tx, draft))


def papers_of(counter: Counter, tx: Transaction, draft: Draft) -> Papers:
    """Read a draft by the guide it was begun under."""
    item = counter.shelf.item(tx, draft.item_id, draft.catalog_version)
    form = counter.shelf.form(tx, draft.form_id, draft.catalog_version)
    application = applications.load(tx, draft.application_id).shown if draft.application_id else None
    filed = filed_values(form, draft.values)
    asked = {need.material_id for need in needed(item, filed, form)}
    said = [HandedInView.model_validate(dict(one)) for one in draft.handed_in.values()]
    handed_in = [one.handed_in() for one in said if one.material_id in asked]
    return Papers(
        item=item,
        form=form,
        filed=filed,
        handed_in=tuple(one for one in handed_in if one is not None),
        said_to_apply=frozenset(one.material_id for one in said if one.applies),
        scans=tuple(
            Scan(one.scan_hash, one.length, one.media_type, one.material_id, one.page)
            for one in scans.of_draft(tx, draft.draft_id)
            if one.material_id in asked
        ),
        application=application,
    )


def summary_of(counter: Counter, tx: Transaction, draft: Draft, papers: Papers) -> Summary:
    """The summary inside the caller's transaction."""
    before = papers.application.form if papers.application else None
    wrong = [
        *check(papers.form, draft.values),
        *region_problems(papers.form, draft.values, counter.shelf.regions(tx), before),
    ]
    lacking = _missing(papers)
    refusal = proxy.may_collect(papers.item, papers.filed)
    unanswered = list(_unanswered(draft, papers))
    return Summary(
        problems=[*problems.views(papers.form, wrong), *unanswered],
        missing=[
            MissingView(material_id=one.material_id, name=one.name, why=one.why, message=_why(papers.item, one))
            for one in lacking
        ],
        proxy_refusal=refusal.code if refusal else None,
        catalog_changes=_changes(counter, tx, draft, papers),
        ready=not (wrong or lacking or refusal or unanswered),
    )


def _missing(papers: Papers) -> list[Missing]:
    before = papers.application.scans if papers.application else ()
    found = missing(
        papers.item,
        papers.filed,
        papers.handed_in,
        (*before, *papers.scans),
        papers.form,
        said_to_apply=papers.said_to_apply,
    )
    # What the township let follow later stays promised until it is handed in.
    promised = papers.application.deferred if papers.application else ()
    return [one for one in found if one.material_id not in promised]


def _why(item: ServiceItem, one: Missing) -> str:
    material = item.material(one.material_id)
    return sentence(one.why, {"condition": (material.condition if material else None) or "-", "name": one.name})


def _unanswered(draft: Draft, papers: Papers) -> Iterator[FieldProblemView]:
    """Points of the return that were neither acted on nor answered in words."""
    application = papers.application
    if application is None or application.state is not State.RETURNED:
        return
    before = {one.material_id: one for one in application.handed_in}
    changed = {one.material_id for one in papers.handed_in if before.get(one.material_id) != one}
    changed |= {scan.material_id for scan in papers.scans}
    changed |= {name for name in papers.form.by_id if papers.filed.get(name) != application.form.get(name)}
    for point in application.return_points:
        if point.ref not in changed and not draft.answers.get(point.ref, "").strip():
            name = point.ref.removeprefix(FIELD_PREFIX)
            yield problems.views(papers.form, [FieldProblem(name, UNANSWERED, {"ref": point.ref})])[0]


def _changes(counter: Counter, tx: Transaction, draft: Draft, papers: Papers) -> list[CatalogChange]:
    newest = counter.shelf.active_version(tx)
    if newest == draft.catalog_version or papers.application is not None:
        return []
    try:
        item = counter.shelf.item(tx, draft.item_id, newest)
        form = counter.shelf.form(tx, item.form_id, newest)
    except ActRefused:  # the item was taken out of the catalog
        return [CatalogChange(kind="material_removed", ref=draft.item_id, label=papers.item.name)]
    found = changes(papers.item, papers.form, item, form)
    fields = [
        *(("field_added", ref, form.by_id[ref].label) for ref in found.fields_added),
        *(("field_removed", ref, papers.form.by_id[ref].label) for ref in found.fields_removed),
        *(("field_changed", ref, form.by_id[ref].label) for ref in found.fields_changed),
    ]
    materials = [
        *(("material_added", ref, _name(item, ref)) for ref in found.materials_added),
        *(("material_removed", ref, _name(papers.item, ref)) for ref in found.materials_removed),
        *(("material_changed", ref, _name(item, ref)) for ref in found.materials_changed),
    ]
    return [
        CatalogChange.model_validate({"kind": kind, "ref": ref, "label": label})
        for kind, ref, label in (*fields, *materials)
    ]


def _name(item: ServiceItem, material_id: str) -> str:
    material = item.material(material_id)
    return material.name if material else material_id
