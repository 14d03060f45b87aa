"""A village that never has a line gets its renewed document by stick, on the receipt, like everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.simulators.carriers import answer, at_the_city, carrying, out, read
from tests.simulators.post import Post
from wire.enrolment import read_enrolment

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
