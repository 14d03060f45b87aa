"""The provincial platform behind one port: the five record sets of GB/T 39046.

Laws: records are derived from a step of an application and promised in the same transaction; (act, record set, row)
names a record for ever, so a platform that gets one twice can tell. An act is named by its op_id, a ruling made here by
what it says: both stay what they are when a ledger is restored and its cases are numbered anew. Delivery holds up
neither a node nor the ledger: no transaction is open while the platform is spoken to.
A record carries what the platform needs to know the applicant by; it never leaves the ledger except through a port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

from casework import events as happened
from casework.application import Application
from casework.events import Event
from casework.record import event_to_plain
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger import outbox
from city_gateway.ledger.outbox import PlatformRecord
from wire.canonical import canonical_json

ACCEPTANCE, PROCESS, RESULT, SPECIAL_PROCEDURE, MATERIAL = (
    "acceptance",
    "process",
    "result",
    "special_procedure",
    "material",
)
SETS_OF: dict[type[Event], tuple[str, ...]] = {
    happened.Collected: (MATERIAL,),
    happened.PreReviewStarted: (PROCESS,),
    happened.Returned: (PROCESS,),
    happened.Supplemented: (PROCESS, MATERIAL),
    happened.Accepted: (ACCEPTANCE, PROCESS),
    happened.ProvisionallyAccepted: (ACCEPTANCE, PROCESS),
    happened.Declined: (ACCEPTANCE, PROCESS),
    happened.FoundNotRequired: (ACCEPTANCE, PROCESS),
    happened.Forwarded: (PROCESS,),
    happened.ReviewStarted: (PROCESS,),
    happened.Suspended: (SPECIAL_PROCEDURE, PROCESS),
    happened.Resumed: (SPECIAL_PROCEDURE, PROCESS),
    happened.Extended: (SPECIAL_PROCEDURE, PROCESS),
    happened.Decided: (PROCESS,),
    happened.Concluded: (RESULT, PROCESS),
    happened.Withdrawn: (PROCESS,),
    happened.Voided: (PROCESS,),
    happened.Revoked: (RESULT, PROCESS),
}
DELIVERED_AT_ONCE = 200


class PlatformPort(Protocol):
    """Where records go. `deliver` returns once the platform holds them all; it may be asked again with the same
    ones."""

    def deliver(self, records: Sequence[PlatformRecord]) -> None:
        """Hand records over."""


class BackOfficePort:
    """The embedded platform: the department rules in this ledger's own back office, so nothing leaves the machine."""

    def deliver(self, records: Sequence[PlatformRecord]) -> None:
        """The ledger already holds them."""


def name_of_ruling(application_id: str, events: Sequence[Event]) -> str:
    """The name of an act of the back office, which has no op_id: a hash of what it says, of what, and when."""
    said = [application_id, [event_to_plain(event) for event in events]]
    return hashlib.sha256(canonical_json(said)).hexdigest()


def records_of(application: Application, act: str, events: Sequence[Event]) -> list[PlatformRecord]:
    """What the platform is told about one step; `act` is its op_id or the name of a ruling."""
    found: list[PlatformRecord] = []
    for event in events:
        for record_set in SETS_OF.get(type(event), ()):
            for body in _bodies(record_set, application, event):
                found.append(PlatformRecord(act, application.application_id, record_set, len(found), body))
    return found


def deliver_promised(gateway: Gateway, port: PlatformPort) -> int:
    """Hand over the oldest promises; how many. One that fails stays promised; two processes may hand over the same
    one, which the platform knows by its name."""
    with gateway.ledger.reading() as tx:
        waiting = outbox.undelivered(tx, DELIVERED_AT_ONCE)
    if waiting:
        port.deliver([record for _, record in waiting])
        with gateway.ledger.transaction() as tx:
            outbox.delivered(tx, [number for number, _ in waiting], gateway.clock())
    return len(waiting)


def _bodies(record_set: str, application: Application, event: Event) -> list[dict[str, Any]]:
    case = {"receipt_no": application.receipt_no, "item_id": application.item_id, "site": application.site}
    plain = event_to_plain(event)
    step = {"at": plain["at"], "event": event.code, "role": str(event.by.role), "node": event.by.node_id}
    if record_set == MATERIAL and isinstance(event, happened.Collected | happened.Supplemented):
        pages: dict[str, list[str]] = {}
        for scan in event.scans:
            pages.setdefault(scan.material_id, []).append(scan.scan_hash)
        return [
            case
            | step
            | {"material_id": one.material_id, "seen": str(one.seen), "scans": pages.get(one.material_id, [])}
            for one in event.handed_in
        ]
    if record_set == ACCEPTANCE:
        who = application.applicant
        return [case | step | {"applicant": who.name, "id_type": who.id_type, "id_no": who.id_no, "phone": who.phone}]
    if record_set == RESULT:
        ruling = application.decision
        told = (
            {"granted": ruling.granted, "document_name": ruling.document_name, "document_no": ruling.document_no}
            if ruling
            else {}
        )
        return [case | step | told]
    said = {
        key: value for key, value in plain.items() if key in {"kind", "reason", "basis", "days", "pauses_clock", "to"}
    }
    return [case | step | said]
