"""The answer to a bundle: signed receipt, what the node has not read of its feed, the catalog, scans it asked for.

Laws: it is made from what the ledger holds now and from what the node's newest bundle asked; made again, it says the
same or more. The receipt answers no question that is open (`wire.receipt.CARRIED`): nobody knows how old it is when it
is read. Only scans that the node may fetch over the line go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from city_gateway.acts import lost_scans, pieces, renewal, scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.reading_scans import readable_scan
from city_gateway.acts.receive import LAST_POSSIBLE, parted
from city_gateway.errors import EnrolmentOver, Forked, GatewayError, NodeStopped, NodeUnknown
from city_gateway.ledger import carried, feeds, nodes
from city_gateway.ledger.nodes import Node
from city_gateway.wording import say
from wire.bundle import (
    CATALOG,
    MAIL,
    SCAN,
    DownInventory,
    Part,
    UpInventory,
    catalog_part,
    mail_parts,
    part_of,
    sign_down,
)
from wire.errors import FORK
from wire.messages import ExchangeHead, Refusal, sign_refusal
from wire.receipt import CARRIED, Receipt, page_hash, sign_receipt
from wire.signed import SignedDocument, validated

FEED_BYTES = 16 * 1024 * 1024
FEED_ENTRIES = 10_000

Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A bundle for one node, ready to be laid down."""

    node_id: str
    site_name: str
    document: SignedDocument
    parts: list[tuple[Part, Chunks]]
    feed: int
    feed_more: bool
    catalog_version: int | None
    scans: int
    refused: str | None = None
    """The code of the refusal that this is, in place of a receipt."""


def answer_for(gateway: Gateway, node_id: str, *, most_bytes: int, most_feed: int = FEED_BYTES) -> Answer:
    """The bundle for this node; scans and catalog are left out as far as there is no room for them."""
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, node_id)
        if node is None:
            raise NodeUnknown
        newest = carried.newest(tx, node_id)
        error = _refused(tx, node, gateway.clock())
        if error is not None:
            return _refusal(gateway, node, error, newest.number if newest else 0)
        asked = validated(UpInventory, newest.asked.encode(), "bundle") if newest else _nothing_asked(gateway, node_id)
        cursor = min(asked.feed_cursor, LAST_POSSIBLE)
        page, feed_head, feed_more = feeds.page(
            tx, node_id, after=cursor, limit=FEED_ENTRIES, max_bytes=min(most_feed, most_bytes)
        )
        if parted(tx, _as_exchange(asked)):
            page, feed_head, feed_more = [], 0, False
        again = lost_scans.sent_again(gateway, tx, node.site)
    renewed = gateway.ledger.run(lambda tx: renewal.renewed(gateway, tx, node, _as_exchange(asked), gateway.clock()))
    pieces.join_lying(gateway, node_id, asked.scans_asking)
    receipt = Receipt(
        gateway=gateway.keys.gateway_id,
        epoch=gateway.ledger.epoch,
        node=node_id,
        hwm=node.hwm,
        head_hash=bytes(node.head_hash).hex(),
        stable_hwm=node.stable_hwm,
        server_time=gateway.clock(),
        nonce=CARRIED,
        feed_head=feed_head,
        feed_more=feed_more,
        epochs_left=list(gateway.ledger.epochs_left),
        page_hash=page_hash(page),
        scans_stored=scan_shelf.stored_as_far_as_known(gateway, asked.scans_asking),
        scans_again=again,
        renewal=renewed,
    )
    parts = [(part_of(MAIL, data), _of_bytes(data)) for data in mail_parts(page)]
    room = most_bytes - sum(part.length for part, _ in parts)
    version, catalog = _catalog(gateway, node.region[:6], asked, room)
    parts += catalog
    room -= sum(part.length for part, _ in catalog)
    scans = list(_scans(gateway, node_id, asked, room))
    inventory = DownInventory(
        gateway=gateway.keys.gateway_id,
        node=node_id,
        answers=newest.number if newest else 0,
        made_at=gateway.clock(),
        receipt=sign_receipt(receipt, gateway.keys.signing),
        transport=bytes(node.transport_public),
        feed_first=cursor + 1,
        scans_held=_held(gateway, node_id, asked, set(receipt.scans_stored)),
        catalog_version=version,
        parts=[part for part, _ in [*parts, *scans]],
    )
    return Answer(
        node_id=node_id,
        site_name=node.site_name,
        document=sign_down(inventory, gateway.keys.signing),
        parts=[*parts, *scans],
        feed=len(page),
        feed_more=feed_more,
        catalog_version=version,
        scans=len(scans),
    )


