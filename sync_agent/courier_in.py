"""Taking in what a carrier brought back: receipt, feed, catalog, scans this node asked for.

Laws:
- Everything is checked before anything is kept: the gateway's signature, the addressee, every part, the receipt
  over its feed. Then the whole is placed as one file in the courier's own folder, and from there into the mailbox; a
  power cut in between is made good at the next start.
- What a receipt says is done by the machine of `wire.exchange`, as an answer that came by another road. One that it
  does not believe (of an epoch that was left, or older) leaves everything as it is; that is told, it is no failure.
- Nothing is decided here: edge_node checks every signature again.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from offline_store.errors import StoreError
from offline_store.placing import place, take_away
from sync_agent.carried import remember, remembered
from sync_agent.courier_out import Steps, Watch, unwatched
from sync_agent.errors import CourierHalted, NoBundle, NodeFull, NotForThisNode, StickGone
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
    Part,
    check_body,
    claimed_node,
    open_body,
    read_catalog_part,
    read_down,
    read_mail,
    write_body,
)
from wire.envelope import Kind, verify
from wire.errors import Tampered, TooLarge, WireError
from wire.exchange import Brought, DeliverFeed, Halt, KeepReceipt, NodeConsequence, NodeExchange, advance
from wire.judgement import Accepted
from wire.receipt import CARRIED, Receipt, read_receipt
from wire.stick import DOWN, Medium, bundles, leftovers, read_inventory, read_part

ARRIVED = "arrived.bundle"
MAX_ARRIVED_BYTES = MAX_MAIL_BYTES + MAX_PART_BYTES


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
    """`ok`, or the code by which the catalog was refused; None when there was none."""
    more: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle every byte of which was compared with what the gateway signed."""

    inventory: DownInventory
    receipt: Receipt
    feed: tuple[bytes, ...]
    catalog: tuple[bytes, ...]


def take_in(sack: Sack, stick: Medium, *, watch: Watch = unwatched) -> list[Arrived]:
    """Take in every bundle for this node that lies on the stick, the oldest first."""
    with _stick_answers():
        found = [(one, read_inventory(stick, one)) for one in bundles(stick, DOWN)]
        own = [(one, document) for one, document in found if _claims(document, sack.node.node_id)]
        if not own and (found or not leftovers(stick, DOWN)):
            raise NotForThisNode(others=len(found)) if found else NoBundle(unfinished=0)
        if not own:
            raise NoBundle(unfinished=len(leftovers(stick, DOWN)))
        opened = [(_opened(sack, document), one, document) for one, document in own]
        return [
            _take_one(sack, stick, one, document, watch)
            for _, one, document in sorted(opened, key=lambda each: each[0].made_at)
        ]


def take_body(sack: Sack, body: bytes) -> Arrived:
    """Take in a bundle that came in one piece, by relay."""
    document, parts = open_body(body, MAX_ARRIVED_BYTES)
    inventory = _opened(sack, document)
    check_body(inventory.parts, parts)
    small = [data for part, data in zip(inventory.parts, parts, strict=True) if part.kind != SCAN]
    checked = _proven(sack, inventory, _by_kind(inventory, MAIL, small), _by_kind(inventory, CATALOG, small))
    for part, data in zip(inventory.parts, parts, strict=True):
        if part.kind == SCAN and part.scan is not None:
            _keep_scan(sack, part, [data])
    return _keep(sack, document, small, checked)


def make_good(sack: Sack) -> bool:
    """At start: a bundle that was checked and not laid out to its end; says whether there was one."""
    path = sack.paths.agent_folder / ARRIVED
    try:
        document, small = open_body(path.read_bytes(), MAX_ARRIVED_BYTES)
        inventory = _opened(sack, document)
        checked = _proven(sack, inventory, _by_kind(inventory, MAIL, small), _by_kind(inventory, CATALOG, small))
        _lay_out(sack, checked)
    except FileNotFoundError:
        return False
    except (WireError, StoreError, CourierHalted):
        pass  # of another enrolment; nothing of it can be believed here
    take_away(path)
    return True


def _take_one(sack: Sack, stick: Medium, folder: str, document: dict[str, Any], watch: Watch) -> Arrived:
    inventory = _opened(sack, document)
    everything = sum(part.length for part in inventory.parts)
    done = 0
    small: list[bytes] = []
    size = 0
    for place_, part in enumerate(inventory.parts, start=1):
        if part.kind == SCAN:
            for _ in read_part(stick, folder, place_, part):
                pass
        else:
            size += part.length
            if size > MAX_ARRIVED_BYTES:
                raise TooLarge(MAX_ARRIVED_BYTES)
            small.append(b"".join(read_part(stick, folder, place_, part)))
        done += part.length
        watch(Steps(place_, len(inventory.parts), done, everything))
    checked = _proven(sack, inventory, _by_kind(inventory, MAIL, small), _by_kind(inventory, CATALOG, small))
    for place_, part in enumerate(inventory.parts, start=1):
        if part.kind == SCAN:
            _keep_scan(sack, part, read_part(stick, folder, place_, part))
    return _keep(sack, document, small, checked)


