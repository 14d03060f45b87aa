"""R07: the scans of an operation are all there, byte for byte, or it is told that they are not.

An operation names each scan by the hash of its sealed bytes. The vault keeps a scan so that a power cut leaves it whole
under its name; the other ways to write a file, which must lose under the same cuts, are the controls. What rots or
vanishes later is found by its hash before it is sent, told, and stops nothing else.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sync_agent.sound_scans import SoundScans
from tests.faults.apart import LIMIT_S, outcome_of
from tests.faults.tally import record
from tests.simulators.post import Post, posted, stored_at

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

OTHER_WAYS = [
    "vault, written only",
    "vault, written and renamed",
    "vault, folder not flushed",
    "vault, file not flushed",
]
EVERYDAY, FULL = 4, 100


def cut(flow: str, scratch: Path, trials: int, filesystem: str = "ext4") -> dict[str, Any]:
    return outcome_of("cut", flow, scratch / "cuts", "--trials", trials, "--fs", filesystem, mounts=True)


def judge(scratch: Path, trials: int, filesystem: str) -> None:
    outcome = cut("vault", scratch, trials, filesystem)
    record("R07", f"power cut, {filesystem}", trials, len(outcome["broken"]), 0)
    assert outcome["broken"] == []
    assert outcome["told"] >= trials, "a cut before anything was told shows nothing"


def test_a_scan_that_was_called_kept_survives_a_power_cut_whole(tmp_path: Path) -> None:
    judge(tmp_path, EVERYDAY, "ext4")


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
def test_scans_survive_a_hundred_power_cuts_whole(filesystem: str, tmp_path: Path) -> None:
    judge(tmp_path, FULL, filesystem)


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_every_other_way_to_write_a_scan_loses_it(way: str, tmp_path: Path) -> None:
    outcome = cut(way, tmp_path, 3)
    record("R07", f"control: {way}", 3, len(outcome["broken"]), 0)
    assert outcome["broken"]


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posted(tmp_path) as made:
        yield made


def damage(path: Path, how: str) -> None:
    """One way for a disk to lose a scan after it was safe."""
    data = bytearray(path.read_bytes())
    match how:
        case "one bit":
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        case "truncated":
            path.write_bytes(data[: len(data) // 3])
        case "a page of zeros":
            data[4096:8192] = bytes(4096)
            path.write_bytes(data)
        case "empty":
            path.write_bytes(b"")
        case "another scan":
            path.write_bytes(os.urandom(len(data)))
        case "vanished":
            path.unlink()
        case "a folder":
            path.unlink()
            path.mkdir()


DAMAGES = ["one bit", "truncated", "a page of zeros", "empty", "another scan", "vanished", "a folder"]


@pytest.mark.parametrize("how", DAMAGES)
async def test_a_damaged_scan_is_told_and_everything_else_goes_on(post: Post, how: str) -> None:
    post.file(os.urandom(40_000), os.urandom(20_000))
    post.file(os.urandom(30_000))
    spoilt = next(iter(post.filed.values()))[0]
    damage(post.vault.path(spoilt), how)
    heard = await post.rounds.make_one()
    assert heard.ok
    others = {name for names in post.filed.values() for name in names} - {spoilt}
    assert stored_at(post.city) == set(post.incoming.stored_scans()) == others
    assert post.incoming.damaged_scans() == {spoilt: "vanished" if how == "vanished" else "rotten"}
    sent = [one for one in post.road.passed if spoilt in one.path]
    assert sent == [], "no byte of it cost the line anything"
    line = post.incoming.line()
    assert line is not None
    assert (line.up, line.scans_damaged, line.backlog_scans) == (True, 1, 0)
    missing, duplicated, false_sent, phantom = post.counted()
    lost = missing - len(post.incoming.damaged_scans())  # what is told to be damaged is not lost in silence
    assert (lost, duplicated, false_sent, phantom) == (0, 0, 0, 0)
    record("R07", f"damaged: {how}", 1, lost, duplicated, false_sent, phantom)


async def test_a_scan_that_is_sound_again_is_sent_after_the_node_has_looked(post: Post) -> None:
    post.file(os.urandom(20_000))
    (name,) = next(iter(post.filed.values()))
    path = post.vault.path(name)
    data = path.read_bytes()
    damage(path, "one bit")
    await post.rounds.make_one()
    path.write_bytes(data)  # a person put the disk right
    await post.rounds.make_one()
    assert stored_at(post.city) == set()
    post.incoming.clear_scan_damaged(name)  # edge_node read it and found it sound
    await post.drain()
    post.everything_arrived_once()


async def test_a_scan_that_rots_while_it_is_sent_is_found_by_the_city_and_then_told(post: Post) -> None:
    post.file(os.urandom(60_000))
    (name,) = next(iter(post.filed.values()))

    async def rots(request: Any, forward: Any) -> Any:
        answer = await forward(request)
        damage(post.vault.path(name), "one bit")
        os.utime(post.vault.path(name), ns=(0, 0))
        return answer

    post.road.expect(rots, method="POST", path="/v1/scans")
    for _ in range(3):
        await post.rounds.make_one()
    assert stored_at(post.city) == set()
    assert post.incoming.damaged_scans() == {name: "rotten"}


async def test_a_courier_that_does_not_look_sends_what_is_not_the_scan(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the look, the bytes cross the line, the city alone finds out, and nobody here is told."""

    async def sound(_self: SoundScans, _scan_hash: str) -> None:
        return None

    monkeypatch.setattr(SoundScans, "damage", sound)
    post.file(os.urandom(40_000))
    (name,) = next(iter(post.filed.values()))
    damage(post.vault.path(name), "one bit")
    await post.rounds.make_one()
    assert [one for one in post.road.passed if one.path.startswith("/v1/scans")]
    assert (stored_at(post.city), post.incoming.damaged_scans()) == (set(), {})
    assert post.counted() == (1, 0, 0, 0), "the scan is gone and nobody was told"
    record("R07", "control: nobody looks", 1, *post.counted())
