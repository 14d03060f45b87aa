"""What has to be handed in, what is still missing (all of it at once), and what a return may ask for.

- A conditional material has to be decided: it applies or it does not; leaving it open is missing.
- A required material needs at least one scan, unless it is to be verified online, or deferred where that is allowed.
- Whoever files for somebody else hands in the mandate (代办委托书); it can be neither deferred nor looked up.
- A required file field of the form is a material with the id `field:<field id>`.
- A return names materials, conditions and fields of the guide the application was filed under, and nothing else; of the
  fields only those that the form asks for in this application.
- A later return names only what an earlier one named or what a supplement touched since: the notice is given once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from casework.application import Application, HandedIn, ReturnKind, ReturnPoint, Scan, Seen
from casework.catalog import ServiceItem
from casework.errors import AddedRequirement, VagueReturn
from casework.forms import Form, visible
from casework.proxy import by_proxy

AUTHORIZATION: Final = "D-WT"
AUTHORIZATION_NAME: Final = "代办委托书"
FIELD_PREFIX: Final = "field:"

NeedKind = Literal["required", "conditional", "optional", "authorization"]

MISSING_CODES: Final = frozenset(
    {
        "material.not_handed_in",
        "material.undecided",
        "material.no_scan",
        "material.not_deferrable",
        "material.not_verifiable",
    }
)
"""Why a material is missing; every surface has a sentence for each."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing the guide asks for, for these form values."""

    material_id: str
    name: str
    kind: NeedKind
    condition: str | None = None
    form: str = ""
    originals: int | None = None
    copies: int | None = None
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is still missing, and why."""

    material_id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Returnable:
    """One thing of the guide that a return may name."""

    kind: ReturnKind
    ref: str
    name: str


def needed(item: ServiceItem, form_values: Mapping[str, Any], form: Form | None = None) -> list[Need]:
    """List what the guide asks for: the item's materials, the form's required files, the mandate of a proxy."""
    needs = [
        Need(
            material_id=one.material_id,
            name=one.name,
            kind=one.necessity,
            condition=one.condition,
            form=one.form,
            originals=one.originals,
            copies=one.copies,
            deferrable=one.may_be_deferred,
        )
        for one in item.materials
    ]
    if form is not None:
        shown = visible(form, form_values)
        needs.extend(
            Need(FIELD_PREFIX + one.id, one.label, "required", form="electronic")
            for one in form.by_id.values()
            if one.type == "file" and one.required and one.id in shown
        )
    if by_proxy(form_values):
        needs.append(Need(AUTHORIZATION, AUTHORIZATION_NAME, "authorization", form="original", originals=1))
    return needs


def missing(
    item: ServiceItem,
    form_values: Mapping[str, Any],
    handed_in: Iterable[HandedIn],
    scans: Iterable[Scan],
    form: Form | None = None,
    *,
    said_to_apply: Collection[str] = (),
) -> list[Missing]:
    """List everything that is still missing, at once; empty means the materials are complete.

    `said_to_apply` names conditional materials that were decided to apply before anything else was said of them.
    """
    seen = {one.material_id: one for one in handed_in}
    scanned = {one.material_id for one in scans}
    found = []
    for need in needed(item, form_values, form):
        why = _why_missing(
            need,
            seen.get(need.material_id),
            scanned=need.material_id in scanned,
            decided=need.material_id in said_to_apply,
        )
        if why is not None:
            found.append(Missing(need.material_id, need.name, why))
    return found


def _why_missing(need: Need, one: HandedIn | None, *, scanned: bool, decided: bool) -> str | None:
    if need.kind == "optional":
        return None
    if need.kind == "conditional" and not (one is None and decided):
        if one is None or one.applies is None:
            return "material.undecided"
        if not one.applies:
            return None
    if one is None:
        # A scan alone does not say how the paper was seen at the counter.
        return "material.not_handed_in"
    if one.seen is Seen.DEFERRED:
        return None if need.deferrable else "material.not_deferrable"
    if one.seen is Seen.TO_BE_VERIFIED:
        return "material.not_verifiable" if need.kind == "authorization" else None
    return None if scanned else "material.no_scan"


def condition_ref(item: ServiceItem, number: int) -> str:
    """Name the `number`-th condition of an item (from 1), since the catalog gives conditions no id."""
    return f"{item.item_id}-C{number:02d}"


def returnable(item: ServiceItem, form: Form) -> list[Returnable]:
    """List everything of the guide that a return may name."""
    materials = [Returnable("material", one.material_id, one.name) for one in item.materials]
    files = [
        Returnable("material", FIELD_PREFIX + one.id, one.label) for one in form.by_id.values() if one.type == "file"
    ]
    conditions = [
        Returnable("condition", condition_ref(item, number), text) for number, text in enumerate(item.conditions, 1)
    ]
    fields = [Returnable("field", one.id, one.label) for one in form.by_id.values()]
    return [*materials, *files, Returnable("material", AUTHORIZATION, AUTHORIZATION_NAME), *conditions, *fields]


def check_return(item: ServiceItem, form: Form, points: Sequence[ReturnPoint]) -> None:
    """Refuse a return that asks for anything outside the guide, or that does not say what is wrong."""
    allowed = {(one.kind, one.ref) for one in returnable(item, form)}
    for point in points:
        if (point.kind, point.ref) not in allowed:
            raise AddedRequirement(point.kind, point.ref)
        if not point.problem.strip():
            raise VagueReturn(point.kind, point.ref)


def is_asked(form: Form, form_values: Mapping[str, Any], kind: ReturnKind, ref: str) -> bool:
    """Say whether this is asked for in an application with these values: a field that other answers hide is not."""
    kind, ref = _same(kind, ref)
    return kind != "field" or ref in visible(form, form_values)


def may_be_returned(application: Application, kind: ReturnKind, ref: str) -> bool:
    """Say whether a return may name this now; before the first return everything may be named.

    >>> may_be_returned(Application(application_id="0" * 32), "field", "applicant_phone")
    True
    """
    rounds = application.rounds
    if not rounds or len(rounds) < application.returns_count:
        return True  # nothing was returned, or a program that did not keep the rounds recorded the first of them
    named = {_same(point.kind, point.ref) for one in rounds for point in one.points}
    touched: set[tuple[ReturnKind, str]] = {("field", name) for one in rounds for name in one.fields}
    touched |= {_same("material", name) for one in rounds for name in one.materials}
    return _same(kind, ref) in named | touched


def _same(kind: ReturnKind, ref: str) -> tuple[ReturnKind, str]:
    """A file of the form is both a field and a material; it counts as the field."""
    is_file = kind == "material" and ref.startswith(FIELD_PREFIX)
    return ("field", ref.removeprefix(FIELD_PREFIX)) if is_file else (kind, ref)
