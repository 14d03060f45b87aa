"""Taking in what a carrier brought back: receipt, feed, catalog, scans this node asked for.

Laws: everything of a bundle is checked before anything of it is kept: the gateway's signature, the addressee, every
part, the receipt over its feed; a stick that answers otherwise the second time is found out, too. A bundle that is
damaged stands for itself: the others on the stick are taken in, and that there was one is told.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offline_store.errors import DiskFull, StoreError
from sync_agent.arriving import MAX_ARRIVED_BYTES, Arrived, keep, keep_refusal, opened, proven
from sync_agent.courier_out import Steps, Watch, unwatched
from sync_agent.errors import NoBundle, NodeFull, NotForThisNode, StickGone
from sync_agent.packing import Sack
from wire.bundle import SCAN, Part, check_body, claimed_node, open_body
from wire.errors import TooLarge, WireError
from wire.stick import DOWN, Medium, bundles, leftovers, read_inventory, read_part


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a stick brought, and by their codes the bundles on it that are damaged and may be this node's own."""

    arrived: list[Arrived]
    damaged: list[str]


def take_in(sack: Sack, stick: Medium, *, watch: Watch = unwatched) -> TakenIn:
    """Take in every sound bundle for this node, the oldest first; when there is none, what is damaged is raised."""
    damaged: list[WireError | StickGone] = []
    own: list[tuple[datetime, str, dict[str, Any]]] = []
    others = 0
    with _stick_answers():
        found = bundles(stick, DOWN)
    for one in found:
        with _for_itself(damaged):
            document = read_inventory(stick, one)
            if claimed_node(document) == sack.node.node_id:
                own.append((opened(sack, document).made_at, one, document))
            else:
                others += 1
    arrived = []
    for _, one, document in sorted(own, key=lambda each: each[0]):
        with _for_itself(damaged):
            arrived.append(_take_one(sack, stick, one, document, watch))
    if arrived:
        return TakenIn(arrived, [failure.code for failure in damaged])
    if damaged:
        raise damaged[0]
    if others:
        raise NotForThisNode(others=others)
    with _stick_answers():
        raise NoBundle(unfinished=len(leftovers(stick, DOWN)))


def take_body(sack: Sack, body: bytes) -> Arrived:
    """Take in a bundle that came in one piece, by relay."""
    document, parts = open_body(body, MAX_ARRIVED_BYTES)
    inventory = opened(sack, document)
    check_body(inventory.parts, parts)
    if inventory.refusal is not None:
        return keep_refusal(sack, inventory)
    small = [data for part, data in zip(inventory.parts, parts, strict=True) if part.kind != SCAN]
    checked = proven(sack, inventory, small)
    for part, data in zip(inventory.parts, parts, strict=True):
        if part.kind == SCAN and part.scan is not None:
            _keep_scan(sack, part, [data])
    return keep(sack, document, small, checked, catalog_now=False)


def _take_one(sack: Sack, stick: Medium, folder: str, document: dict[str, Any], watch: Watch) -> Arrived:
    inventory = opened(sack, document)
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
    if inventory.refusal is not None:
        return keep_refusal(sack, inventory)
    checked = proven(sack, inventory, small)
    for place_, part in enumerate(inventory.parts, start=1):
        if part.kind == SCAN:
            _keep_scan(sack, part, read_part(stick, folder, place_, part))
    return keep(sack, document, small, checked)


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


@contextmanager
def _for_itself(damaged: list[WireError | StickGone]) -> Iterator[None]:
    """What cannot be read or proven is noted; whatever is wrong with this node itself is raised."""
    try:
        with _stick_answers():
            yield
    except (WireError, StickGone) as failure:
        damaged.append(failure)


@contextmanager
def _stick_answers() -> Iterator[None]:
    try:
        yield
    except DiskFull as failure:
        raise NodeFull from failure
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NodeFull from failure
        raise StickGone(why=errno.errorcode.get(failure.errno or 0, "?")) from failure
