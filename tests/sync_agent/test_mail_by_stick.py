"""A village without a line: its mail goes to the city by stick and the city's answer comes back by stick."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from city_gateway.acts import pieces, uploads
from city_gateway.ledger import nodes
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Facts
from offline_store.vault.scans import Vault
from sync_agent import carried
from sync_agent.arriving import News
from sync_agent.courier_commands import told_out
from sync_agent.errors import NoBundle, NotForThisNode, StickFull
from tests.simulators.carriers import answer, at_the_city, carrying, out, read
from tests.simulators.post import SCAN_BYTES, Post, effects, stored_at
from tests.simulators.sticks import files_on, stick
from wire.enrolment import read_enrolment
from wire.errors import FORK
from wire.stick import DOWN, INVENTORY, UP, bundles

pytestmark = pytest.mark.node
MIB = 1024 * 1024


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path) as made:
        yield made


async def test_everything_goes_up_and_comes_back_on_one_stick(post: Post, tmp_path: Path) -> None:
    post.file(os.urandom(SCAN_BYTES), b"small")
    post.file()
    written = out(post, tmp_path / "stick")
    assert (written.ops, written.pieces, written.left.scans) == (2, 2, 0)
    (taken,) = at_the_city(post, tmp_path / "stick")
    assert (taken.operations_new, taken.scans_whole, taken.replayed) == (2, 2, False)
    answer(post, tmp_path / "stick")
    (brought,) = read(post, tmp_path / "stick")
    assert (brought.news, brought.received, brought.feed) == (News.NEW, 2, 2)
    post.everything_arrived_once()


async def test_a_bundle_with_nothing_in_it_says_that_it_only_asks(post: Post, tmp_path: Path) -> None:
    assert "不急用就不必带去" in " ".join(told_out(out(post, tmp_path / "stick")))
    post.file()
    assert "请把U盘交给乡镇" in " ".join(told_out(out(post, tmp_path / "stick")))


async def test_names_on_the_stick_fit_the_oldest_fat(post: Post, tmp_path: Path) -> None:
    post.file(b"page")
    out(post, tmp_path / "stick")
    for path in files_on(tmp_path / "stick"):
        stem, _, ending = path.name.partition(".")
        assert (len(stem) <= 8, len(ending) <= 3, path.name.isupper()) == (True, True, True)
        assert len(path.parent.name) == 8


async def test_scans_go_on_with_the_next_stick_and_the_order_of_sticks_does_not_matter(
    post: Post, tmp_path: Path
) -> None:
    post.file(os.urandom(6 * MIB), os.urandom(MIB), os.urandom(900_000))
    sticks = [tmp_path / f"stick{number}" for number in range(8)]
    written = [out(post, root, capacity=4 * MIB) for root in sticks]
    lefts = [one.left.bytes for one in written]
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] == 0
    assert lefts[0] > 0
    for root in reversed(sticks):
        at_the_city(post, root)
    assert len(stored_at(post.city)) == 3
    assert effects(post.city.gateway.ledger) == list(dict.fromkeys(effects(post.city.gateway.ledger)))
    answer(post, sticks[0])
    read(post, sticks[0])
    post.everything_arrived_once()


async def test_an_envelope_that_rotted_costs_no_bundle(post: Post, tmp_path: Path) -> None:
    for _ in range(3):
        post.file()
    _, path = list(post.outgoing.envelopes())[1]
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    written = out(post, tmp_path / "stick")
    assert (written.ops, written.left.ops) == (1, 2)
    (taken,) = at_the_city(post, tmp_path / "stick")
    assert taken.operations_new == 1
    path.write_bytes(sound)  # edge_node laid it anew
    assert out(post, tmp_path / "second").ops == 3
    at_the_city(post, tmp_path / "second")
    answer(post, tmp_path / "second")
    read(post, tmp_path / "second")
    post.everything_arrived_once()


@pytest.mark.parametrize("size", [SCAN_BYTES, 6 * MIB])
async def test_a_scan_that_rotted_is_not_carried_and_told(post: Post, tmp_path: Path, size: int) -> None:
    post.file(os.urandom(size), b"small")
    rotten = max(post.outgoing.scan_tickets(), key=lambda ticket: ticket.length).scan_hash
    path = Vault(post.paths.vault).path(rotten)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    written = out(post, tmp_path / "stick", capacity=4 * MIB)
    assert (written.pieces, written.damaged) == (1, 1)
    assert list(Incoming(post.paths.incoming).damaged_scans()) == [rotten]


async def test_a_lost_stick_is_made_good_by_beginning_anew(post: Post, tmp_path: Path) -> None:
    post.file(os.urandom(SCAN_BYTES))
    out(post, tmp_path / "lost")
    assert out(post, tmp_path / "second").pieces == 0, "the scan is on the first stick, as far as is known here"
    assert out(post, tmp_path / "third", again=True).pieces == 1
    at_the_city(post, tmp_path / "third")
    answer(post, tmp_path / "third")
    read(post, tmp_path / "third")
    post.everything_arrived_once()


async def test_what_the_city_holds_in_part_is_where_the_next_stick_goes_on(post: Post, tmp_path: Path) -> None:
    post.file(os.urandom(6 * MIB))
    out(post, tmp_path / "first", capacity=4 * MIB)
    at_the_city(post, tmp_path / "first")
    own = post.node.document.node_id
    carried.remember(post.paths.agent_folder, own, carried.Carried(1, {}))  # it forgot what it gave away
    answer(post, tmp_path / "first")
    read(post, tmp_path / "first")
    (held,) = carried.remembered(post.paths.agent_folder, own).scans.values()
    assert 0 < held < 6 * MIB
    written = out(post, tmp_path / "second")
    assert (written.ops, written.pieces) == (0, 1)
    assert written.bytes < 6 * MIB
    (taken,) = at_the_city(post, tmp_path / "second")
    assert taken.scans_whole == 1


async def test_a_courier_that_lost_its_notes_goes_on_behind_what_the_city_answered(post: Post, tmp_path: Path) -> None:
    own = post.node.document.node_id
    for round_trip in range(3):
        post.file()
        out(post, tmp_path / f"{round_trip}")
        at_the_city(post, tmp_path / f"{round_trip}")
    (post.paths.agent_folder / carried.FILE).unlink()
    answer(post, tmp_path / "2")
    read(post, tmp_path / "2")
    assert carried.remembered(post.paths.agent_folder, own).number == 3
    post.file()
    assert out(post, tmp_path / "next").number == 4


async def test_pieces_are_not_laid_into_an_upload_that_somebody_writes(post: Post, tmp_path: Path) -> None:
    post.file(os.urandom(6 * MIB))
    first, second = tmp_path / "first", tmp_path / "second"
    out(post, first, capacity=4 * MIB)
    out(post, second)
    at_the_city(post, first)
    own = post.node.document.node_id
    (name,) = {name for names in post.filed.values() for name in names}
    began = uploads.find(post.city.gateway, own, name)
    with uploads.writing(began):
        (taken,) = at_the_city(post, second)
        assert (taken.scans_whole, taken.scans_in_part) == (0, 1)
        assert began.path.stat().st_size == began.offset
    answer(post, second)
    read(post, second)
    assert stored_at(post.city) == {name}, "the pieces were laid in when the city looked at them next"
    post.everything_arrived_once()


async def test_pieces_of_a_scan_that_came_whole_over_the_line_are_removed(post: Post, tmp_path: Path) -> None:
    post.file(os.urandom(6 * MIB))
    out(post, tmp_path / "lost", capacity=4 * MIB)
    out(post, tmp_path / "second")
    at_the_city(post, tmp_path / "second")  # what lies behind the hole
    carried_to = post.city.gateway.folder.scan_parts / post.node.document.node_id / pieces.CARRIED
    assert len(list(carried_to.iterdir())) == 1
    assert pieces.forget_whole(post.city.gateway) == 0
    await post.drain()
    assert pieces.forget_whole(post.city.gateway) == 1
    assert list(carried_to.iterdir()) == []
    post.everything_arrived_once()


async def test_a_stick_goes_on_where_the_line_broke_off(post: Post, tmp_path: Path) -> None:
    from tests.simulators import flaky_road

    post.file(os.urandom(SCAN_BYTES))
    post.road.expect(flaky_road.cuts_the_request(7_000), method="PATCH")
    post.road.expect(flaky_road.no_line(), method="HEAD", times=3)
    await post.rounds.make_one()
    out(post, tmp_path / "stick")
    (taken,) = at_the_city(post, tmp_path / "stick")
    assert taken.scans_whole == 1
    await post.drain()
    post.everything_arrived_once()


async def test_a_bundle_for_another_node_changes_nothing(post: Post, tmp_path: Path) -> None:
    other = await post.city.enrol(site="511603106001")
    answer(post, tmp_path / "stick", other.document.node_id)
    before = post.believed()
    with pytest.raises(NotForThisNode):
        read(post, tmp_path / "stick")
    with pytest.raises(NoBundle):
        read(post, tmp_path / "empty")
    assert post.believed() == before


async def test_an_older_answer_of_the_same_city_is_not_believed(post: Post, tmp_path: Path) -> None:
    post.file()
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "old")
    post.city.clock.forward(days=2)
    post.file()
    out(post, tmp_path / "again")
    at_the_city(post, tmp_path / "again")
    answer(post, tmp_path / "new")
    assert read(post, tmp_path / "new")[0].received == 2
    before = post.believed()
    assert [one.news for one in read(post, tmp_path / "old")] == [News.OLDER]
    assert [one.news for one in read(post, tmp_path / "new")] == [News.KNOWN]
    assert post.believed() == before


async def test_no_room_is_said_before_anything_is_written(post: Post, tmp_path: Path) -> None:
    post.file(b"page")
    with pytest.raises(StickFull):
        out(post, tmp_path / "stick", capacity=MIB)
    assert not list((tmp_path / "stick").iterdir())


async def test_bundles_that_have_done_their_work_leave_the_stick_and_others_stay(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file(b"page")
    out(post, root)
    (first,) = bundles(stick(root), UP)
    at_the_city(post, root)
    answer(post, root)
    read(post, root)
    for name in post.vault.hashes():
        post.outgoing.remove_scan_ticket(name)  # edge_node, after the receipt
    post.outgoing.put_facts(Facts(1, None, "test", None))
    out(post, root)
    (second,) = bundles(stick(root), UP)
    assert second != first
    assert bundles(stick(root), DOWN) == []
    assert (root / "guangan-mail" / second / INVENTORY).is_file()


async def test_a_document_that_ends_soon_is_renewed_by_stick(post: Post, tmp_path: Path) -> None:
    valid_to = post.node.document.valid_to
    post.city.clock.now = valid_to - timedelta(days=30)
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    read(post, tmp_path / "stick")
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.renewal is not None
    assert read_enrolment(receipt.renewal, post.node.document.gateway.signing_public).valid_to > valid_to


async def test_an_identity_that_was_stopped_is_told_so_by_stick(post: Post, tmp_path: Path) -> None:
    post.file()
    with post.city.gateway.ledger.transaction() as tx:
        nodes.stop(tx, post.node.document.node_id, FORK)
    answer(post, tmp_path / "stick")
    assert [one.refused for one in read(post, tmp_path / "stick")] == ["fork"]
    assert post.incoming.refusal() is not None
    assert post.receipt() is None
