"""Enrolling anew: a machine that was cloned, set back or stopped gets another identity and loses nothing.

Laws
- Runs while edge_node is stopped. The code comes from the city, for the same site and role, from the same gateway.
- New keys and nonce are kept before they are sent, so that a run after a crash sends the very same request and gets
  the same document. Nothing of the node changes before the document is here and proven.
- One desk transaction switches over: the old chain is filed, what is not safe at the city is sealed again under the
  new identity with unchanged op_id and body and waits for its answer again, the marks and the feed begin anew, the
  stop is lifted.
- After it come only files, each safe to repeat, the node file last; until it is there edge_node refuses to start and
  running again finishes. Drafts, scans, people, catalog, receipt numbers and the serial numbers of the day stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.receipt_numbers import lane_of
from offline_store.desk import answering, applications, catalog, feed, keys, rechaining, state
from offline_store.desk.database import Desk, Transaction
from offline_store.desk.journal import Link
from offline_store.desk.keyring import Opener
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file, write_node_file
from offline_store.paths import NodePaths
from offline_store.placing import place
from provisioning.door import Door
from provisioning.errors import EnrolledElsewhere, WrongDocument, WrongRole, WrongSite
from provisioning.node_keys import TRANSPORT_KEY_MODE, MachineKeys, Randomness, open_node_desk
from wire.audit_chain import Head
from wire.canonical import b64, unb64
from wire.enrolment import (
    Code,
    EnrolmentDocument,
    EnrolmentRequest,
    read_code,
    read_enrolment,
    secret_digest,
)
from wire.envelope import NO_DICTIONARY, Kind, seal
from wire.errors import WrongGateway
from wire.keys import SealingKey, SigningKey
from wire.signed import SignedDocument

NONCE_BYTES = 16
UNDER_WAY = "re-enrolment"
LAST = "re-enrolment.last"
FORMER = "identity.former"


@dataclass(frozen=True, slots=True)
class ReEnrolled:
    """What the machine now is, and how many entries of its journal go on under the new identity."""

    document: EnrolmentDocument
    renewed: int
    filed: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was kept before it was sent: the keys to be, and the nonce."""

    keys: MachineKeys
    nonce: str


def re_enrol(
    *,
    paths: NodePaths,
    code_text: str,
    door: Door,
    machine: Opener,
    randomness: Randomness,
    now: Callable[[], datetime],
) -> ReEnrolled:
    """Give this machine a new identity, or finish what an interrupted run began."""
    code = read_code(code_text)
    before = read_node_file(paths.enrolment)
    with open_node_desk(paths, machine) as desk:
        with desk.reading() as tx:
            pinned, begun, last = state.pinned_gateway(tx), state.get(tx, UNDER_WAY), state.get(tx, LAST)
        _must_be_its_gateway(code, before, pinned)
        if last is not None and last["code"] == _digest(code) and last["node"] == before.node_id:
            return ReEnrolled(before, last["renewed"], last["filed"])
        if begun is None or "document" not in begun:
            signed, asked = _new_document(desk, code, door, before, randomness)
            _switch_over(desk, before, signed, asked, code, randomness, now())
        return _finish(paths, desk)


def finish_if_begun(paths: NodePaths, desk: Desk) -> None:
    """Finish what an interrupted run began, where the desk has switched over already and only files are missing."""
    with desk.reading() as tx:
        begun = state.get(tx, UNDER_WAY)
    if begun is not None and "document" in begun:
        _finish(paths, desk)


def _must_be_its_gateway(code: Code, node: EnrolmentDocument, pinned: bytes | None) -> None:
    try:
        code.check_gateway(pinned or node.gateway.signing_public)
    except WrongGateway as other:
        raise EnrolledElsewhere(site=node.site) from other


def _new_document(
    desk: Desk, code: Code, door: Door, before: EnrolmentDocument, randomness: Randomness
) -> tuple[SignedDocument, _Asked]:
    card = door.card(code)
    asked = _asked(desk, code, randomness)
    request = EnrolmentRequest.make(
        code=code,
        identity=asked.keys.identity,
        sealing=asked.keys.sealing.public,
        transport=asked.keys.transport.public,
        nonce=asked.nonce,
        replaces=before.node_id,
    )
    signed = door.ask(request, card)
    _must_fit(read_enrolment(signed, card.signing_public), asked.keys, before)
    return signed, asked


def _asked(desk: Desk, code: Code, randomness: Randomness) -> _Asked:
    """One set of keys and one nonce for each code: only the very same request gets a lost answer again."""
    with desk.transaction() as tx:
        kept = state.get(tx, UNDER_WAY)
        if kept is None or kept["code"] != _digest(code):
            kept = {
                "code": _digest(code),
                "identity": b64(SigningKey.generate(randomness).to_bytes()),
                "sealing": b64(SealingKey.generate(randomness).to_bytes()),
                "transport": b64(SigningKey.generate(randomness).to_bytes()),
                "nonce": randomness(NONCE_BYTES).hex(),
            }
            state.put(tx, UNDER_WAY, kept)
    return _Asked(_keys_in(kept), kept["nonce"])


