"""The return form: every material, condition and field of the guide as a check box with room for problem and remedy.

Laws
- What is not in the guide, or may not be named any more, has no box; a box that is not on the page is refused by name,
  and nothing is saved.
- Words without a tick are never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from casework.forms import Form
from edge_node.routes.page_acts import WORDS_MAX
from edge_node.routes.page_body import Posted
from edge_node.wording import sentence
from wire.counter import ReturnablePoint, ReturnPointView

TICK: Final = "tick"
FIELD_KIND: Final = "field"
_PLAIN_REF: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
KINDS: Final = ("material", "condition", "field")


@dataclass(frozen=True, slots=True)
class Point:
    """One check box of the return form."""

    key: str
    kind: str
    ref: str
    name: str
    value: str = ""
    ticked: bool = False
    problem: str = ""
    remedy: str = ""
    wrong: str = ""

    @property
    def kept(self) -> bool:
        """Whether its words must stay visible although it is not ticked."""
        return not self.ticked and bool(self.problem or self.remedy)


@dataclass(frozen=True, slots=True)
class Fold:
    """The fields of one section of the form."""

    title: str
    points: tuple[Point, ...]

    @property
    def open(self) -> bool:
        """Whether something in it is ticked or was typed."""
        return any(point.ticked or point.kept for point in self.points)


@dataclass(frozen=True, slots=True)
class Group:
    """Materials, conditions, or the fields of the form."""

    title: str
    hint: str
    points: tuple[Point, ...] = ()
    folds: tuple[Fold, ...] = ()


def points_of(allowed: Sequence[ReturnablePoint], values: Mapping[str, str]) -> tuple[Point, ...]:
    """The boxes of a guide; `values` is what is filled in now, by field."""
    return tuple(
        Point(
            key=f"{one.kind}-{one.ref}" if _PLAIN_REF.fullmatch(one.ref) else f"{one.kind}-no{number}",
            kind=one.kind,
            ref=one.ref,
            name=one.label,
            value=values.get(one.ref, "") if one.kind == FIELD_KIND else "",
        )
        for number, one in enumerate(allowed)
    )


def filled(points: Sequence[Point], form: Posted) -> tuple[Point, ...]:
    """The boxes as they were sent."""
    ticks = set(form.all(TICK))
    return tuple(
        replace(
            point,
            ticked=point.key in ticks,
            problem=form.text(f"problem.{point.key}"),
            remedy=form.text(f"remedy.{point.key}"),
        )
        for point in points
    )


def judged(points: Sequence[Point]) -> tuple[Point, ...]:
    """Every box with what is wrong with it."""
    return tuple(replace(point, wrong=_wrong(point)) for point in points)


def _wrong(point: Point) -> str:
    about = {"name": point.name}
    if point.kept:
        return sentence("page.return.wrong.not_ticked", about)
    if not point.ticked:
        return ""
    if not point.problem or not point.remedy:
        return sentence("page.return.wrong.words", about)
    if max(len(point.problem), len(point.remedy)) > WORDS_MAX:
        return sentence("page.return.wrong.too_long", {**about, "max": WORDS_MAX})
    return ""


def problems(points: Sequence[Point], form: Posted, *, again: bool = False) -> tuple[Mapping[str, str], ...]:
    """What is wrong with the whole return; `again` says that an earlier one was given."""
    known = {point.key for point in points}
    added = [tick for tick in form.all(TICK) if tick not in known]
    added += [
        name.partition(".")[2]
        for name, value in form.fields
        if name.startswith(("problem.", "remedy.")) and value.strip() and name.partition(".")[2] not in known
    ]
    added_words = "page.return.wrong.added_later" if again else "page.return.wrong.added"
    found = [{"field": "", "message": sentence(added_words, {"what": what[:80]})} for what in dict.fromkeys(added)]
    found += [{"field": f"p-{point.key}", "message": point.wrong} for point in points if point.wrong]
    if not found and not any(point.ticked for point in points):
        found.append({"field": "", "message": sentence("page.return.wrong.nothing")})
    return tuple(found)


def groups(points: Sequence[Point], form: Form) -> tuple[Group, ...]:
    """The boxes in the order of the guide; the fields folded by section."""
    by_kind = {kind: tuple(point for point in points if point.kind == kind) for kind in KINDS}
    by_ref = {point.ref: point for point in by_kind[FIELD_KIND]}
    folds = tuple(
        Fold(section.title, tuple(by_ref[one.id] for one in section.fields if one.id in by_ref))
        for section in form.sections
    )
    return (
        _group("materials", by_kind["material"]),
        _group("conditions", by_kind["condition"]),
        Group(
            sentence("page.return.fields"),
            sentence("page.return.fields.hint"),
            folds=tuple(fold for fold in folds if fold.points),
        ),
    )


def _group(name: str, points: tuple[Point, ...]) -> Group:
    return Group(sentence(f"page.return.{name}"), sentence(f"page.return.{name}.hint"), points)


def asked(points: Sequence[Point]) -> list[ReturnPointView]:
    """What the act is asked to return."""
    return [
        ReturnPointView.model_validate(
            {
                "kind": point.kind,
                "ref": point.ref,
                "problem": point.problem,
                "remedy": point.remedy,
                "label": point.name,
            }
        )
        for point in points
        if point.ticked
    ]
