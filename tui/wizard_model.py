"""The steps of a draft and how far each has come; nothing here knows the screen.

Laws: the steps follow from the form and from what was typed, so a proxy's written authority is a step exactly when
somebody else files for the applicant; every field and material that can be missing belongs to one step.
"""

from dataclasses import dataclass
from enum import StrEnum

from casework.materials import FIELD_PREFIX, Need
from tui.draft_desk import AUTHORIZATION, DraftDesk
from tui.wording import t


class StepKind(StrEnum):
    """What a step shows."""

    POINTS = "points"
    SECTION = "section"
    AUTHORIZATION = "authorization"
    MATERIALS = "materials"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `ref` is the section's id."""

    kind: StepKind
    ref: str
    title: str


class Mark(StrEnum):
    """How far a step has come."""

    OPEN = " "
    DONE = "✓"
    WRONG = "!"


def steps_of(desk: DraftDesk) -> list[Step]:
    """The steps of a draft, in order."""
    steps = [Step(StepKind.SECTION, section.id, section.title) for section in desk.form.sections]
    if desk.view.kind == "supplement":
        steps.insert(0, Step(StepKind.POINTS, "", t("step.points")))
    if desk.by_proxy:
        steps.append(Step(StepKind.AUTHORIZATION, "", t("step.authorization")))
    if materials_of(desk):
        steps.append(Step(StepKind.MATERIALS, "", t("step.materials")))
    return [*steps, Step(StepKind.SUMMARY, "", t("step.summary"))]


def mark_of(desk: DraftDesk, step: Step, *, seen: bool) -> Mark:
    """A step's mark; what was never opened is not called wrong."""
    match step.kind:
        case StepKind.SECTION:
            complete = not problems_in(desk, step.ref)
        case StepKind.AUTHORIZATION:
            complete = AUTHORIZATION not in {one.material_id for one in desk.missing()}
        case StepKind.MATERIALS:
            complete = not {one.material_id for one in desk.missing()} - {AUTHORIZATION}
        case StepKind.POINTS:
            complete = all(desk.answers.get(point.ref) for point in desk.view.return_points)
        case _:
            return Mark.OPEN
    if complete:
        return Mark.DONE
    return Mark.WRONG if seen else Mark.OPEN


def problems_in(desk: DraftDesk, section_id: str) -> list[str]:
    """The visible fields of a section that are not right yet."""
    section = next(section for section in desk.form.sections if section.id == section_id)
    shown = desk.visible()
    return [field.id for field in section.fields if field.id in shown and desk.problem(field.id) is not None]


def materials_of(desk: DraftDesk) -> list[Need]:
    """The papers of the materials step; the written authority has a step of its own."""
    return [need for need in desk.needs() if need.material_id != AUTHORIZATION]


def place_of(desk: DraftDesk, steps: list[Step], *, field_id: str = "", material_id: str = "") -> int:
    """The step in which a field or a material is put right."""
    if material_id.startswith(FIELD_PREFIX):
        field_id = material_id.removeprefix(FIELD_PREFIX)
    if field_id:
        wanted = (StepKind.SECTION, desk.section_of(field_id) or "")
    else:
        wanted = (StepKind.AUTHORIZATION if material_id == AUTHORIZATION else StepKind.MATERIALS, "")
    found = [at for at, step in enumerate(steps) if (step.kind, step.ref) == wanted]
    return found[0] if found else 0
