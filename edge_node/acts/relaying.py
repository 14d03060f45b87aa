"""Carrying mail for villages: which bags this township takes in, and what it hands back. It reads none of them.

Laws
- A bag is bounded in size; a village in bags and bytes; all of them together in bytes; and this node's own reserve of
  free space is doubled before a strange byte is stored, so that its own work never waits for anybody's mail.
- A village for which the city answered through here before is known by the transport key that the city named, with
  its signature: a bag in its name must be signed by it, and whole, or whoever saw it pass could
  put a spoilt one in its place. Strangers share one small place, until the city answers for one of them: only the city
  knows who is a node.
- What is refused here is lost nowhere: the village keeps it and comes again, or sends it by another road.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_node.counter.counter import MIB, Counter
from edge_node.counter.errors import RelayClosed, RelayFull, RelayRefused, RelayTooLarge
from offline_store.relay.bags import Bag, Bags
from wire.bundle import bundle_id, check_body, claimed_node, open_body, read_down, read_up
from wire.errors import WireError
from wire.fields import NodeRole

BAG_MAX_BYTES: Final = 8 * MIB
VILLAGE_BAGS: Final = 16
VILLAGE_BYTES: Final = 64 * MIB
STRANGERS_BAGS: Final = 16
STRANGERS_BYTES: Final = 16 * MIB
DOWN_MAX_BYTES: Final = 16 * MIB


@dataclass(frozen=True, slots=True)
class RelayLoad:
    """What waits here for the city: counts, no content."""

    bags: int = 0
    bytes: int = 0
    villages: int = 0


def take_bag(counter: Counter, body: bytes) -> str:
    """Keep a bag for the city; its name comes back."""
    bags = _open(counter)
    check_size(len(body))
    try:
        document, parts = open_body(body, BAG_MAX_BYTES)
        node_id, name = claimed_node(document), bundle_id(document)
        known = _known(counter, bags, node_id)
        if known is not None:
            check_body(read_up(document, known, gateway=counter.node.gateway.id).parts, parts)
    except WireError as broken:
        raise RelayRefused(why=broken.code) from None
    with counter.relay_lock:
        _admit(counter, bags, node_id, len(body), stranger=known is None)
        bags.put_up(node_id, name, body)
    return name


def check_size(length: int) -> None:
    """Refuse what is larger than any bag."""
    if length > BAG_MAX_BYTES:
        raise RelayTooLarge(max_mib=BAG_MAX_BYTES // MIB)


def answer_for(counter: Counter, node_id: str) -> bytes | None:
    """The city's newest answer for a village: sealed to it, so that it may be handed to whoever asks."""
    return _open(counter).down(node_id)


def load(counter: Counter) -> RelayLoad:
    """How much waits."""
    if not relays(counter):
        return RelayLoad()
    waiting = Bags(counter.paths.relay).waiting()
    return RelayLoad(len(waiting), sum(bag.length for bag in waiting), len({bag.node_id for bag in waiting}))


def relays(counter: Counter) -> bool:
    """Whether this node carries mail for others: townships do, unless it was switched off."""
    return counter.node.role is NodeRole.TOWNSHIP and counter.limits.relay_bytes > 0


def _open(counter: Counter) -> Bags:
    if not relays(counter):
        raise RelayClosed
    return Bags(counter.paths.relay)


def _known(counter: Counter, bags: Bags, node_id: str) -> bytes | None:
    """The transport key of a village, as the gateway named it in an answer that went through here."""
    answer = bags.down(node_id)
    if answer is None:
        return None
    try:
        document, _ = open_body(answer, DOWN_MAX_BYTES)
        return read_down(document, counter.node.gateway.signing_public, node=node_id).transport
    except WireError:
        return None


def _admit(counter: Counter, bags: Bags, node_id: str, length: int, *, stranger: bool) -> None:
    waiting = bags.waiting()
    if sum(bag.length for bag in waiting) + length > counter.limits.relay_bytes:
        raise RelayFull(why="all")
    if counter.free_bytes(counter.paths.root) < 2 * counter.limits.disk_reserve_bytes + length:
        raise RelayFull(why="disk")
    if stranger:
        known = set(bags.answered())
        _within([bag for bag in waiting if bag.node_id not in known], length, STRANGERS_BAGS, STRANGERS_BYTES)
    _within([bag for bag in waiting if bag.node_id == node_id], length, VILLAGE_BAGS, VILLAGE_BYTES)


def _within(waiting: list[Bag], length: int, most: int, most_bytes: int) -> None:
    if len(waiting) >= most or sum(bag.length for bag in waiting) + length > most_bytes:
        raise RelayFull(why="village")
