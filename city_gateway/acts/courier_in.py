"""Taking in a bundle that a carrier brought: the same exchange, proven by the bundle's own signature.

Laws:
- All or nothing. Signature, addressee, every part and the whole chain of its envelopes are checked before anything of
  it counts; its operations are then taken in by one transaction, and its pieces of scans settle behind it, each scan
  for itself: one that cannot be joined now waits at the city, and for the stick when it is read again.
- The carrier has no authority and needs none. A bundle that comes again finds everything known, and says so.
- A node whose earlier envelopes are missing here is told to make a new bundle, which begins where the city stands.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from city_gateway.acts import arrival
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.pieces import Arriving
from city_gateway.acts.receive import exchange
from city_gateway.errors import CourierGap, NodeUnknown
from city_gateway.ledger import carried, nodes
from city_gateway.ledger.carried import CarriedBundle
from city_gateway.ledger.journal import Road
from city_gateway.ledger.nodes import Node
from wire.audit_chain import Head, follow
from wire.bundle import MAIL, MAX_MAIL_BYTES, SCAN, Left, Part, UpInventory, bundle_id, claimed_node, read_mail, read_up
from wire.envelope import read_header
from wire.errors import ChainBroken, Tampered, TooLarge
from wire.messages import ExchangeHead, ExchangeRequest

LOG = logging.getLogger("city_gateway")
OpenPart = Callable[[int, Part], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a bundle, for the person or the relay that brought it."""

    node_id: str
    site_name: str
    number: int
    replayed: bool
    operations: int
    operations_new: int
    scans_whole: int
    scans_in_part: int
    left: Left


def take_in(gateway: Gateway, document: object, open_part: OpenPart, road: Road = Road.STICK) -> Taken:
    """Take a bundle in; `open_part` gives the bytes of a part by its place, and raises when they are not the signed
    ones."""
    name = bundle_id(document)
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, claimed_node(document))
        replayed = carried.known(tx, name)
    if node is None:
        raise NodeUnknown
    inventory = read_up(document, bytes(node.transport_public), gateway=gateway.keys.gateway_id)
    arriving = Arriving(gateway, node.node_id, name)
    try:
        arriving.begin(part for part in inventory.parts if part.kind == SCAN)
        envelopes = _checked_through(inventory, open_part, arriving)
        _follow_one_another(node, inventory, envelopes)
        new = _exchanged(gateway, node, inventory, envelopes, road)
        scans = arriving.settle()
    finally:
        arriving.drop()
    gateway.ledger.run(lambda tx: carried.remember(tx, _remembered(gateway, name, inventory)))
    whole = [scan_hash for scan_hash, is_whole in scans.items() if is_whole]
    arrival.share_scans(gateway, whole)
    return Taken(
        node_id=node.node_id,
        site_name=node.site_name,
        number=inventory.number,
        replayed=replayed,
        operations=len(envelopes),
        operations_new=new,
        scans_whole=len(whole),
        scans_in_part=len(scans) - len(whole),
        left=inventory.left,
    )


def _checked_through(inventory: UpInventory, open_part: OpenPart, arriving: Arriving) -> list[bytes]:
    """Read every part to its end: mail into memory, pieces onto the disk where they count for nothing yet."""
    mail: list[bytes] = []
    size = 0
    for place, part in enumerate(inventory.parts, start=1):
        if part.kind == SCAN:
            arriving.take(place, part, open_part(place, part))
            continue
        data = b"".join(open_part(place, part))
        if part.kind == MAIL:
            size += len(data)
            if size > MAX_MAIL_BYTES:
                raise TooLarge(MAX_MAIL_BYTES)
            mail.append(data)
    return read_mail(mail)


def _follow_one_another(node: Node, inventory: UpInventory, envelopes: Sequence[bytes]) -> None:
    """The envelopes are one piece of this node's chain, signed by it, from `first` to `last` as the inventory says."""
    if not envelopes:
        if inventory.first or inventory.last:
            raise Tampered("mail")
        return
    first = read_header(envelopes[0])
    head = Head(first.seq - 1, first.prev)
    try:
        for envelope in envelopes:
            head = follow(head, envelope, bytes(node.identity_public), node_id=bytes.fromhex(node.node_id))
    except ChainBroken:
        raise Tampered("mail") from None
    if (first.seq, head.seq, head.hash.hex()) != (inventory.first, inventory.last, inventory.head_hash):
        raise Tampered("mail")


def _exchanged(gateway: Gateway, node: Node, inventory: UpInventory, envelopes: list[bytes], road: Road) -> int:
    """The exchange without its answer, which `courier_out` makes; how many operations were new."""
    before = _mark(gateway, node.node_id)
    if inventory.first > before + 1:
        raise CourierGap(expected=before + 1, got=inventory.first)
    head = ExchangeHead(
        node=node.node_id,
        nonce=gateway.randomness(16).hex(),
        feed_cursor=0,
        feed_limit=0,
        report=inventory.report,
    )
    exchange(gateway, node.node_id, ExchangeRequest(head, tuple(envelopes)), road)
    return max(0, _mark(gateway, node.node_id) - before)


def _mark(gateway: Gateway, node_id: str) -> int:
    def read(tx: Connection) -> int:
        node = nodes.find(tx, node_id)
        return node.hwm if node else 0

    with gateway.ledger.reading() as tx:
        return read(tx)


def _remembered(gateway: Gateway, name: str, inventory: UpInventory) -> CarriedBundle:
    asked = inventory.model_copy(update={"parts": []}).model_dump(mode="json")
    return CarriedBundle(name, inventory.node, inventory.number, gateway.clock(), json.dumps(asked))
