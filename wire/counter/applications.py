"""Applications as a clerk sees them, and the acts of the village on them."""

from typing import Literal

from pydantic import Field

from wire.counter.drafts import HandedInView, ReturnPointView, ScanView, WhyText
from wire.counter.faults import FaultBody
from wire.counter.notice import LimitDoubt
from wire.counter.standing import Role
from wire.counter.waiting import WaitingView
from wire.fields import Asked, Day, Hex32, Moment, Plain, Region, Told

Standing = Literal["saved_here", "at_city", "confirmed", "doubted", "refused"]
Light = Literal["green", "yellow", "red", "grey"]
ClockStanding = Literal[
    "unknown", "not_started", "running", "soon", "due_today", "overdue", "paused", "met", "provisional"
]


class DutyView(Told):
    """Who must act now, and what."""

    role: Role
    region: Region | None = None
    what: str


class ApplicationBrief(Told):
    """One line of a list; `due` and `light` are null or grey when they are not known.

    `waiting` explains everything of it that is not where it should be, the most urgent first. A scan has *arrived*
    when it is at the city or, where another station collected it, here.
    """

    application_id: Hex32
    receipt_no: str
    item_id: str = ""
    item_name: str
    applicant_masked: str
    state: str
    standing: Standing
    waiting: list[WaitingView] = Field(default_factory=list)
    scans_arrived: int = 0
    scans_total: int = 0
    who_must_act: DutyView | None = None
    due: Day | None = None
    light: Light = "grey"
    due_unit: str | None = None
    shifted_days: int = 0
    """By how many days of `due_unit` emergency notices moved `due`."""
    due_doubt: LimitDoubt = ""
    """Why `due` is not final on account of a notice: it has no end yet, or says nothing of limits."""
    updated_at: Moment
    erased_at: Moment | None = None
    """Since when only the register's line is left here: form, materials and scans were erased after their time."""

    @property
    def pending(self) -> list[WaitingView]:
        """The acts of this node that the city has not answered."""
        return [one for one in self.waiting if one.op and not one.answered]


class ClockView(Told):
    """One of the two clocks."""

    kind: Literal["notice", "handling"]
    standing: ClockStanding
    due: Day | None = None
    remaining_days: int | None = None
    unit: str | None = None
    """What `remaining_days` counts: the unit of the limit."""
    provisional: bool = False
    shifted_days: int = 0
    """By how many days of `unit` emergency notices moved `due`."""
    doubt: LimitDoubt = ""
    notices: list[str] = Field(default_factory=list)
    """The titles of the notices that moved it or leave it open."""
    deemed_accepted: bool = False
    """A permit whose notice is overdue: by law it counts as accepted since the day the materials came."""


class DecisionView(Told):
    """The ruling."""

    granted: bool
    reason: str
    document_name: str
    document_no: str
    decided_on: Moment


class RefusalView(FaultBody):
    """Why the city did not apply the last act, which act that was, and what a person can do now."""

    op: str = ""
    remedy: str = ""


class StepView(Told):
    """One step of the history."""

    at: Moment
    event: str
    role: Role
    node_id: str
    note: str = ""
    pending: bool = False


class ApplicationDetail(ApplicationBrief):
    """Everything the node knows of one application, for a clerk who may see it."""

    form_id: str
    catalog_version: int
    site: Region
    township: Region
    proxy: Literal["active", "suspended", "terminated"] = "active"
    form: Plain
    handed_in: list[HandedInView] = Field(default_factory=list)
    scans: list[ScanView] = Field(default_factory=list)
    return_points: list[ReturnPointView] = Field(default_factory=list)
    returns_count: int = 0
    deferred: list[str] = Field(default_factory=list)
    clocks: list[ClockView] = Field(default_factory=list)
    decision: DecisionView | None = None
    outcome_reason: str = ""
    outcome_basis: str = ""
    outcome_remedy: str = ""
    outcome_elsewhere: str = ""
    forwarded_to: str = ""
    refusal: RefusalView | None = None
    history: list[StepView] = Field(default_factory=list)
    acts: list[str] = Field(default_factory=list)


class SeekApplications(Asked):
    """Applications by number, item or applicant; a body, so that no name stands in an address."""

    words: str = Field(max_length=100)
    state: str = Field(default="", max_length=40)
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=30, ge=1, le=100)


class Withdraw(Asked):
    """The applicant takes the application back."""

    reason: WhyText


class Deliver(Asked):
    """The result was handed over."""

    receiver: str = Field(min_length=1, max_length=60)
    way: str = Field(min_length=1, max_length=40)


class Rate(Asked):
    """The applicant's own rating; sealed for the city at once."""

    level: int = Field(ge=1, le=5)
    text: str = Field(default="", max_length=500)


class ChangeProxy(Asked):
    """代办中止、续办、终止."""

    act: Literal["suspend", "resume", "terminate"]
    reason: WhyText
