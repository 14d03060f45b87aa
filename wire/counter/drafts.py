"""Drafts: what is typed before it is collected, and the slip that collecting gives."""

from typing import Annotated, Literal

from pydantic import Field

from casework.application import HandedIn, ReturnKind, Seen
from wire.counter.faults import FieldProblemView
from wire.counter.guide import LimitView
from wire.fields import Asked, Hash, Hex32, Moment, Plain, Told

SeenAs = Literal["original_seen", "copy", "electronic_licence", "to_be_verified", "deferred"]
WhyText = Annotated[str, Field(min_length=1, max_length=500)]


class BeginDraft(Asked):
    """Begin an application on the active catalog."""

    item_id: str = Field(min_length=1, max_length=60)


class HandedInView(Told):
    """What was said of one material; `applies` decides a conditional material, `seen` is null until it is said."""

    material_id: str
    seen: SeenAs | None = None
    applies: bool | None = None
    copies: int = Field(default=0, ge=0, le=99)
    note: str = Field(default="", max_length=200)

    def handed_in(self) -> HandedIn | None:
        """What counts as handed in: nothing, until it is said how the paper was seen or that it does not apply."""
        if self.seen is None and self.applies is not False:
            return None
        seen = Seen(self.seen) if self.seen else Seen.TO_BE_VERIFIED  # of no weight where the material does not apply
        return HandedIn(self.material_id, seen, self.applies, self.copies, self.note)


class ScanView(Told):
    """One sealed page; `length` is that of the sealed bytes. `damaged`: lost on this disk before the city had it."""

    scan_hash: Hash
    material_id: str
    page: int
    length: int
    media_type: str
    arrived: bool = True
    damaged: bool = False


class PhoneView(Told):
    """Where an invited phone finds its page, each address with the token behind `#`, and for how long it is let in."""

    urls: list[str] = Field(min_length=1)
    seconds: float


class ReturnPointView(Told):
    """One thing to be put right: what, what is wrong with it, and how to put it right."""

    kind: ReturnKind
    ref: str = Field(min_length=1, max_length=120)
    problem: WhyText
    remedy: WhyText
    label: str = ""


class DraftBrief(Told):
    """One line of the list of drafts."""

    draft_id: Hex32
    kind: Literal["collect", "supplement"]
    item_id: str
    item_name: str
    applicant_masked: str
    updated_at: Moment
    left_by: str = ""
    """The colleague who works here no longer and left it; it can be taken over. Empty for the clerk's own."""


class DraftView(Told):
    """A draft as it was typed, valid or not."""

    draft_id: Hex32
    kind: Literal["collect", "supplement"]
    item_id: str
    form_id: str
    catalog_version: int
    newer_version: int | None = None
    values: Plain
    handed_in: list[HandedInView] = Field(default_factory=list)
    scans: list[ScanView] = Field(default_factory=list)
    return_points: list[ReturnPointView] = Field(default_factory=list)
    answers: dict[str, str] = Field(default_factory=dict)
    updated_at: Moment
    application_id: Hex32 | None = None


class ChangeDraft(Asked):
    """Changes merged by key: field id, material id, return point reference. A value of null empties a field."""

    values: Plain | None = None
    handed_in: list[HandedInView] | None = None
    answers: dict[str, str] | None = None


class DraftSaved(Told):
    """The change is on disk; the problems are of the changed fields only."""

    saved_at: Moment
    problems: list[FieldProblemView] = Field(default_factory=list)


class MissingView(Told):
    """A material that is still missing, and why that matters."""

    material_id: str
    name: str
    why: str
    message: str


class CatalogChange(Told):
    """What a newer catalog changed for this draft."""

    kind: Literal[
        "field_added", "field_removed", "field_changed", "material_added", "material_removed", "material_changed"
    ]
    ref: str
    label: str


class Summary(Told):
    """Everything that still stands between this draft and collecting, at once."""

    problems: list[FieldProblemView] = Field(default_factory=list)
    missing: list[MissingView] = Field(default_factory=list)
    proxy_refusal: str | None = None
    catalog_changes: list[CatalogChange] = Field(default_factory=list)
    ready: bool


class SlipMaterial(Told):
    """One line of the receipt for papers handed in."""

    material_id: str
    name: str
    seen: SeenAs
    copies: int = 0
    pages: int = 0


class Slip(Told):
    """The 收件单. It says that papers were taken in for delivery, never that the application was accepted."""

    application_id: Hex32
    receipt_no: str
    item_name: str
    applicant_masked: str
    materials: list[SlipMaterial]
    collected_at: Moment
    site_name: str = ""
    clerk_name: str = ""
    promised: LimitView | None = None
    query_hint: str = ""
    qr_text: str
    saved: Literal[True] = True
