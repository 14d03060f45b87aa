"""A scan of a carried bundle that cannot be joined now keeps neither the mail nor the other scans from counting."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from city_gateway.acts import pieces, uploads
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.uploads import COME_BACK_S, Upload
from city_gateway.errors import Busy
from city_gateway.ledger import carried
from tests.simulators.carriers import answer, at_the_city, carrying, out, read
from tests.simulators.post import Post
from tests.simulators.sticks import stick
from wire.bundle import SCAN, bundle_id, read_up
from wire.stick import UP, bundles, read_inventory

pytestmark = pytest.mark.node


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path) as made:
        made.file(b"the first page" * 500, b"the second page" * 500)
        yield made


@pytest.mark.parametrize("why", [Busy(COME_BACK_S), OSError(errno.ENOSPC, "No space left on device")])
async def test_a_scan_without_room_waits_and_is_joined_when_the_stick_is_read_again(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    root, gateway = tmp_path / "stick", post.city.gateway
    out(post, root)
    document = read_inventory(stick(root), bundles(stick(root), UP)[0])
    said = read_up(document, post.node.transport.public, gateway=gateway.keys.gateway_id)
    first, second = dict.fromkeys(str(part.scan) for part in said.parts if part.kind == SCAN)
    begin = uploads.begin

    def no_room_for_the_first(at: Gateway, node_id: str, scan_hash: str, length: int) -> Upload:
        if scan_hash == first:
            raise why
        return begin(at, node_id, scan_hash, length)

    monkeypatch.setattr(uploads, "begin", no_room_for_the_first)
    (taken,) = at_the_city(post, root)
    assert (taken.operations_new, taken.scans_whole, taken.scans_in_part) == (taken.operations, 1, 1)
    assert [(gateway.folder.scans / name).is_file() for name in (first, second)] == [False, True]
    with gateway.ledger.reading() as tx:
        assert carried.known(tx, bundle_id(document))
    answer(post, tmp_path / "another stick")  # it asks for both scans, and is written all the same
    monkeypatch.undo()
    (again,) = at_the_city(post, root)
    assert (again.replayed, again.operations_new, again.scans_whole, again.scans_in_part) == (True, 0, 2, 0)
    answer(post, root)
    read(post, root)
    post.everything_arrived_once()
    assert list(gateway.folder.scan_parts.glob(f"*/{pieces.LYING}")) == []
