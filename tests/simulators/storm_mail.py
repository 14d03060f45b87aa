"""What the nodes of a reconnect storm have sealed while the line was down: made before any clock is started.

Each village has a journal of operations: applications, and at the end a proxy that stops and goes on, because these can
be applied twice without being refused, so that a repeated effect would be seen. Of some villages the machine was
swapped: the same operations, with unchanged op_ids, are chained anew under a second identity.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any, cast

from city_gateway.acts.enrol import card, enrol, issue_code
from city_gateway.acts.gateway import Gateway
from tests.city_gateway.gateway_fixtures import City, EnrolledNode
from wire.enrolment import EnrolmentDocument, EnrolmentRequest, read_card, read_code, read_enrolment, seal_request
from wire.keys import SealingKey, SigningKey
from wire.messages import Operation

VILLAGES_OF_A_TOWNSHIP = 30
SWAPPED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Machine:
    """An enrolled identity: its document and its keys."""

    document: EnrolmentDocument
    identity: bytes
    sealing: bytes
    transport: bytes

    def node(self) -> EnrolledNode:
        """As the other tests know it, at the machine's own time."""
        clock = SimpleNamespace(clock=lambda: datetime.now(UTC))
        return EnrolledNode(
            cast("City", clock),
            self.document,
            SigningKey.from_bytes(self.identity),
            SealingKey.from_bytes(self.sealing),
            SigningKey.from_bytes(self.transport),
        )


@dataclass(slots=True)
class Mail:
    """One identity and what lies in its mailbox; `swapped` is the identity that follows it."""

    machine: Machine
    envelopes: list[bytes] = field(default_factory=list)
    op_ids: list[str] = field(default_factory=list)
    swapped: Mail | None = None


def enrol_machine(gateway: Gateway, role: str, site: str) -> Machine:
    """Through the real act, with a real code."""
    code = read_code(
        issue_code(
            gateway.ledger,
            gateway.keys,
            role=role,
            site=site,
            site_name="演练站",
            now=gateway.clock(),
            lifetime=timedelta(hours=1),
            randomness=os.urandom,
        )
    )
    identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    request = EnrolmentRequest.make(
        code=code, identity=identity, sealing=sealing.public, transport=transport.public, nonce=os.urandom(16).hex()
    )
    sealed = seal_request(request, read_card(card(gateway), code).sealing_publics[0])
    document = read_enrolment(enrol(gateway, sealed), gateway.keys.signing.public)
    return Machine(document, identity.to_bytes(), sealing.to_bytes(), transport.to_bytes())


def prepare(gateway: Gateway, villages: int, operations: int, *, processes: int = 1) -> tuple[list[Mail], list[Mail]]:
    """Villages with their mail, and the townships that will read of it."""
    townships = [f"5116{number // 90 + 3:02d}{number % 90 + 100:03d}" for number in range(-(-villages // 30))]
    readers = [Mail(enrol_machine(gateway, "township", f"{one}000")) for one in townships]
    mails = []
    for number in range(villages):
        site = f"{townships[number // VILLAGES_OF_A_TOWNSHIP]}{number % VILLAGES_OF_A_TOWNSHIP + 201:03d}"
        mail = Mail(enrol_machine(gateway, "village", site))
        if number % SWAPPED_EVERY == SWAPPED_EVERY - 1:
            mail.swapped = Mail(enrol_machine(gateway, "village", site))
        mails.append(mail)
    if processes == 1:
        return [_sealed(mail, operations) for mail in mails], readers
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_sealed, mails, [operations] * len(mails), chunksize=20)), readers


def _sealed(mail: Mail, operations: int) -> Mail:
    """Fill a mailbox, and that of the machine which replaces it."""
    node = mail.machine.node()
    said = [_operation(node, number, operations) for number in range(operations)]
    first = str(said[0].application_id)
    for number in range(max(1, operations - 2), operations):
        code = "proxy_suspended" if number == max(1, operations - 2) else "proxy_resumed"
        said[number] = node.operation(node.event(code, reason="演练"), application_id=first)
    mail.op_ids = [one.op_id for one in said]
    mail.envelopes = _chained(node, said)
    if mail.swapped is not None:
        mail.swapped.op_ids = mail.op_ids
        mail.swapped.envelopes = _chained(mail.swapped.machine.node(), said)
    return mail


def _operation(node: EnrolledNode, number: int, operations: int) -> Operation:
    event = node.collected(receipt_no=f"{node.document.site}-20261123-{number + 1:04d}-K")
    return node.operation(event, application_id=os.urandom(16).hex())


def _chained(node: EnrolledNode, said: Sequence[Operation]) -> list[bytes]:
    return [node.seal(one) for one in said]


def all_op_ids(mails: Sequence[Mail]) -> dict[str, Any]:
    """Every operation that a screen called saved, and whose it is."""
    return {op_id: mail for mail in mails for op_id in mail.op_ids}
