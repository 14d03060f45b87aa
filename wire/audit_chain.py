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

__all__ = ["GENESIS", "Head", "follow"]


@dataclass(frozen=True, slots=True)
class Head:
    """The last envelope of a chain: its number and its hash."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()[:16]}"


GENESIS = Head(0, bytes(32))


def follow(
    head: Head,
    data: bytes,
    signer_public: bytes,
    *,
    node_id: bytes | None = None,
    hash_at: Callable[[int], bytes | None] | None = None,
) -> Head:
    """The new head after `data`, or Gap, Duplicate or Fork.

    `hash_at` tells the hash of an earlier number, so that a number seen before with other bytes is known as a fork;
    without it only the head itself can be compared and anything older counts as a duplicate.
    """
    header = verify(data, signer_public)
    if node_id is not None and header.node_id != node_id:
        raise WronglyAddressed("node")
    if header.seq > head.seq + 1:
        raise Gap(head.seq + 1, header.seq)
    if header.seq <= head.seq:
        known = head.hash if header.seq == head.seq else hash_at(header.seq) if hash_at else None
        if known is not None and known != envelope_hash(data):
            raise Fork(header.seq)
        raise Duplicate(header.seq)
    if header.prev != head.hash:
        raise Fork(header.seq)
    return Head(header.seq, envelope_hash(data))
