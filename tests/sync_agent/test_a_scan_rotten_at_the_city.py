"""A scan whose bytes rotted at the city is not fetched whole in every round: it rests, the others come, it is told.

The city of these tests is an older one that does not look at what it gives out; one that does says that it has nothing,
and asks for the scan again (`tests/city_gateway/test_lost_scans_come_again.py`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from city_gateway.scan_store.folder_store import FolderStore
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from sync_agent.inbound import FIRST_REST_S, LONGEST_REST_S, ROTTEN
from sync_agent.loop import Rounds
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import TOWNSHIP
from tests.simulators.flaky_road import FlakyRoad
from tests.simulators.post import SCANS, SETTINGS, Post, posted
from wire.enrolment import sign_enrolment

pytestmark = pytest.mark.node

KIB = 1024


class HandClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Township:
    """A township's courier that waits for two scans of a village; one of them rotted at the city."""

    post: Post
    clock: HandClock
    rotten: str
    sound: str
    bytes: dict[str, bytes]

    async def round(self) -> None:
        heard = await self.post.rounds.make_one()
        assert (heard.ok, heard.why) == (True, None)

    def times_fetched(self, name: str) -> int:
        return sum(one.method == "GET" and one.path == f"{SCANS}/{name}" for one in self.post.road.passed)

    def told(self) -> tuple[bool | None, str | None]:
        line = self.post.incoming.line()
        assert line is not None
        return line.up, line.last_error

    def mend_at_the_city(self) -> None:
        (self.post.city.gateway.folder.scans / self.rotten).write_bytes(self.bytes[self.rotten])


async def waiting_township(tmp_path: Path, village: Post, *, day_mib: int | None = None) -> Township:
    city = village.city
    names = village.filed[village.file(os.urandom(100 * KIB), os.urandom(120 * KIB))]
    await village.drain()
    kept = {name: (city.gateway.folder.scans / name).read_bytes() for name in names}
    rotten, sound = sorted(names)
    (city.gateway.folder.scans / rotten).write_bytes(kept[rotten][:-1] + bytes([kept[rotten][-1] ^ 1]))
    node = await city.enrol("township", TOWNSHIP, "测试镇")
    paths = NodePaths(tmp_path / "township")
    paths.create()
    write_node_file(paths.enrolment, sign_enrolment(node.document, city.gateway.keys.signing))
    road = FlakyRoad(httpx.ASGITransport(app=city.app, raise_app_exceptions=False))
    capped = {} if day_mib is None else {"scan_mib_per_day": day_mib}
    post = Post(city, node, paths, road, AgentSettings(**(SETTINGS | capped)))
    clock = HandClock()
    post.rounds = Rounds(paths, post.settings, post.rounds._uplink, clock=clock)
    for name in names:
        post.outgoing.want_scan(name)
    return Township(post, clock, rotten, sound, kept)


@pytest.fixture
async def village(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    monkeypatch.setattr(FolderStore, "is_sound", lambda *_: True)
    async with posted(tmp_path / "village") as made:
        yield made


async def test_it_is_fetched_once_an_hour_at_most_and_the_other_comes(village: Post, tmp_path: Path) -> None:
    township = await waiting_township(tmp_path, village)
    for _ in range(5):
        await township.round()
    assert township.times_fetched(township.rotten) == 1
    assert township.post.vault.hashes() == [township.sound]
    assert township.told() == (True, ROTTEN), "the line is up; what is wrong beside it is told"
    township.clock.now = FIRST_REST_S
    await township.round()
    assert township.times_fetched(township.rotten) == 2
    township.clock.now += FIRST_REST_S
    await township.round()
    assert township.times_fetched(township.rotten) == 2, "the second rest is longer"


async def test_it_is_tried_once_a_day_at_least(village: Post, tmp_path: Path) -> None:
    township = await waiting_township(tmp_path, village)
    for tries in range(1, 12):
        await township.round()
        assert township.times_fetched(township.rotten) == tries
        township.clock.now += LONGEST_REST_S


async def test_when_the_city_has_it_again_it_comes_and_nothing_is_told_any_more(village: Post, tmp_path: Path) -> None:
    township = await waiting_township(tmp_path, village)
    await township.round()
    township.mend_at_the_city()
    township.clock.now = FIRST_REST_S
    await township.round()
    assert sorted(township.post.vault.hashes()) == sorted((township.rotten, township.sound))
    assert township.told() == (True, None)


async def test_it_leaves_the_days_allowance_to_the_others(village: Post, tmp_path: Path) -> None:
    township = await waiting_township(tmp_path, village, day_mib=1)
    township.post.outgoing.unwant(township.sound)
    for _ in range(20):
        await township.round()
    township.post.outgoing.want_scan(township.sound)
    township.clock.now = FIRST_REST_S  # the rotten one may go again, and stands behind
    await township.round()
    assert township.post.vault.hashes() == [township.sound]
    asked = [one.path for one in township.post.road.passed if one.method == "GET" and one.path.startswith(SCANS)]
    assert asked == [f"{SCANS}/{name}" for name in (township.rotten, township.sound, township.rotten)]
