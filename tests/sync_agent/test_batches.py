"""What goes up, and in which order; on a real mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_store.mailbox.outgoing import Outgoing
from sync_agent.batches import next_batch

pytestmark = pytest.mark.node


@pytest.fixture
def outgoing(tmp_path: Path) -> Outgoing:
    return Outgoing(tmp_path / "outgoing")


def test_a_batch_is_what_lies_after_the_mark_in_order(outgoing: Outgoing) -> None:
    for seq in (3, 1, 2, 4):
        outgoing.put_envelope(seq, b"envelope %d" % seq)
    batch = next_batch(outgoing, 1, most=10, most_bytes=10_000)
    assert batch.envelopes == (b"envelope 2", b"envelope 3", b"envelope 4")
    assert batch.last == 4


def test_a_hole_ends_the_batch_and_nothing_after_it_is_sent(outgoing: Outgoing) -> None:
    for seq in (1, 2, 4):
        outgoing.put_envelope(seq, b"x")
    assert next_batch(outgoing, 0, most=10, most_bytes=10_000).last == 2
    assert next_batch(outgoing, 2, most=10, most_bytes=10_000).envelopes == ()


def test_a_batch_keeps_to_its_limits_but_never_starves_a_large_envelope(outgoing: Outgoing) -> None:
    outgoing.put_envelope(1, b"x" * 5000)
    outgoing.put_envelope(2, b"x" * 10)
    outgoing.put_envelope(3, b"x" * 10)
    assert next_batch(outgoing, 0, most=10, most_bytes=100).last == 1
    assert next_batch(outgoing, 1, most=1, most_bytes=100).last == 2
    assert next_batch(outgoing, 1, most=10, most_bytes=15).last == 2


def test_the_mark_going_back_sends_again(outgoing: Outgoing) -> None:
    for seq in (1, 2):
        outgoing.put_envelope(seq, b"%d" % seq)
    assert next_batch(outgoing, 2, most=10, most_bytes=100).envelopes == ()
    assert next_batch(outgoing, 0, most=10, most_bytes=100).envelopes == (b"1", b"2")
