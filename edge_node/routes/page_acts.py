"""The acts a township clerk may do on the page: what each asks for, how it is read, how it is shown before it is done.

Laws
- Every act has three steps: fill in, check, do. Nothing happens before the third; going back keeps what was typed.
- What is wrong is said in a sentence beside its field, all at once.
- The page only reads; the act behind it decides again, whatever the page let through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from edge_node.routes.page_body import Posted
from edge_node.routes.page_views import Row
from edge_node.wording import sentence
from wire.counter import Accept, AcceptProvisionally, Decline, Forward, NotRequired
from wire.fields import Asked

WORDS_MAX: Final = 500
NAME_MAX: Final = 120
BLANKS: Final = "____"
FieldKind = Literal["text", "line", "date", "picks"]


@dataclass(frozen=True, slots=True)
class Pick:
    """One choice of a list of check boxes."""

    value: str
    words: str
    picked: bool = False


@dataclass(frozen=True, slots=True)
class ActField:
    """One thing an act asks for, with what was typed and what is wrong with it."""

    name: str
    kind: FieldKind = "text"
    required: bool = True
    max_length: int = WORDS_MAX
    value: str = ""
    picks: tuple[Pick, ...] = ()
    wrong: str = ""
    hinted: bool = True

    @property
    def label(self) -> str:
        """Its name on the page."""
        return sentence(f"page.act.field.{self.name}")

    @property
    def hint(self) -> str:
        """How to fill it in."""
        return sentence(f"page.act.field.{self.name}.hint") if self.hinted else ""

    @property
    def shown(self) -> str:
        """What was filled in, as the check page shows it."""
        return "、".join(pick.words for pick in self.picks if pick.picked) if self.kind == "picks" else self.value


@dataclass(frozen=True, slots=True)
class PageAct:
    """One act of the page."""

    name: str
    path: str
    done: str
    fields: tuple[ActField, ...]
    ask: Callable[[Mapping[str, ActField]], Asked]
    grave: bool = False
    main: bool = False

    @property
    def has_fields(self) -> bool:
        """Whether there is anything to go back to."""
        return bool(self.fields)


def _decline(fields: Mapping[str, ActField]) -> Asked:
    said = {name: fields[name].value for name in ("reason", "basis", "elsewhere", "remedy")}
    return Decline(**said)


def _provisionally(fields: Mapping[str, ActField]) -> Asked:
    picked = [pick.value for pick in fields["deferred"].picks if pick.picked]
    return AcceptProvisionally(
        deferred=picked, due=date.fromisoformat(fields["due"].value), promise=fields["promise"].value
    )


ACTS: Final[Mapping[str, PageAct]] = {
    act.path: act
    for act in (
        PageAct("accept", "accept", "accepted", (), lambda _fields: Accept(), main=True),
        PageAct(
            "accept_provisionally",
            "accept-provisionally",
            "provisionally_accepted",
            (
                ActField("deferred", "picks", hinted=False),
                ActField("due", "date", max_length=10),
                ActField("promise"),
            ),
            _provisionally,
        ),
        PageAct(
            "decline",
            "decline",
            "declined",
            (
                ActField("reason"),
                ActField("basis"),
                ActField("elsewhere", "line", required=False, max_length=NAME_MAX),
                ActField("remedy"),
            ),
            _decline,
            grave=True,
        ),
        PageAct(
            "not_required",
            "not-required",
            "not_required",
            (ActField("reason"),),
            lambda fields: NotRequired(reason=fields["reason"].value),
            grave=True,
        ),
        PageAct(
            "forward",
            "forward",
            "forwarded",
            (ActField("to", "line", max_length=NAME_MAX), ActField("reason")),
            lambda fields: Forward(to=fields["to"].value, reason=fields["reason"].value),
            grave=True,
        ),
    )
}
"""Acts with a form of this kind, by their path; beginning and returning have pages of their own."""


def empty(act: PageAct, picks: Sequence[Pick]) -> tuple[ActField, ...]:
    """The form of an act as it is opened."""
    drafts = {"remedy": sentence("page.act.remedy.draft")}
    return tuple(replace(one, value=drafts.get(one.name, ""), picks=_own(one, picks)) for one in act.fields)


def _own(one: ActField, picks: Sequence[Pick]) -> tuple[Pick, ...]:
    return tuple(picks) if one.kind == "picks" else ()


def filled(act: PageAct, form: Posted, picks: Sequence[Pick]) -> tuple[ActField, ...]:
    """The form of an act as it was sent, not yet judged."""
    return tuple(
        replace(one, picks=tuple(replace(pick, picked=pick.value in form.all(one.name)) for pick in picks))
        if one.kind == "picks"
        else replace(one, value=form.text(one.name))
        for one in act.fields
    )


def judged(fields: Sequence[ActField], form: Posted, today: date) -> tuple[ActField, ...]:
    """Every field with what is wrong with it."""
    return tuple(replace(one, wrong=_wrong(one, form, today)) for one in fields)


def _wrong(one: ActField, form: Posted, today: date) -> str:
    about = {"label": one.label}
    if one.kind == "picks":
        strange = [value for value in form.all(one.name) if value not in {pick.value for pick in one.picks}]
        if strange:
            return sentence("page.act.wrong.strange", {"what": strange[0][:NAME_MAX]})
        return "" if any(pick.picked for pick in one.picks) else sentence("page.act.wrong.pick", about)
    if not one.value:
        return sentence("page.act.wrong.needed", about) if one.required else ""
    if len(one.value) > one.max_length:
        return sentence("page.act.wrong.too_long", {**about, "max": one.max_length, "length": len(one.value)})
    if BLANKS in one.value:
        return sentence("page.act.wrong.blanks", about)
    return _wrong_day(one, today) if one.kind == "date" else ""


def _wrong_day(one: ActField, today: date) -> str:
    try:
        day = date.fromisoformat(one.value)
    except ValueError:
        return sentence("page.act.wrong.date", {"label": one.label})
    return "" if day > today else sentence("page.act.wrong.past", {"label": one.label})


def summary(fields: Sequence[ActField]) -> tuple[Row, ...]:
    """What the check page shows."""
    return tuple(Row(one.label, one.shown) for one in fields)


def problems(fields: Sequence[ActField]) -> tuple[Mapping[str, str], ...]:
    """What is wrong, each with the field it belongs to."""
    return tuple({"field": one.name, "message": one.wrong} for one in fields if one.wrong)
