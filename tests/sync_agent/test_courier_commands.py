"""The four commands, as people type them: what they say, what their exit code says, and that nothing lies half done."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from city_gateway.__main__ import app as city_app
from city_gateway.ledger import nodes, served_days
from sync_agent.commands import app as agent_app
from tests.simulators.carriers import carrying
from tests.simulators.post import Post
from tests.simulators.sticks import files_on

pytestmark = pytest.mark.node


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path / "world") as made:
        yield made


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


def station(post: Post, *arguments: object) -> Result:
    way, *rest = arguments
    root = ["--root", str(post.paths.root)]
    return CliRunner().invoke(agent_app, ["courier", str(way), *root, *map(str, rest)])


def city(post: Post, world: Path, *arguments: object) -> Result:
    way, *rest = arguments
    where = ["--folder", str(post.city.gateway.folder.root), "--database", f"sqlite:///{world / 'world' / 'ledger.db'}"]
    return CliRunner().invoke(city_app, ["courier", str(way), *where, *map(str, rest)])


def test_a_stick_goes_round_by_commands(post: Post, tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    post.file(os.urandom(30_000))
    said = station(post, "out", "--to", place)
    assert said.exit_code == 0, said.output
    assert "第 1 号邮包" in said.output
    taken = city(post, tmp_path, "in", "--from", place)
    assert taken.exit_code == 0, taken.output
    assert "新收 1 条" in taken.output
    assert "附件收齐 1 份" in taken.output
    again = city(post, tmp_path, "in", "--from", place)
    assert again.exit_code == 0
    assert "以前收过" in again.output
    written = city(post, tmp_path, "out", "--to", place, "--all")
    assert written.exit_code == 0, written.output
    assert not any(path.parent.name.startswith("U") for path in files_on(place)), "what is in the ledger makes room"
    read = station(post, "in", "--from", place)
    assert read.exit_code == 0, read.output
    assert "市级已收到第 1 条" in read.output
    post.everything_arrived_once()


def test_what_is_refused_says_why_and_fails(post: Post, tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    assert station(post, "in", "--from", place).exit_code == 1
    assert city(post, tmp_path, "in", "--from", place).exit_code == 1
    assert city(post, tmp_path, "out", "--to", place).exit_code == 1
    post.file(os.urandom(10_000))
    station(post, "out", "--to", place)
    spoiled = max(files_on(place), key=lambda path: path.stat().st_size)
    spoiled.write_bytes(spoiled.read_bytes()[:-1] + bytes([spoiled.read_bytes()[-1] ^ 1]))
    refused = city(post, tmp_path, "in", "--from", place)
    assert refused.exit_code == 1
    assert "总账没有任何改动" in refused.output
    assert "wire.tampered" in refused.output


def test_an_enrolment_that_is_long_over_is_answered_and_both_ends_are_told(post: Post, tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    post.file()
    station(post, "out", "--to", place)
    node_id = post.node.document.node_id
    ended = datetime.now(UTC) - timedelta(days=401)
    with post.city.gateway.ledger.transaction() as tx:
        nodes.renew(tx, node_id, ended - timedelta(days=730), ended)
        for days in range(402):
            served_days.number_of(tx, (ended + timedelta(days=days)).date())
    refused = city(post, tmp_path, "in", "--from", place)
    assert (refused.exit_code, "enrolment.over" in refused.output) == (1, True)
    written = city(post, tmp_path, "out", "--to", place, "--node", node_id)
    assert (written.exit_code, "到期超过 400 天" in written.output) == (0, True)
    read = station(post, "in", "--from", place)
    assert (read.exit_code, "enrolment.over" in read.output) == (0, True)
    assert post.receipt() is None


def test_a_stick_that_was_pulled_and_a_small_one_are_told(post: Post, tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    post.file(os.urandom(5 * 1024 * 1024))
    small = station(post, "out", "--to", place, "--capacity", 4)
    assert small.exit_code == 0
    assert "没装下" in small.output
    next(path for path in files_on(place) if path.name == "INVENTRY.JSN").unlink()
    half = city(post, tmp_path, "in", "--from", place)
    assert half.exit_code == 1
    assert "没有写完" in half.output
