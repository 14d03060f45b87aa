"""The application and its parts: frozen values, moved only by `lifecycle.advance`.

- Moments are aware datetimes in UTC; legal days (limits, dues) are plain dates in the city's time.
- `form` holds plain JSON values by field id; nobody changes it in place.
- Collecting at the village (代办收件) is not acceptance: `accepted_at` is set by the competent body alone.
- `extra` carries fields of a later version unread, so that an older program passes them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from casework.states import ProxyStanding, State

ReturnKind = Literal["material", "condition", "field"]


class Role(StrEnum):
    """In whose name somebody acts."""

    AGENT = "agent"
    CLERK = "clerk"
    DEPARTMENT = "department"
    CITY = "city"
    ADMINISTRATOR = "administrator"


class Seen(StrEnum):
    """How a material was seen at the counter; a look-up that was not made is never claimed."""

    ORIGINAL_SEEN = "original_seen"
    COPY = "copy"
    ELECTRONIC_LICENCE = "electronic_licence"
    TO_BE_VERIFIED = "to_be_verified"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, from which node, and for which region that node stands."""

    role: Role
    clerk_id: str
    node_id: str
    region: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person or body the application is for."""

    name: str
    id_type: str
    id_no: str
    phone: str
    region: str
    address: str

    @classmethod
    def from_form(cls, values: Mapping[str, Any]) -> Applicant:
        """Read the applicant out of the `applicant_*` fields that every form has.

        >>> Applicant.from_form({"applicant_name": " 李样例 ", "applicant_id_no": "51160218000101001x"}).id_no
        '51160218000101001X'
        """

        def text(name: str) -> str:
            value = values.get(f"applicant_{name}")
            return value.strip() if isinstance(value, str) else ""

        return cls(
            name=text("name"),
            id_type=text("id_type"),
            id_no=text("id_no").upper(),
            phone=text("phone"),
            region=text("region"),
            address=text("address"),
        )


NOBODY = Applicant(name="", id_type="", id_no="", phone="", region="", address="")
"""The applicant of a draft that nothing was typed into."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A sealed file that belongs to a material; named by the hash of its sealed bytes."""

    scan_hash: str
    length: int
    media_type: str
    material_id: str
    page: int


@dataclass(frozen=True, slots=True)
class HandedIn:
    """How one material was handed in; `applies` answers whether a conditional material is called for."""

    material_id: str
    seen: Seen
    applies: bool | None = None
    copies: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReturnPoint:
    """One point of the one-time full notice: what of the guide, what is wrong, what to do."""

    kind: ReturnKind
    ref: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ReturnRound:
    """One full notice as it was given, and the supplement that answered it: its words, and what it touched."""

    at: datetime
    points: tuple[ReturnPoint, ...]
    answers: Mapping[str, str] = field(default_factory=dict)
    answered_at: datetime | None = None
    fields: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The ruling of the competent department."""

    granted: bool
    reason: str
    document_name: str
    document_no: str
    decided_on: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure; it stops the handling clock only where `pauses_clock` is True."""

    kind: str
    reason: str
    basis: str
    started_at: datetime
    ended_at: datetime | None = None
    pauses_clock: bool | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history that everybody may read."""

    at: datetime
    event: str
    role: Role
    node_id: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application from draft to rating; a value, never changed in place."""

    application_id: str
    receipt_no: str = ""
    item_id: str = ""
    form_id: str = ""
    catalog_version: int = 0
    site: str = ""
    township: str = ""
    applicant: Applicant = NOBODY
    form: Mapping[str, Any] = field(default_factory=dict)
    handed_in: tuple[HandedIn, ...] = ()
    scans: tuple[Scan, ...] = ()
    state: State = State.DRAFT
    proxy: ProxyStanding = ProxyStanding.ACTIVE
    collected_at: datetime | None = None
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    notice_given_at: datetime | None = None
    return_points: tuple[ReturnPoint, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    returns_count: int = 0
    rounds: tuple[ReturnRound, ...] = ()
    accepted_at: datetime | None = None
    accepted_unsure: bool = False
    limit_due: date | None = None
    deferred: tuple[str, ...] = ()
    deferred_due: date | None = None
    promise: str = ""
    pauses: tuple[Pause, ...] = ()
    extended_days: int = 0
    decision: Decision | None = None
    outcome_reason: str = ""
    outcome_basis: str = ""
    outcome_remedy: str = ""
    outcome_elsewhere: str = ""
    forwarded_to: str = ""
    concluded_at: datetime | None = None
    delivered_at: datetime | None = None
    receiver: str = ""
    delivery_way: str = ""
    rated_at: datetime | None = None
    closed_at: datetime | None = None
    history: tuple[Step, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
