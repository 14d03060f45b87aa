"""A gateway that died between the last byte and the whole scan: the courier does not spin, and the scan arrives."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sync_agent.test_against_the_gateway import EXCHANGE, Post, posted

pytestmark = pytest.mark.node

ENOUGH = 10


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


async def test_who_disagree_about_a_scan_rest_and_then_begin_it_anew(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_agent.loop.ROUNDS_MOST", 5 * ENOUGH)
    post.file(os.urandom(50_000))
    ticket = post.outgoing.scan_tickets()[0]
    parts = post.city.gateway.folder.scan_parts / post.node.document.node_id
    parts.mkdir(parents=True)
    with post.vault.open(ticket.scan_hash) as sealed:
        (parts / f"{ticket.scan_hash}.{ticket.length}").write_bytes(sealed.read())
    await post.rounds.make_one()
    assert len([one for one in post.road.passed if one.path == EXCHANGE]) < ENOUGH
    await post.drain()
    post.everything_arrived_once()
