"""The chain finds gaps, duplicates and forks, and a refusal moves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.audit_chain import GENESIS, Head, follow
from wire.envelope import envelope_hash
from wire.errors import ChainBroken, Duplicate, Fork, Gap, Truncated, WronglyAddressed, WrongSignature

pytestmark = pytest.mark.fast


def chain(people, length: int, prev: bytes = bytes(32), start: int = 1, mark: str = "") -> list[bytes]:
    found = []
    for seq in range(start, start + length):
        found.append(people.sealed(seq, prev, f"{seq}{mark}".encode()))
        prev = envelope_hash(found[-1])
    return found


def followed(people, envelopes: list[bytes]) -> Head:
    head = GENESIS
    for data in envelopes:
        head = follow(head, data, people.node.public, node_id=people.node_id)
    return head


def test_a_whole_chain_is_followed_to_its_end(people) -> None:
    envelopes = chain(people, 5)
    assert followed(people, envelopes) == Head(5, envelope_hash(envelopes[-1]))


@given(order=st.permutations(range(5)))
def test_any_other_order_is_broken_and_leaves_the_head(people, order: list[int]) -> None:
    envelopes = chain(people, 5)
    head = GENESIS
    for number in order:
        before = head
        try:
            head = follow(head, envelopes[number], people.node.public)
        except ChainBroken:
            assert head == before
    assert head.seq <= 5
    assert (head.seq == 5) == (list(order) == list(range(5)))


def test_a_gap_names_what_is_missing(people) -> None:
    envelopes = chain(people, 4)
    head = followed(people, envelopes[:1])
    with pytest.raises(Gap) as told:
        follow(head, envelopes[3], people.node.public)
    assert (told.value.expected, told.value.got) == (2, 4)


def test_the_same_envelope_again_is_a_duplicate(people) -> None:
    envelopes = chain(people, 3)
    head = followed(people, envelopes)
    hashes = {seq: envelope_hash(data) for seq, data in enumerate(envelopes, start=1)}
    for seq, data in enumerate(envelopes, start=1):
        with pytest.raises(Duplicate) as told:
            follow(head, data, people.node.public, hash_at=hashes.get)
        assert told.value.seq == seq


def test_a_cloned_machine_is_a_fork_wherever_it_parted(people) -> None:
    envelopes = chain(people, 3)
    head = followed(people, envelopes)
    hashes = {seq: envelope_hash(data) for seq, data in enumerate(envelopes, start=1)}
    for parted in (1, 2, 3):
        prev = hashes.get(parted - 1, bytes(32))
        with pytest.raises(Fork):
            follow(head, people.sealed(parted, prev, b"clone"), people.node.public, hash_at=hashes.get)
    with pytest.raises(Fork):
        follow(head, people.sealed(4, hashes[2], b"set back"), people.node.public)


def test_nothing_unsigned_damaged_or_of_another_node_joins_the_chain(people) -> None:
    with pytest.raises(WrongSignature):
        follow(GENESIS, people.sealed(signer=people.other_node), people.node.public)
    with pytest.raises(Truncated):
        follow(GENESIS, people.sealed()[:-1], people.node.public)
    with pytest.raises(WronglyAddressed):
        follow(GENESIS, people.sealed(node_id=bytes(16)), people.node.public, node_id=people.node_id)
