"""Enrolment: from a one-time code to a signed document that says what a node is.

Laws: the ledger keeps a keyed hash of the code's digest; the first request that presents the code uses it up, and
only that same request, sent again because the answer was lost, gets the same document; which of unknown, expired and
used it was is not told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from casework.identifiers import TOWNSHIP, VILLAGE, is_region_code, region_at, region_level
from casework.receipt_numbers import LANES, lane_of
from city_gateway.acts.catch_up import catch_up
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import CodeRefused, RegionRefused
from city_gateway.keys import GatewayKeys
from city_gateway.ledger import enrolments, nodes, served_days
from city_gateway.ledger.database import Ledger
from city_gateway.ledger.enrolments import EnrolmentCode
from city_gateway.ledger.nodes import Node
from wire.audit_chain import GENESIS
from wire.canonical import canonical_json
from wire.enrolment import (
    EnrolmentDocument,
    EnrolmentRequest,
    GatewayCard,
    GatewayIdentity,
    make_code,
    new_secret,
    open_request,
    secret_digest,
    sign_card,
    sign_enrolment,
)
from wire.errors import FORK, NotForThisKey
from wire.fields import NodeRole
from wire.practice import is_practice
from wire.signed import SignedDocument

VALID_FOR = timedelta(days=730)
LEVEL_OF = {NodeRole.VILLAGE: VILLAGE, NodeRole.TOWNSHIP: TOWNSHIP}


def issue_code(
    ledger: Ledger,
    keys: GatewayKeys,
    *,
    role: str,
    site: str,
    site_name: str,
    now: datetime,
    lifetime: timedelta,
    randomness: Callable[[int], bytes],
) -> str:
    """A new code for a machine that is to stand at `site`; it is shown once and kept nowhere."""
    is_place = is_region_code(site) and not is_practice(site)
    if role not in LEVEL_OF or not is_place or region_level(site) != LEVEL_OF[NodeRole(role)]:
        raise RegionRefused(role=role, site=site)
    secret = new_secret(randomness)
    code = EnrolmentCode(_mac(keys, secret), NodeRole(role), site, site_name, now, now + lifetime)
    with ledger.transaction() as tx:
        enrolments.issue(tx, code)
    return make_code(secret, keys.signing.public)


def card(gateway: Gateway) -> SignedDocument:
    """What the gateway says of itself before enrolment."""
    return sign_card(GatewayCard(**identity_of(gateway).model_dump()), gateway.keys.signing)


def enrol(gateway: Gateway, sealed_request: bytes) -> SignedDocument:
    """Make a node of the machine that presents a valid code."""
    request = _opened(gateway, sealed_request)
    now = gateway.clock()
    request_hash = hashlib.sha256(canonical_json(request.model_dump(mode="json"))).hexdigest()

    def act(tx: Connection) -> tuple[SignedDocument, set[str]]:
        gateway.ledger.readers_change(tx)
        code = enrolments.find(tx, _mac(gateway.keys, request.code))
        if code is None:
            raise CodeRefused
        if code.request_hash is not None and code.document is not None:
            if not hmac.compare_digest(code.request_hash, request_hash):
                raise CodeRefused
            return json.loads(code.document), set()
        if code.expires_at < now:
            raise CodeRefused
        document = _document(gateway, tx, request, code, now)
        signed = sign_enrolment(document, gateway.keys.signing)
        used = enrolments.use(
            tx,
            code.code_mac,
            node_id=document.node_id,
            request_hash=request_hash,
            document=canonical_json(signed).decode(),
            now=now,
        )
        if not used:
            raise CodeRefused
        node = _node(document, now, served_days.number_of(tx, now.date()))
        _stop_replaced(tx, request.replaces, code)
        nodes.enrol(tx, node)
        return signed, catch_up(gateway, tx, node)

    signed, news = gateway.ledger.run(act)
    gateway.news(news)
    return signed


def _stop_replaced(tx: Connection, node_id: str | None, code: EnrolmentCode) -> None:
    """The identity this machine had before speaks no more; whoever still uses it (its clone) is told that it forked.
    The code was issued for this site and role, so no other counter can be stopped by it."""
    former = nodes.find(tx, node_id) if node_id is not None else None
    if former is None or (former.site, former.role) != (code.site, code.role):
        return
    if former.standing == nodes.ACTIVE:
        nodes.stop(tx, former.node_id, FORK)


def _opened(gateway: Gateway, sealed_request: bytes) -> EnrolmentRequest:
    """The request; another process may have shown a card with a key that was rotated in since this one began."""
    try:
        return open_request(sealed_request, *gateway.keys.sealing)
    except NotForThisKey:
        if not gateway.keys.look_again():
            raise
        return open_request(sealed_request, *gateway.keys.sealing)


def _mac(keys: GatewayKeys, secret: str) -> str:
    return hmac.digest(keys.signing.to_bytes(), b"enrolment-code\0" + secret_digest(secret), "sha256").hex()


def identity_of(gateway: Gateway) -> GatewayIdentity:
    """How this gateway is known now: its sealing keys, the newest first."""
    sealing = [key.public for key in reversed(gateway.keys.sealing)]
    return GatewayIdentity(
        id=gateway.keys.gateway_id, signing_public=gateway.keys.signing.public, sealing_publics=sealing
    )


def _new_node_id(gateway: Gateway, tx: Connection, site: str) -> str:
    """A number by which no two machines that were ever enrolled at a site count their receipts in one lane, as long as
    there are lanes."""
    taken = {lane_of(one) for one in nodes.ever_at(tx, site)}
    node_id = gateway.randomness(16)
    for step in range(LANES):
        apart = ((int.from_bytes(node_id) + step) % 2**128).to_bytes(16)
        if lane_of(apart.hex()) not in taken:
            return apart.hex()
    return node_id.hex()


def _document(
    gateway: Gateway, tx: Connection, request: EnrolmentRequest, code: EnrolmentCode, now: datetime
) -> EnrolmentDocument:
    return EnrolmentDocument(
        node_id=_new_node_id(gateway, tx, code.site),
        site=code.site,
        site_name=code.site_name,
        role=code.role,
        region=code.site,
        township=region_at(code.site, TOWNSHIP),
        valid_from=now,
        valid_to=now + VALID_FOR,
        identity_public=request.identity_public,
        sealing_public=request.sealing_public,
        transport_public=request.transport_public,
        gateway=identity_of(gateway),
        gateway_url=gateway.public_url,
        tuf_root=gateway.first_root(),
        nonce=request.nonce,
    )


def _node(document: EnrolmentDocument, now: datetime, heard_on: int) -> Node:
    return Node(
        node_id=document.node_id,
        role=document.role,
        site=document.site,
        site_name=document.site_name,
        region=document.region,
        township=document.township,
        standing=nodes.ACTIVE,
        stopped_for=None,
        identity_public=document.identity_public,
        sealing_public=document.sealing_public,
        transport_public=document.transport_public,
        valid_from=document.valid_from,
        valid_to=document.valid_to,
        hwm=GENESIS.seq,
        head_hash=GENESIS.hash,
        stable_hwm=0,
        enrolled_at=now,
        last_contact=None,
        heard_on=heard_on,
        report=None,
    )
