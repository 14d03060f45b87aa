"""A village that never has a line gets its renewed document by stick, on the receipt, like everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from city_gateway.errors import EnrolmentOver
from sync_agent.courier_commands import told_in
from tests.simulators.carriers import answer, at_the_city, carrying, out, read
from tests.simulators.post import Post, effects, stored_at
from wire.enrolment import read_enrolment
from wire.messages import read_refusal

pytestmark = pytest.mark.node


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path) as made:
        yield made


async def test_a_document_that_ended_is_renewed_by_stick(post: Post, tmp_path: Path) -> None:
    held = post.node.document
    post.city.clock.now = held.valid_to + timedelta(days=90)
    post.file()
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    read(post, tmp_path / "stick")
    receipt = post.receipt()
    assert receipt is not None
    renewed = read_enrolment(receipt.renewal, held.gateway.signing_public)
    assert renewed.valid_to > post.city.clock()
    assert (renewed.node_id, renewed.transport_public) == (held.node_id, held.transport_public)


async def test_a_fresh_document_is_not_carried_again(post: Post, tmp_path: Path) -> None:
    post.file()
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    read(post, tmp_path / "stick")
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.renewal is None


async def test_beyond_400_days_the_stick_brings_the_signed_refusal_and_nothing_is_taken_in(
    post: Post, tmp_path: Path
) -> None:
    post.city.serves_until(post.node.document.valid_to + timedelta(days=401))
    post.file(b"page")
    out(post, tmp_path / "stick")
    with pytest.raises(EnrolmentOver):
        at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    (brought,) = read(post, tmp_path / "stick")
    assert brought.refused == "enrolment.over"
    assert "enrolment.over" in " ".join(told_in(brought))
    assert read_refusal(post.incoming.refusal(), post.node.document.gateway.signing_public).code == "enrolment.over"
    assert post.receipt() is None
    assert (effects(post.city.gateway.ledger), stored_at(post.city)) == ([], set())
    assert len(list(post.outgoing.envelopes())) == 1


async def test_the_last_of_the_400_days_is_still_answered(post: Post, tmp_path: Path) -> None:
    post.city.serves_until(post.node.document.valid_to + timedelta(days=400))
    post.file()
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    (brought,) = read(post, tmp_path / "stick")
    assert (brought.refused, brought.received) == (None, 1)
