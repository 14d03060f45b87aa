"""Journal and feed: links follow one another, whatever an act tries."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_store.desk import feed, journal
from offline_store.desk.database import Desk
from offline_store.desk.journal import Backlog
from offline_store.errors import BrokenRule, NotTheNextLink
from tests.offline_store.desk_fixtures import NOON, new_desk
from wire.audit_chain import GENESIS, Head, follow
from wire.envelope import Kind, envelope_hash, seal
from wire.keys import SealingKey, SigningKey

pytestmark = pytest.mark.node

NODE = bytes(16)
SIGNER = SigningKey.from_bytes(b"s" * 32)
CITY = SealingKey.from_bytes(b"c" * 32)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        yield desk


def sealed(after: Head, op_id: bytes, body: bytes = b"{}") -> bytes:
    return seal(
        kind=Kind.OPERATION,
        node_id=NODE,
        seq=after.seq + 1,
        prev=after.hash,
        op_id=op_id,
        body=body,
        recipients=[CITY.public],
        signer=SIGNER,
    )


def append(desk: Desk, application_id: str | None = None, op_id: bytes | None = None, after: Head | None = None) -> str:
    op_id = op_id or os.urandom(16)
    with desk.transaction() as tx:
        envelope = sealed(after or journal.head(tx), op_id)
        head = Head((after or journal.head(tx)).seq + 1, envelope_hash(envelope))
        journal.append(
            tx,
            head=head,
            op_id=op_id.hex(),
            kind="operation",
            application_id=application_id,
            envelope=envelope,
            body=b"{}",
            at=NOON,
        )
    return op_id.hex()


def test_links_follow_one_another_as_anyone_can_check(desk: Desk) -> None:
    for _ in range(5):
        append(desk)
    with desk.reading() as tx:
        head = GENESIS
        for link in journal.after(tx, 0):
            head = follow(head, link.envelope, SIGNER.public, node_id=NODE)
            assert journal.hash_at(tx, link.seq) == head.hash
        assert (head, head.seq) == (journal.head(tx), 5)
        assert journal.hash_at(tx, 0) == GENESIS.hash
        assert journal.hash_at(tx, 6) is None


def test_a_stale_head_a_gap_and_a_doubled_operation_are_refused_and_change_nothing(desk: Desk) -> None:
    op_id = append(desk)
    with desk.reading() as tx:
        head = journal.head(tx)
    for wrong in (GENESIS, Head(head.seq + 3, head.hash), Head(head.seq, b"x" * 32)):
        with pytest.raises(NotTheNextLink) as refused:
            append(desk, after=wrong)
        assert refused.value.expected == 2
    with pytest.raises(BrokenRule):
        append(desk, op_id=bytes.fromhex(op_id))
    with desk.reading() as tx:
        assert journal.head(tx) == head
        assert len(journal.after(tx, 0)) == 1


def test_an_envelope_of_another_operation_is_refused(desk: Desk) -> None:
    def act() -> None:
        with desk.transaction() as tx:
            envelope = sealed(GENESIS, bytes(16))
            journal.append(
                tx,
                head=Head(1, envelope_hash(envelope)),
                op_id="1" * 32,
                kind="operation",
                application_id=None,
                envelope=envelope,
                body=b"{}",
                at=NOON,
            )

    with pytest.raises(NotTheNextLink):
        act()


def test_posting_and_outcome_are_notes_beside_the_link(desk: Desk) -> None:
    first, second, third = append(desk, "a" * 32), append(desk), append(desk, "a" * 32)
    with desk.transaction() as tx:
        assert [link.seq for link in journal.unposted(tx)] == [1, 2, 3]
        journal.mark_posted(tx, [1, 2])
        assert [link.seq for link in journal.unposted(tx)] == [3]
        assert journal.settle(tx, first, "applied")
        assert journal.settle(tx, second, "refused", {"code": "form.required"})
        assert not journal.settle(tx, "f" * 32, "applied")
        assert [link.op_id for link in journal.unanswered(tx)] == [third]
    with desk.reading() as tx:
        link = journal.by_op(tx, second)
        assert link is not None
        assert (link.outcome, link.refusal, link.posted) == ("refused", {"code": "form.required"}, True)
        assert journal.by_op(tx, "f" * 32) is None
        assert [one.op_id for one in journal.of_application(tx, "a" * 32)] == [first, third]


def test_a_mark_that_goes_back_makes_the_rest_wait_to_be_posted_again(desk: Desk) -> None:
    for _ in range(4):
        append(desk)
    with desk.transaction() as tx:
        journal.mark_posted(tx, range(1, 5))
        journal.repost_after(tx, 2)
    with desk.reading() as tx:
        assert [link.seq for link in journal.unposted(tx)] == [3, 4]
        size = sum(len(link.envelope) for link in journal.after(tx, 2))
        assert journal.backlog(tx, 2) == Backlog(2, size)
        assert journal.backlog(tx, 4) == Backlog(0, 0)


def test_the_feed_cursor_moves_by_one_and_only_with_its_act(desk: Desk) -> None:
    with desk.transaction() as tx:
        assert feed.head(tx) == GENESIS
        feed.advance(tx, Head(1, b"a" * 32))
        for seq in (1, 3, 0):
            with pytest.raises(NotTheNextLink) as refused:
                feed.advance(tx, Head(seq, b"b" * 32))
            assert (refused.value.chain, refused.value.expected, refused.value.found) == ("feed", 2, seq)

    def act() -> None:
        with desk.transaction() as tx:
            feed.advance(tx, Head(2, b"b" * 32))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    with desk.reading() as tx:
        assert (feed.cursor(tx), feed.head(tx)) == (1, Head(1, b"a" * 32))
