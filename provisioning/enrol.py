"""Enrolment: a bare folder becomes a node that the city knows.

Laws:
- The code names its gateway; a gateway whose key does not fit is refused before the secret leaves the machine.
- Safe to run again after a crash at any step: keys and nonce are kept before they are sent, so that the same request
  goes out again, which the gateway answers with the same document although its code is used. The node file is written
  last; before it exists there is no node.
- The document is believed only if the gateway of the code signed it and it names exactly this machine's keys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from offline_store.desk import state
from offline_store.desk.database import Desk
from offline_store.errors import NodeFileMissing
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file, write_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from provisioning.door import Door
from provisioning.errors import EnrolledElsewhere, WrongDocument, WrongRole
from provisioning.node_keys import MachineKeys, Randomness, load_or_make_keys, open_or_make_desk
from wire.enrolment import (
    Code,
    EnrolmentDocument,
    EnrolmentRequest,
    GatewayCard,
    read_code,
    read_enrolment,
    secret_digest,
)
from wire.errors import WrongGateway

NONCE_BYTES = 16
ASKED = "enrolment.asked"


def enrol(
    *,
    paths: NodePaths,
    door: Door,
    code_text: str,
    role: str | None,
    machine: bytes,
    randomness: Randomness,
    now: Callable[[], datetime],
) -> EnrolmentDocument:
    """Enrol this folder; returns what the city says the node is."""
    code = read_code(code_text)
    known = _already(paths, code)
    if known is not None:
        return known
    card = door.card(code)
    _folders(paths)
    with open_or_make_desk(paths, machine, card.sealing_publics[0], randomness) as desk:
        keys = load_or_make_keys(paths, desk, randomness, now())
        request = EnrolmentRequest.make(
            code=code,
            identity=keys.identity,
            sealing=keys.sealing.public,
            transport=keys.transport.public,
            nonce=_nonce(desk, code, randomness),
        )
        signed = door.ask(request, card)
        document = read_enrolment(signed, card.signing_public)
        _must_be_ours(document, keys, role)
        _pin(desk, card)
    write_node_file(paths.enrolment, signed)
    return document


def _already(paths: NodePaths, code: Code) -> EnrolmentDocument | None:
    try:
        document = read_node_file(paths.enrolment)
    except NodeFileMissing:
        return None
    try:
        code.check_gateway(document.gateway.signing_public)
    except WrongGateway as other:
        raise EnrolledElsewhere(site=document.site) from other
    return document


def _folders(paths: NodePaths) -> None:
    """Every folder that two programs share, made now: afterwards each may write only where its unit lets it."""
    paths.create()
    Outgoing(paths.outgoing)
    Incoming(paths.incoming)
    Vault(paths.vault)


def _nonce(desk: Desk, code: Code, randomness: Randomness) -> str:
    """One nonce for each code, kept before it is sent: only the very same request gets a lost answer again."""
    name = f"{ASKED}.{secret_digest(code.secret).hex()}"
    with desk.transaction() as tx:
        kept = state.get(tx, name)
        if isinstance(kept, str):
            return kept
        fresh = randomness(NONCE_BYTES).hex()
        state.put(tx, name, fresh)
        return fresh


def _must_be_ours(document: EnrolmentDocument, keys: MachineKeys, role: str | None) -> None:
    ours = (keys.identity.public, keys.sealing.public, keys.transport.public)
    if (document.identity_public, document.sealing_public, document.transport_public) != ours:
        raise WrongDocument
    if role is not None and document.role != role:
        raise WrongRole(asked=role, issued=document.role)


def _pin(desk: Desk, card: GatewayCard) -> None:
    """From now on only this gateway's word counts, whatever the node file says."""
    with desk.transaction() as tx:
        state.pin_gateway(tx, card.signing_public)
