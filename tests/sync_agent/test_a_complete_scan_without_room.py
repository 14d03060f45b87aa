"""The last step of a scan finds no room, at the city or here: the next try finishes it, and no byte goes again."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from sync_agent.inbound import ROTTEN
from sync_agent.loop import Rounds
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import TOWNSHIP
from tests.simulators.flaky_road import FlakyRoad
from tests.simulators.post import SCANS, SETTINGS, Post, posted, stored_at
from wire.enrolment import sign_enrolment

pytestmark = pytest.mark.fault

KIB = 1024


class HandClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path / "village") as made:
        yield made


@pytest.fixture
def no_room_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Nothing can be renamed into this folder, until `monkeypatch.undo`."""

    def begin(folder: Path) -> None:
        real = Path.replace

        def replace(self: Path, target: Path) -> Path:
            if Path(target).parent == folder:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)

    return begin


@pytest.mark.parametrize("restarted", [False, True], ids=["the same run", "started again"])
async def test_a_scan_that_the_city_could_not_put_in_its_place_costs_the_line_nothing_more(
    village: Post, no_room_in: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    clock = HandClock()
    village.rounds = Rounds(village.paths, village.settings, village.rounds._uplink, clock=clock)
    village.file(os.urandom(100 * KIB))
    no_room_in(village.city.gateway.folder.scans)
    for _ in range(3):
        await village.rounds.make_one()
    assert stored_at(village.city) == set()
    sent = bytes_of_scans(village)
    clock.now += 600
    await village.rounds.make_one()
    assert bytes_of_scans(village) == sent, "the city is asked, and still has no room"
    monkeypatch.undo()
    if restarted:
        village.restart()
    clock.now += 1200
    await village.drain()
    village.everything_arrived_once()
    most = village.settings.piece_bytes if restarted else 0
    assert bytes_of_scans(village) - sent <= most, "who was started anew asks with one piece, as after any cut"


def bytes_of_scans(post: Post) -> int:
    return sum(one.length for one in post.road.passed if one.path.startswith(SCANS))


class Township:
    """A township's courier that waits for one scan of a village."""

    def __init__(self, folder: Path, village: Post, name: str, node: object) -> None:
        self.paths = NodePaths(folder)
        self.paths.create()
        self.name = name
        write_node_file(self.paths.enrolment, sign_enrolment(node.document, village.city.gateway.keys.signing))
        road = FlakyRoad(httpx.ASGITransport(app=village.city.app, raise_app_exceptions=False))
        self.post = Post(village.city, node, self.paths, road, AgentSettings(**SETTINGS))
        self.post.outgoing.want_scan(name)

    async def round(self) -> int:
        """One round; how often the scan was asked for in it."""
        before = len(self.post.road.passed)
        heard = await self.post.rounds.make_one()
        assert (heard.ok, heard.why) == (True, None)
        return sum(one.path == f"{SCANS}/{self.name}" for one in self.post.road.passed[before:])

    @property
    def part(self) -> Path:
        return self.paths.vault / f"{self.name}.part"


@pytest.fixture
async def township(tmp_path: Path, village: Post) -> Township:
    (name,) = village.filed[village.file(os.urandom(100 * KIB))]
    await village.drain()
    node = await village.city.enrol("township", TOWNSHIP, "测试镇")
    return Township(tmp_path / "township", village, name, node)


async def test_a_scan_that_came_whole_is_put_in_its_place_when_there_is_room_and_not_fetched_again(
    township: Township, no_room_in: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room_in(township.paths.vault)
    assert await township.round() == 1
    assert (township.post.vault.hashes(), township.part.exists()) == ([], True)
    assert await township.round() == 0, "every byte is here: nothing is asked of the city"
    monkeypatch.undo()
    assert await township.round() == 0
    assert (township.post.vault.hashes(), township.part.exists()) == ([township.name], False)


async def test_who_was_started_again_learns_from_the_city_that_nothing_is_missing(
    township: Township, no_room_in: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room_in(township.paths.vault)
    await township.round()
    monkeypatch.undo()
    township.post.restart()
    received = township.post.rounds._uplink.received_bytes
    assert await township.round() == 1
    assert township.post.vault.hashes() == [township.name]
    assert township.post.rounds._uplink.received_bytes - received < 8 * KIB


async def test_a_part_as_long_as_the_scan_with_other_bytes_is_dropped_and_fetched_again(township: Township) -> None:
    length = (township.post.city.gateway.folder.scans / township.name).stat().st_size
    township.post.vault.part(township.name).append(0, bytes(length))
    assert await township.round() == 1
    line = township.post.incoming.line()
    assert line is not None
    assert (township.part.exists(), line.last_error) == (False, ROTTEN)
    township.post.restart()
    await township.round()
    assert township.post.vault.hashes() == [township.name]