def _refused(tx: Connection, node: Node, now: datetime) -> type[GatewayError] | None:
    """Why this identity is not spoken with any more; by every road the same."""
    if node.standing != nodes.ACTIVE:
        return Forked if node.stopped_for == FORK else NodeStopped
    return EnrolmentOver if renewal.is_over(tx, node, now) else None


def _refusal(gateway: Gateway, node: Node, error: type[GatewayError], answers: int) -> Answer:
    """What a node with which the city does not speak any more must be told, in place of a receipt."""
    refusal = Refusal(
        code=error.code,
        message=say(f"error.{error.code}"),
        node=node.node_id,
        nonce=CARRIED,
        server_time=gateway.clock(),
    )
    inventory = DownInventory(
        gateway=gateway.keys.gateway_id,
        node=node.node_id,
        answers=answers,
        made_at=gateway.clock(),
        refusal=sign_refusal(refusal, gateway.keys.signing),
        feed_first=1,
    )
    return Answer(
        node_id=node.node_id,
        site_name=node.site_name,
        document=sign_down(inventory, gateway.keys.signing),
        parts=[],
        feed=0,
        feed_more=False,
        catalog_version=None,
        scans=0,
        refused=error.code,
    )


def _nothing_asked(gateway: Gateway, node_id: str) -> UpInventory:
    """A node that never sent a bundle gets its feed from the beginning and the whole catalog."""
    return UpInventory(node=node_id, gateway=gateway.keys.gateway_id, number=1, made_at=gateway.clock(), feed_cursor=0)


def _as_exchange(asked: UpInventory) -> ExchangeHead:
    return ExchangeHead(
        node=asked.node,
        nonce=CARRIED,
        feed_cursor=asked.feed_cursor,
        feed_hash=asked.feed_hash,
        enrolled_until=asked.enrolled_until,
    )


def _held(gateway: Gateway, node_id: str, asked: UpInventory, whole: set[str]) -> dict[str, int]:
    waiting = [name for name in asked.scans_asking if name not in whole]
    return {name: offset for name in waiting if (offset := pieces.held(gateway, node_id, name))}


def _catalog(
    gateway: Gateway, county: str, asked: UpInventory, room: int
) -> tuple[int | None, list[tuple[Part, Chunks]]]:
    release = gateway.carried_catalog(county, asked.catalog_held)
    if release is None or not release.files:
        return None, []
    data = catalog_part(release.files)
    if len(data) > room:
        return None, []
    return release.version, [(part_of(CATALOG, data), _of_bytes(data))]


def _scans(gateway: Gateway, node_id: str, asked: UpInventory, room: int) -> Iterator[tuple[Part, Chunks]]:
    """Whole scans that this node waits for and may read, as many as fit; the name of a scan is its hash."""
    for scan_hash in asked.scans_wanted:
        try:
            length = readable_scan(gateway, node_id, scan_hash)
            lost_scans.require_sound(gateway, scan_hash)
        except (GatewayError, OSError):
            continue
        if length > room:
            continue
        room -= length
        part = Part(kind=SCAN, length=length, hash=scan_hash, scan=scan_hash, total=length)
        yield part, partial(gateway.scans.pieces, scan_hash)


def _of_bytes(data: bytes) -> Chunks:
    return lambda: iter([data])
