"""What the screen asked for is done once, by the courier, with its end told; what is too old or gone is not done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from offline_store.mailbox import orders
from offline_store.mailbox.orders import Order, Progress
from sync_agent import courier_order
from tests.simulators.carriers import answer, at_the_city, carrying, out
from tests.simulators.post import Post
from tests.simulators.sticks import files_on

pytestmark = pytest.mark.node


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path / "world") as made:
        made.paths.settings.write_text(f'media_root = "{tmp_path / "media"}"\n', "utf-8")
        (tmp_path / "media" / "STICK").mkdir(parents=True)
        yield made


def asked(post: Post, way: str, *, medium: str = "STICK", age: timedelta = timedelta(0), number: int = 1) -> None:
    at = (datetime.now(UTC) - age).isoformat()
    orders.put_order(post.paths.outgoing, Order(order_id=f"{number:032x}", way=way, medium=medium, asked_at=at))


def told(post: Post) -> Progress:
    found = orders.progress(post.paths.incoming)
    assert found is not None
    return found


def test_a_stick_goes_out_and_comes_back_by_orders(post: Post, tmp_path: Path) -> None:
    stick = tmp_path / "media" / "STICK"
    post.file(os.urandom(50_000))
    asked(post, "out")
    assert courier_order.do(post.paths)
    done = told(post)
    assert (done.phase, done.code, done.params["ops"], done.params["pieces"]) == ("done", "courier.written", 1, 1)
    at_the_city(post, stick)
    answer(post, stick)
    asked(post, "in", number=2)
    assert courier_order.do(post.paths)
    assert (told(post).code, told(post).params["received"]) == ("courier.brought", 1)
    post.everything_arrived_once()


@pytest.mark.parametrize("medium", ["GONE", "..", ".", "", "a/b", "../../etc", "STICK/..", "LINK", "FILE"])
def test_only_a_folder_right_below_the_media_root_is_a_stick(post: Post, tmp_path: Path, medium: str) -> None:
    (tmp_path / "media" / "LINK").symlink_to(tmp_path)
    (tmp_path / "media" / "FILE").write_bytes(b"")
    asked(post, "out", medium=medium)
    assert not courier_order.do(post.paths)
    assert (told(post).phase, told(post).code) == ("failed", "courier.no_stick")


def test_an_order_that_lay_too_long_is_not_done(post: Post, tmp_path: Path) -> None:
    asked(post, "out", age=timedelta(minutes=5))
    assert not courier_order.do(post.paths)
    assert told(post).code == "courier.too_late"
    assert files_on(tmp_path / "media" / "STICK") == []


def test_what_the_courier_refuses_is_told_by_its_code(post: Post) -> None:
    asked(post, "in")
    assert not courier_order.do(post.paths)
    assert (told(post).phase, told(post).code) == ("failed", "courier.no_bundle")


def test_an_answer_that_is_older_or_known_is_said_to_be(post: Post, tmp_path: Path) -> None:
    stick = tmp_path / "media" / "STICK"
    post.file()
    out(post, tmp_path / "up")
    at_the_city(post, tmp_path / "up")
    answer(post, stick)
    old = stick.rename(tmp_path / "old")
    post.city.clock.forward(days=1)
    post.file()
    out(post, tmp_path / "up2")
    at_the_city(post, tmp_path / "up2")
    answer(post, stick)
    codes = []
    for number in (1, 2):
        asked(post, "in", number=number)
        courier_order.do(post.paths)
        codes.append(told(post).code)
    stick.rename(tmp_path / "new")
    old.rename(stick)
    asked(post, "in", number=3)
    courier_order.do(post.paths)
    assert [*codes, told(post).code] == ["courier.brought", "courier.known", "courier.older"]


async def test_the_resident_courier_does_each_order_once_and_tells_the_end_of_one_that_broke(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def process(*arguments: str, **_: object) -> object:
        begun.append(arguments[3])
        if len(begun) == 1:
            courier_order.do(post.paths)
        return await real(sys.executable, "-c", "pass")

    real = asyncio.create_subprocess_exec
    monkeypatch.setattr(asyncio, "create_subprocess_exec", process)
    monkeypatch.setattr(courier_order, "LOOK_S", 0.01)
    stopped = asyncio.Event()
    watching = asyncio.create_task(courier_order.watch_orders(post.paths, stopped))
    try:
        asked(post, "out")
        await until(lambda: _phase(post) == "done")
        await asyncio.sleep(0.1)
        assert len(begun) == 1
        asked(post, "out", number=2)
        await until(lambda: _phase(post) == "failed")
        assert told(post).code == "courier.broken_off"
    finally:
        stopped.set()
        await watching


def _phase(post: Post) -> str:
    found, order = orders.progress(post.paths.incoming), orders.order(post.paths.outgoing)
    return found.phase if found and order and found.order_id == order.order_id else ""


async def until(holds: object) -> None:
    for _ in range(3000):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never held")
