"""Every refusal of this room: one class per failure, a stable code, typed fields, no personal data.

CaseworkError
├── IllegalEvent            the table does not allow this event in this state
│   ├── NothingDeferred     a supplement during review, though no material was deferred
│   └── NotScannedBefore    pages scanned again of a material that had no scans
├── ScansAreThere           pages scanned again although the city holds the first ones
├── NotYourDuty             this role, in this region, may not do this
├── AddedRequirement        a return names something the guide does not ask for
├── VagueReturn             a return point does not say what is wrong
├── MalformedRecord         plain data that is not an application or an event
├── UnknownEvent            an event of a later version of this program
├── MalformedEvent          an event that lacks what the law wants said
└── MalformedCatalog        catalog data that does not follow its own rules
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class CaseworkError(Exception):
    """Casework refused."""

    code: ClassVar[str] = "casework.refused"

    def __init__(self, **params: object) -> None:
        super().__init__(self.code, params)
        self.params: dict[str, object] = params

    def __str__(self) -> str:
        fields = " ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} {fields}".rstrip()


class IllegalEvent(CaseworkError):
    """The event is not allowed in the state the application is in."""

    code = "lifecycle.illegal_event"

    def __init__(self, state: str, event: str, allowed: Iterable[str] = ()) -> None:
        self.state = str(state)
        self.event = event
        self.allowed = tuple(allowed)
        super().__init__(state=self.state, event=event, allowed=list(self.allowed))


class NothingDeferred(IllegalEvent):
    """A supplement after acceptance is only for materials that were deferred, and none is outstanding."""

    code = "lifecycle.nothing_deferred"


class NotScannedBefore(IllegalEvent):
    """Lost pages are scanned again of materials of which there were scans; this one had none."""

    code = "lifecycle.not_scanned_before"


class ScansAreThere(CaseworkError):
    """The city holds all scans of this material; what it has is not replaced by scanning again."""

    code = "rescan.not_needed"

    def __init__(self, material_id: str) -> None:
        self.material_id = material_id
        super().__init__(material_id=material_id)


class NotYourDuty(CaseworkError):
    """This role may not do this to this application."""

    code = "duty.not_yours"

    def __init__(self, role: str, event: str) -> None:
        self.role = str(role)
        self.event = event
        super().__init__(role=self.role, event=event)


class AddedRequirement(CaseworkError):
    """A return for correction can only name materials, conditions and fields of the guide."""

    code = "return.added_requirement"

    def __init__(self, kind: str, ref: str) -> None:
        self.kind = kind
        self.ref = ref
        super().__init__(kind=kind, ref=ref)


class VagueReturn(CaseworkError):
    """Every point of a return has to say what is wrong."""

    code = "return.vague"

    def __init__(self, kind: str, ref: str) -> None:
        self.kind = kind
        self.ref = ref
        super().__init__(kind=kind, ref=ref)


class MalformedRecord(CaseworkError):
    """The plain data does not describe an application or an event."""

    code = "record.malformed"

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where=where)


class UnknownEvent(CaseworkError):
    """The event belongs to a later version of this program."""

    code = "record.unknown_event"

    def __init__(self, event: str) -> None:
        self.event = event
        super().__init__(event=event)


class MalformedEvent(CaseworkError):
    """The event lacks something that has to be said."""

    code = "event.malformed"

    def __init__(self, event: str, field: str) -> None:
        self.event = event
        self.field = field
        super().__init__(event=event, field=field)


class MalformedCatalog(CaseworkError):
    """The catalog data does not follow its own rules."""

    code = "catalog.malformed"

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where=where)
