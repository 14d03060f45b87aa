"""What became of a bundle that was checked: placed as one file, then laid out into the mailbox.

Laws:
- The receipt covers the feed, the feed is the gateway's, for this node, without holes; else nothing is kept.
- A checked bundle is placed whole in the courier's own folder and laid out from there; a power cut in between is made
  good at the next start.
- What a receipt says is done by the machine of `wire.exchange`, as an answer that came by another road. One that it
  does not believe (of an epoch that was left, or older) leaves everything as it is; that is told, it is no failure.
- Nothing is decided here: edge_node checks every signature again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from offline_store.errors import NO_ROOM, StoreError
from offline_store.paths import NodePaths
from offline_store.placing import place, take_away
from sync_agent.carried import remember, remembered
from sync_agent.errors import CourierBusy, CourierHalted
from sync_agent.inbound import feed_place
from sync_agent.memory import kept_exchange, remember_epochs
from sync_agent.packing import Sack
from wire.bundle import (
    CATALOG,
    MAIL,
    MAX_MAIL_BYTES,
    MAX_PART_BYTES,
    SCAN,
    DownInventory,
    open_body,
    read_catalog_part,
    read_down,
    read_mail,
    write_body,
)
from wire.envelope import Kind, verify
from wire.errors import MalformedMessage, Tampered, WireError, WronglyAddressed
from wire.exchange import Brought, DeliverFeed, Halt, KeepReceipt, NodeConsequence, NodeExchange, advance
from wire.judgement import Accepted
from wire.messages import read_refusal
from wire.receipt import CARRIED, Receipt, read_receipt

ARRIVED = "arrived.bundle"
LOCK = "courier.lock"
MAX_ARRIVED_BYTES = MAX_MAIL_BYTES + MAX_PART_BYTES
LATER = "later"


class News(StrEnum):
    """Whether a bundle says anything that was not known here."""

    NEW = "new"
    KNOWN = "known"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of one bundle."""

    news: News
    answers: int
    received: int
    feed: int
    scans: int
    catalog: str | None
    """`ok`, `later`, or the code by which the catalog was refused; None when there was none."""
    more: bool
    refused: str | None = None
    """The city's signed refusal of this node, by its code."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle every byte of which was compared with what the gateway signed."""

    inventory: DownInventory
    receipt: Receipt
    document: dict[str, str]
    feed: tuple[bytes, ...]
    catalog: tuple[bytes, ...]