def _keys_in(kept: Mapping[str, Any]) -> MachineKeys:
    return MachineKeys(
        SigningKey.from_bytes(unb64(kept["identity"])),
        SealingKey.from_bytes(unb64(kept["sealing"])),
        SigningKey.from_bytes(unb64(kept["transport"])),
    )


def _must_fit(document: EnrolmentDocument, own: MachineKeys, before: EnrolmentDocument) -> None:
    if (document.identity_public, document.sealing_public, document.transport_public) != (
        own.identity.public,
        own.sealing.public,
        own.transport.public,
    ):
        raise WrongDocument
    if document.role != before.role:
        raise WrongRole(asked=before.role, issued=document.role)
    if document.site != before.site:
        raise WrongSite(asked=before.site, issued=document.site)


def _switch_over(
    desk: Desk,
    before: EnrolmentDocument,
    signed: SignedDocument,
    asked: _Asked,
    code: Code,
    randomness: Randomness,
    now: datetime,
) -> None:
    """The one transaction before which this machine is the old node and after which it is the new one."""
    with desk.transaction() as tx:
        document = read_enrolment(signed, before.gateway.signing_public)
        marks = state.marks(tx)
        stable = marks.stable_hwm if marks is not None else 0
        answering.await_again_after(tx, stable, 0)
        done = rechaining.rechain(
            tx,
            old_node=before.node_id,
            stable=stable,
            seal=_sealer(tx, document, asked.keys.identity, randomness),
        )
        keys.keep(tx, asked.keys.identity, asked.keys.sealing, now)
        feed.begin_anew(tx, document.node_id)
        state.begin_marks_anew(tx)
        applications.saved_here_again(tx)
        former = [*(state.get(tx, FORMER) or ()), _former(before, state.get(tx, state.STOPPED), now)]
        state.put(tx, FORMER, former)
        state.put(tx, state.STOPPED, None)
        state.put(tx, state.SERIAL_LANE, lane_of(document.node_id))
        kept = {"code": _digest(code), "node": document.node_id, "renewed": done.renewed, "filed": done.filed}
        state.put(tx, UNDER_WAY, {**kept, "transport": b64(asked.keys.transport.to_bytes()), "document": dict(signed)})


def _sealer(
    tx: Transaction, document: EnrolmentDocument, identity: SigningKey, randomness: Randomness
) -> rechaining.Seal:
    known = catalog.dictionaries(tx)
    dictionary = known[max(known)] if known else NO_DICTIONARY

    def sealed(head: Head, link: Link) -> bytes:
        return seal(
            kind=Kind[link.kind.upper()],
            node_id=bytes.fromhex(document.node_id),
            seq=head.seq + 1,
            prev=head.hash,
            op_id=bytes.fromhex(link.op_id),
            body=link.body,
            recipients=document.gateway.sealing_publics[:1],
            signer=identity,
            dictionary=dictionary,
            randomness=randomness,
        )

    return sealed


def _former(before: EnrolmentDocument, stopped: object, now: datetime) -> dict[str, Any]:
    """What an auditor of the filed chain needs: whose it was, and by which key it is proven."""
    return {
        "node": before.node_id,
        "identity": b64(before.identity_public),
        "stopped": stopped,
        "until": now.isoformat(),
    }


def _finish(paths: NodePaths, desk: Desk) -> ReEnrolled:
    """The files, each safe to repeat; the node file last, for by it the programs know who they are."""
    with desk.reading() as tx:
        begun = state.get(tx, UNDER_WAY)
    outgoing = Outgoing(paths.outgoing)
    _set_aside_unknown(paths, desk, outgoing)
    outgoing.clear_envelopes()
    outgoing.remove_facts()
    Incoming(paths.incoming).clear_words()
    place(paths.transport_key, unb64(begun["transport"]), mode=TRANSPORT_KEY_MODE)
    write_node_file(paths.enrolment, begun["document"])
    with desk.transaction() as tx:
        state.put(tx, LAST, {name: begun[name] for name in ("code", "node", "renewed", "filed")})
        state.put(tx, UNDER_WAY, None)
    return ReEnrolled(read_node_file(paths.enrolment), begun["renewed"], begun["filed"])


def _set_aside_unknown(paths: NodePaths, desk: Desk, outgoing: Outgoing) -> None:
    """Mail that this desk never wrote (it was set back, the mail was not) is kept: the city alone can open it."""
    with desk.reading() as tx:
        filed = rechaining.archived_hashes(tx)
    for _, path in outgoing.envelopes():
        data = path.read_bytes()
        name = hashlib.sha256(data)
        if name.digest() not in filed:
            paths.set_aside.mkdir(mode=0o700, exist_ok=True)
            place(paths.set_aside / f"{name.hexdigest()}.env", data)


def _digest(code: Code) -> str:
    return secret_digest(code.secret).hex()
