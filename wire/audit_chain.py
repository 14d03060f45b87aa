"""The chain of a node's journal, and of the city's feed to a node: numbered without gaps, each naming the last.

Laws:
- Anyone who carries envelopes and knows the signer's public key can follow the chain; nothing is opened.
- A gap is a question, a duplicate is harmless, a fork is a cloned or set-back machine and stops the identity.
- A refusal leaves the head where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wire.envelope import envelope_hash, verify
from wire.errors import Duplicate, Fork, Gap, WronglyAddressed

__all__ = ["GENESIS", "Head", "Link", "continue_with", "follow", "prove_link"]


@dataclass(frozen=True, slots=True)
class Head:
    """The last envelope of a chain: its number and its hash."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()[:16]}"


GENESIS = Head(0, bytes(32))


@dataclass(frozen=True, slots=True)
class Link:
    """The place of one envelope in a chain, as its own bytes say; true only once its signature is proven."""

    seq: int
    prev: bytes
    hash: bytes


def prove_link(data: bytes, signer_public: bytes, *, node_id: bytes | None = None) -> Link:
    """The place that `signer_public` gave this envelope in the chain of `node_id`."""
    header = verify(data, signer_public)
    if node_id is not None and header.node_id != node_id:
        raise WronglyAddressed("node")
    return Link(header.seq, header.prev, envelope_hash(data))


def continue_with(head: Head, link: Link, hash_at: Callable[[int], bytes | None] | None = None) -> Head:
    """The new head after a proven link, or Gap, Duplicate or Fork.

    `hash_at` tells the hash of an earlier number, so that a number seen before with other bytes is known as a fork;
    without it only the head itself can be compared and anything older counts as a duplicate.
    """
    if link.seq > head.seq + 1:
        raise Gap(head.seq + 1, link.seq)
    if link.seq <= head.seq:
        known = head.hash if link.seq == head.seq else hash_at(link.seq) if hash_at else None
        if known is not None and known != link.hash:
            raise Fork(link.seq)
        raise Duplicate(link.seq)
    if link.prev != head.hash:
        raise Fork(link.seq)
    return Head(link.seq, link.hash)


def follow(
    head: Head,
    data: bytes,
    signer_public: bytes,
    *,
    node_id: bytes | None = None,
    hash_at: Callable[[int], bytes | None] | None = None,
) -> Head:
    """Prove an envelope and continue the chain with it: the new head, or Gap, Duplicate or Fork."""
    return continue_with(head, prove_link(data, signer_public, node_id=node_id), hash_at)