def _opened(sack: Sack, document: dict[str, Any]) -> DownInventory:
    return read_down(document, sack.node.gateway.signing_public, node=sack.node.node_id)


def _by_kind(inventory: DownInventory, kind: str, small: list[bytes]) -> list[bytes]:
    kinds = [part.kind for part in inventory.parts if part.kind != SCAN]
    return [data for found, data in zip(kinds, small, strict=True) if found == kind]


def _proven(sack: Sack, inventory: DownInventory, mail: list[bytes], catalog: list[bytes]) -> Checked:
    """The receipt covers the feed, and the feed is the gateway's, for this node, without holes."""
    public = sack.node.gateway.signing_public
    feed = read_mail(mail)
    receipt = read_receipt(inventory.receipt, public, node=sack.node.node_id, nonce=CARRIED, feed=feed)
    for seq, envelope in enumerate(feed, start=inventory.feed_first):
        header = verify(envelope, public)
        header.must_be(Kind.FEED, node_id=bytes.fromhex(sack.node.node_id))
        if header.seq != seq:
            raise Tampered("feed order")
    return Checked(inventory, receipt, tuple(feed), tuple(catalog))


def _keep(sack: Sack, document: dict[str, Any], small: list[bytes], checked: Checked) -> Arrived:
    """Place the whole durably, then lay it out."""
    scans = sum(1 for part in checked.inventory.parts if part.kind == SCAN)
    news = _news(sack, checked)
    if news is News.OLDER:
        return Arrived(news, checked.inventory.answers, 0, 0, scans, None, more=False)
    path = sack.paths.agent_folder / ARRIVED
    place(path, write_body(document, small))
    feed, catalog = _lay_out(sack, checked)
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
    accepted = Accepted(checked.receipt, checked.inventory.receipt, checked.feed)
    written = max((seq for seq, _ in sack.outgoing.envelopes()), default=None)
    exchange = kept_exchange(sack.paths.agent_folder, sack.receipt(), cursor)
    return advance(exchange, Brought(accepted, checked.inventory.feed_first, written))


def _news(sack: Sack, checked: Checked) -> News:
    _, consequences = _obeyed(sack, checked)
    if not any(isinstance(one, KeepReceipt) for one in consequences):
        return News.OLDER
    last = sack.receipt()
    same = last is not None and (last.epoch, last.server_time) == (checked.receipt.epoch, checked.receipt.server_time)
    return News.KNOWN if same else News.NEW


def _lay_out(sack: Sack, checked: Checked) -> tuple[int, str | None]:
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
                remember(folder, own, remembered(folder, own).held_by_city(checked.inventory.scans_held))
            case DeliverFeed(first, envelopes):
                facts = sack.outgoing.facts()
                for seq, envelope in enumerate(envelopes, start=first):
                    if seq > (facts.feed_cursor if facts else 0):
                        sack.incoming.put_feed(seq, envelope)
                        new += 1
            case Halt(code):
                raise CourierHalted(why=code)
    return new, _lay_out_catalog(sack, checked.catalog)


def _lay_out_catalog(sack: Sack, parts: Iterable[bytes]) -> str | None:
    """The catalog by the same checks as over the line; one that is refused keeps nothing else from being kept."""
    files = {address: data for part in parts for address, data in read_catalog_part(part).items()}
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
            now=sack.now,
        )
    except CatalogNotReachable as missing:
        return missing.code
    except CatalogRefused as refused:
        return f"{refused.code}.{refused.check}"
    return "ok"


def _keep_scan(sack: Sack, part: Part, chunks: Iterable[bytes]) -> None:
    """A whole scan that this node asked for; it becomes visible only under the hash that it has."""
    scan_hash = str(part.scan)
    if part.length != part.total or sack.vault.has(scan_hash) or scan_hash not in sack.outgoing.wanted():
        return
    with sack.vault.receive() as receiving:
        for chunk in chunks:
            receiving.write(chunk)
        with suppress(StoreError):
            receiving.keep(scan_hash)


def _claims(document: dict[str, Any], node_id: str) -> bool:
    try:
        return claimed_node(document) == node_id
    except WireError:
        return False


@contextmanager
def _stick_answers() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NodeFull from failure
        raise StickGone(why=errno.errorcode.get(failure.errno or 0, "?")) from failure


def lock_path(folder: Path) -> Path:
    """Held by whoever packs or reads a bundle of this node."""
    return folder / "courier.lock"