@contextmanager
def alone(paths: NodePaths, now: Callable[[], datetime]) -> Iterator[Sack]:
    """This node's mail, with nobody else packing or reading a bundle of it; what a crash left out is made good."""
    sack = Sack.of(paths, now)
    descriptor = os.open(paths.agent_folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourierBusy from None
        make_good(sack)
        yield sack
    finally:
        os.close(descriptor)


def opened(sack: Sack, document: dict[str, Any]) -> DownInventory:
    """The inventory, proven to be the city's and for this node."""
    return read_down(document, sack.node.gateway.signing_public, node=sack.node.node_id)


def proven(sack: Sack, inventory: DownInventory, small: list[bytes]) -> Checked:
    """The receipt over its feed; `small` are all parts but scans."""
    mail, catalog = _by_kind(inventory, MAIL, small), _by_kind(inventory, CATALOG, small)
    public = sack.node.gateway.signing_public
    feed = read_mail(mail)
    if inventory.receipt is None:
        raise MalformedMessage("bundle", "receipt")
    receipt = read_receipt(inventory.receipt, public, node=sack.node.node_id, nonce=CARRIED, feed=feed)
    for seq, envelope in enumerate(feed, start=inventory.feed_first):
        header = verify(envelope, public)
        header.must_be(Kind.FEED, node_id=bytes.fromhex(sack.node.node_id))
        if header.seq != seq:
            raise Tampered("feed order")
    return Checked(inventory, receipt, inventory.receipt, tuple(feed), tuple(catalog))


def keep(
    sack: Sack, document: dict[str, Any], small: list[bytes], checked: Checked, *, catalog_now: bool = True
) -> Arrived:
    """Place the whole durably, then lay it out; without `catalog_now` it stays placed until `make_good` has laid out
    its catalog, in a process that may load what that takes."""
    scans = sum(1 for part in checked.inventory.parts if part.kind == SCAN)
    news = _news(sack, checked)
    if news is News.OLDER:
        return Arrived(news, checked.inventory.answers, 0, 0, scans, None, more=False)
    path = sack.paths.agent_folder / ARRIVED
    place(path, write_body(document, small))
    feed = _lay_out(sack, checked)
    later = bool(checked.catalog) and not catalog_now
    catalog = LATER if later else _lay_out_catalog(sack, checked)
    if not later:
        take_away(path)
    return Arrived(
        news=news,
        answers=checked.inventory.answers,
        received=checked.receipt.hwm,
        feed=feed,
        scans=scans,
        catalog=catalog,
        more=checked.receipt.feed_more,
    )


def _obeyed(sack: Sack, checked: Checked) -> tuple[NodeExchange, tuple[NodeConsequence, ...]]:
    """What the exchange makes of an answer that answers no question."""
    cursor, _ = feed_place(sack.outgoing, sack.incoming)
    accepted = Accepted(checked.receipt, checked.document, checked.feed)
    exchange = kept_exchange(sack.paths.agent_folder, sack.receipt(), cursor)
    return advance(exchange, Brought(accepted, checked.inventory.feed_first))


def _news(sack: Sack, checked: Checked) -> News:
    _, consequences = _obeyed(sack, checked)
    if not any(isinstance(one, KeepReceipt) for one in consequences):
        return News.OLDER
    last = sack.receipt()
    same = last is not None and (last.epoch, last.server_time) == (checked.receipt.epoch, checked.receipt.server_time)
    return News.KNOWN if same else News.NEW


def _lay_out(sack: Sack, checked: Checked) -> int:
    """Into the mailbox, as after an exchange, in the order in which the machine says it; safe to repeat."""
    folder = sack.paths.agent_folder
    exchange, consequences = _obeyed(sack, checked)
    new = 0
    for consequence in consequences:
        match consequence:
            case KeepReceipt(receipt, document):
                sack.incoming.put_receipt(document)
                remember_epochs(folder, exchange.epochs)
                for scan_hash in receipt.scans_stored:
                    sack.incoming.mark_scan_stored(scan_hash, document)
                own = sack.node.node_id
                inventory = checked.inventory
                remember(folder, own, remembered(folder, own).held_by_city(inventory.answers, inventory.scans_held))
            case DeliverFeed(first, envelopes):
                facts = sack.outgoing.facts()
                for seq, envelope in enumerate(envelopes, start=first):
                    if seq > (facts.feed_cursor if facts else 0):
                        sack.incoming.put_feed(seq, envelope)
                        new += 1
            case Halt(code):
                raise CourierHalted(why=code)
    return new


def _lay_out_catalog(sack: Sack, checked: Checked) -> str | None:
    """The catalog by the same checks as over the line, at the time that the city signed beside it; one that is refused
    keeps nothing else from being kept."""
    files = {address: data for part in checked.catalog for address, data in read_catalog_part(part).items()}
    if not files or sack.node.tuf_root is None:
        return None
    from sync_agent.catalog_fetch import CarriedFiles, CatalogNotReachable, CatalogRefused, fetch_catalog

    try:
        fetch_catalog(
            cache=sack.paths.catalog_cache,
            trusted_root=sack.node.tuf_root,
            gateway_url=sack.node.gateway_url,
            county=sack.node.region[:6],
            fetcher=CarriedFiles(files),
            now=lambda: checked.receipt.server_time,
        )
    except CatalogNotReachable as missing:
        return missing.code
    except CatalogRefused as refused:
        return f"{refused.code}.{refused.check}"
    return "ok"


def make_good(sack: Sack) -> bool:
    """At start: a bundle that was checked and not laid out to its end; says whether there was one."""
    path = sack.paths.agent_folder / ARRIVED
    try:
        document, small = open_body(path.read_bytes(), MAX_ARRIVED_BYTES)
        checked = proven(sack, opened(sack, document), small)
        _lay_out(sack, checked)
        _lay_out_catalog(sack, checked)
    except FileNotFoundError:
        return False
    except NO_ROOM:
        return False  # it stays: the stick may be on its way home
    except (WireError, StoreError, CourierHalted):
        pass  # of another enrolment; nothing of it can be believed here
    take_away(path)
    return True


def keep_refusal(sack: Sack, inventory: DownInventory) -> Arrived:
    """The city stopped this identity: people must hear it, and edge_node checks it again."""
    refusal = read_refusal(inventory.refusal, sack.node.gateway.signing_public)
    if refusal.node != sack.node.node_id:
        raise WronglyAddressed("refusal")
    sack.incoming.put_refusal(inventory.refusal or {})
    return Arrived(News.NEW, inventory.answers, 0, 0, 0, None, more=False, refused=refusal.code)


def _by_kind(inventory: DownInventory, kind: str, small: list[bytes]) -> list[bytes]:
    kinds = [part.kind for part in inventory.parts if part.kind != SCAN]
    return [data for found, data in zip(kinds, small, strict=True) if found == kind]
