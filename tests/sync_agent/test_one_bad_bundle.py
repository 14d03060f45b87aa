"""One damaged bundle on a stick keeps no sound one from being taken in; it is told, and raised when nothing came."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.mailbox import orders
from offline_store.mailbox.orders import IN, Order
from sync_agent import courier_order
from sync_agent.arriving import News
from sync_agent.commands import app
from sync_agent.courier_in import take_in
from sync_agent.errors import NotForThisNode, StickGone
from sync_agent.stick_folder import StickFolder
from tests.simulators.carriers import answer, at_the_city, carrying, out, read, read_all, sack
from tests.simulators.post import Post
from tests.simulators.sticks import stick
from wire.errors import MalformedMessage, Tampered, WrongSignature
from wire.stick import DOWN, FOLDER, INVENTORY, bundles, part_name

pytestmark = pytest.mark.node


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path / "world") as made:
        yield made


def spoil(root: Path, folder: str, name: str = INVENTORY) -> None:
    """A file of this bundle is of the length that it was, and of other bytes."""
    file = root / FOLDER / folder / name
    file.write_bytes(b"\0" * file.stat().st_size)


async def a_neighbour(post: Post, root: Path) -> str:
    """The city answers another node on the same stick; the folder of that bundle."""
    before = set(bundles(stick(root), DOWN))
    other = await post.city.enrol(site="511603106001")
    answer(post, root, other.document.node_id)
    (folder,) = set(bundles(stick(root), DOWN)) - before
    return folder


def answered(post: Post, root: Path) -> str:
    """The village's mail went to the city, and the answer lies on the stick; the folder of that bundle."""
    before = set(bundles(stick(root), DOWN))
    out(post, root.with_name(f"{root.name}-up-{len(before)}"))
    at_the_city(post, root.with_name(f"{root.name}-up-{len(before)}"))
    answer(post, root)
    (folder,) = set(bundles(stick(root), DOWN)) - before
    return folder


async def test_a_damaged_bundle_of_a_neighbour_leaves_the_own_answer_readable(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file()
    answered(post, root)
    spoil(root, await a_neighbour(post, root))
    taken = read_all(post, root)
    assert [one.news for one in taken.arrived] == [News.NEW]
    assert taken.damaged == [MalformedMessage.code], "whose it was cannot be seen any more, so it is told"
    post.everything_arrived_once()


@pytest.mark.parametrize("name", [INVENTORY, part_name(1)])
async def test_when_the_older_of_two_own_answers_is_damaged_the_newer_is_taken_in(
    post: Post, tmp_path: Path, name: str
) -> None:
    root = tmp_path / "stick"
    post.file()
    older = answered(post, root)
    post.city.clock.forward(days=1)
    post.file()
    answered(post, root)
    spoil(root, older, name)
    taken = read_all(post, root)
    assert ([one.received for one in taken.arrived], len(taken.damaged)) == ([2], 1)
    post.everything_arrived_once()


async def test_when_the_newer_of_two_own_answers_is_damaged_the_older_counts(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file()
    answered(post, root)
    post.city.clock.forward(days=1)
    post.file()
    spoil(root, answered(post, root), part_name(1))
    taken = read_all(post, root)
    assert ([one.received for one in taken.arrived], taken.damaged) == ([1], [Tampered.code])
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.hwm == 1, "all or nothing: no word of the damaged one is here"


async def test_when_nothing_could_be_taken_in_what_is_damaged_is_raised(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file()
    spoil(root, answered(post, root), part_name(1))
    await a_neighbour(post, root)
    before = post.believed()
    with pytest.raises(Tampered):
        read(post, root)
    assert post.believed() == before


async def test_a_forged_answer_keeps_nobody_from_reading_and_is_not_believed(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file()
    file = root / FOLDER / answered(post, root) / INVENTORY
    sound = file.read_bytes()
    at = sound.index(b'"sig":"') + len(b'"sig":"')
    forged = sound[:at] + (b"B" if sound[at : at + 1] == b"A" else b"A") + sound[at + 1 :]
    (root / FOLDER / "D0000000").mkdir()
    (root / FOLDER / "D0000000" / INVENTORY).write_bytes(forged)
    taken = read_all(post, root)
    assert (len(taken.arrived), taken.damaged) == (1, [WrongSignature.code])
    post.everything_arrived_once()


async def test_what_is_only_for_others_is_said_to_be(post: Post, tmp_path: Path) -> None:
    await a_neighbour(post, tmp_path / "stick")
    with pytest.raises(NotForThisNode):
        read(post, tmp_path / "stick")


class BadSector(StickFolder):
    """A stick that cannot give one file any more."""

    bad: tuple[str, str] = ("", "")

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        if (folder, name) == self.bad:
            raise OSError(errno.EIO, "bad sector")
        yield from super().read(folder, name)


async def test_a_bad_sector_below_one_bundle_spoils_that_bundle_only(post: Post, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    post.file()
    answered(post, root)
    medium = BadSector(root)
    medium.bad = (await a_neighbour(post, root), INVENTORY)
    taken = take_in(sack(post), medium)
    assert (len(taken.arrived), taken.damaged) == (1, [StickGone.code])
    post.everything_arrived_once()


async def test_the_screen_and_the_command_are_told_that_one_was_damaged(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.setenv("GUANGAN_NODE_MEDIA_ROOT", str(tmp_path))
    root = tmp_path / "stick"
    post.file()
    answered(post, root)
    spoil(root, await a_neighbour(post, root))
    order = Order(order_id="1" * 32, way=IN, medium="stick", asked_at=datetime.now(UTC).isoformat())
    orders.put_order(post.paths.outgoing, order)
    assert courier_order.do(post.paths)
    told = orders.progress(post.paths.incoming)
    assert told is not None
    assert (told.code, told.params["received"], told.params["unreadable"]) == ("courier.brought", 1, 1)
    said = CliRunner().invoke(app, ["courier", "in", "--root", str(post.paths.root), "--from", str(root)])
    assert said.exit_code == 0, said.output
    assert "另有 1 个邮包损坏" in said.output
