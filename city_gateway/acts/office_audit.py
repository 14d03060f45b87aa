"""The city's own audit: who of the office opened, ruled, exported, when, on which application.

Laws
- An entry is committed before what it tells of is shown, and with the ruling it tells of; what cannot be kept is not
  shown and not ruled.
- Each entry is signed by the gateway and names the hash of the one before it, like a node's journal: one that was
  changed, left out or put in between breaks the chain at its number.
- What was cut off at the end shows only against a head that somebody noted elsewhere; a backup holds one, too.
- No personal data of an applicant: an application is named by its id, a page of its papers by its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from casework.application import Role
from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.errors import AuditBroken
from city_gateway.ledger import office_audit
from city_gateway.ledger.office import OfficeClerk
from city_gateway.ledger.office_audit import AuditRow
from wire.canonical import canonical_json, unb64
from wire.errors import WireError
from wire.signed import read_document, sign_document

LABEL = "office-audit"
GENESIS = "0" * 64


class OfficeAct(StrEnum):
    """What was done."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    OPENED = "opened"
    SCAN_OPENED = "scan_opened"
    RULED = "ruled"
    EXPORTED = "exported"
    HISTORY_READ = "history_read"
    RECOVERY_ANSWERED = "recovery_answered"
    RECOVERY_REFUSED = "recovery_refused"


@dataclass(frozen=True, slots=True)
class ChainHead:
    """How far a chain was found whole."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash[:16]}"


def note(
    gateway: Gateway,
    tx: Connection,
    clerk: OfficeClerk,
    act: OfficeAct,
    application_id: str | None = None,
    about: str = "",
) -> None:
    """Add an entry in the caller's transaction, as the last thing that it does."""
    before = office_audit.last(tx)
    seq = before.seq + 1 if before else 1
    at = gateway.clock()
    said: dict[str, object] = {
        "v": 1,
        "gateway": gateway.keys.gateway_id,
        "epoch": gateway.ledger.epoch,
        "seq": seq,
        "prev": _hash(before.document) if before else GENESIS,
        "at": at.isoformat(),
        "clerk": clerk.clerk_id,
        "role": clerk.role,
        "department": clerk.department,
        "region": clerk.region,
        "act": act.value,
        "application": application_id,
        "about": about,
    }
    document = canonical_json(sign_document(LABEL, said, gateway.keys.signing)).decode()
    office_audit.append(tx, AuditRow(seq, at, clerk.clerk_id, act.value, application_id, about, document))


def at_the_machine(person: str) -> OfficeClerk:
    """Who does something by a command on the gateway's machine, as that person says; for `note`."""
    return OfficeClerk(person, "", "", CITY_REGION, Role.ADMINISTRATOR.value, "", 0, None)


def noted(
    gateway: Gateway, clerk: OfficeClerk, act: OfficeAct, application_id: str | None = None, about: str = ""
) -> None:
    """Keep an entry of its own before anything is shown."""
    gateway.ledger.run(lambda tx: note(gateway, tx, clerk, act, application_id, about))


def history(gateway: Gateway, application_id: str) -> list[AuditRow]:
    """Who had to do with one application."""
    with gateway.ledger.reading() as tx:
        return office_audit.of_application(tx, application_id)


def department_of(row: AuditRow) -> str:
    """The department that the person stood for at that moment, as the entry says."""
    return str(json.loads(unb64(json.loads(row.document)["payload"]))["department"])


def verified(rows: Iterable[AuditRow], signing_public: bytes, *, noted_head: ChainHead | None = None) -> ChainHead:
    """The head of a whole chain, or AuditBroken with the number at which it breaks."""
    head = ChainHead(0, GENESIS)
    met = noted_head is None or noted_head.seq == 0
    for row in rows:
        said = _said(row, signing_public)
        expected = head.seq + 1
        if (row.seq, said.get("seq")) != (expected, expected):
            raise AuditBroken(seq=expected, why="gap")
        if said.get("prev") != head.hash:
            raise AuditBroken(seq=row.seq, why="prev")
        if _columns(row) != _columns_said(said):
            raise AuditBroken(seq=row.seq, why="columns")
        head = ChainHead(row.seq, _hash(row.document))
        if noted_head is not None and row.seq == noted_head.seq:
            met = head.hash.startswith(noted_head.hash)
            if not met:
                raise AuditBroken(seq=row.seq, why="noted")
    if not met and noted_head is not None:
        raise AuditBroken(seq=head.seq + 1, why="cut")
    return head


def _said(row: AuditRow, signing_public: bytes) -> dict[str, Any]:
    try:
        return read_document(LABEL, json.loads(row.document), signing_public)
    except (WireError, ValueError):
        raise AuditBroken(seq=row.seq, why="signature") from None


def _columns(row: AuditRow) -> tuple[datetime, str, str, str | None, str]:
    return row.at, row.clerk_id, row.act, row.application_id, row.about


def _columns_said(said: dict[str, Any]) -> tuple[datetime, str, str, str | None, str]:
    return datetime.fromisoformat(said["at"]), said["clerk"], said["act"], said["application"], said["about"]


def _hash(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
