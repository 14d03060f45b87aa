"""The next envelopes to go up, exactly as they lie. Nothing is removed here, and nothing waits for a scan."""

from __future__ import annotations

from dataclasses import dataclass

from offline_store.mailbox.outgoing import Outgoing
from wire.envelope import verify
from wire.errors import WireError


@dataclass(frozen=True, slots=True)
class Batch:
    """Envelopes that follow one another without a hole."""

    envelopes: tuple[bytes, ...]
    last: int


def next_batch(outgoing: Outgoing, after: int, most: int, most_bytes: int, signer: bytes | None = None) -> Batch:
    """The envelopes after number `after`, in order; empty when the next one does not lie here.

    With the node's own key one that rotted is not sent: edge_node lays it anew, and a batch ends before it.
    """
    envelopes: list[bytes] = []
    last, size = after, 0
    for seq, path in outgoing.envelopes(after):
        if seq != last + 1 or len(envelopes) == most:
            break
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            break
        if signer is not None and not _is_whole(data, seq, signer):
            break
        if envelopes and size + len(data) > most_bytes:
            break
        envelopes.append(data)
        last, size = seq, size + len(data)
    return Batch(tuple(envelopes), last)


def _is_whole(data: bytes, seq: int, signer: bytes) -> bool:
    try:
        return verify(data, signer).seq == seq
    except WireError:
        return False
