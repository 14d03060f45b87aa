"""A stick or a relay tells a courier that is running of a restored city: from then on the line of the city before the
restore is not believed any more, though it answers with a sound signature and to the courier's own question."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.city_gateway.backup_world import backed_up, restored, workshop
from tests.city_gateway.gateway_fixtures import City, city_in
from tests.simulators.carriers import answer, carrying, out, read, taken_in
from tests.simulators.post import Post
from tests.simulators.sticks import stick
from wire.exchange.node import ABANDONED
from wire.stick import UP, bundles

pytestmark = pytest.mark.node


@asynccontextmanager
async def two_cities(folder: Path) -> AsyncIterator[tuple[Post, City]]:
    """A village with a courier that runs, its city, and the same city restored elsewhere from a backup of today."""
    async with carrying(folder) as post:
        post.file(b"before the backup")
        await post.drain()
        url = f"sqlite:///{folder / 'ledger.db'}"
        backup = backed_up(workshop(post.city, url, folder / "backups"))
        elsewhere, its_url = folder / "restored", f"sqlite:///{folder / 'restored.db'}"
        shutil.copytree(post.city.gateway.folder.root, elsewhere)
        restored(elsewhere, its_url, backup, post.city)
        async with city_in(elsewhere, its_url) as city:
            city.clock.now = post.city.clock.now
            for one in (city, post.city):
                one.clock.forward(minutes=1)
            yield post, city


def by_stick(post: Post, city: City, root: Path) -> None:
    out(post, root)
    medium = stick(root)
    for one in bundles(medium, UP):
        taken_in(city.gateway, medium, one)
    answer(post, root, gateway=city.gateway)
    read(post, root)


async def test_the_city_before_the_restore_is_not_believed_after_a_stick_told_of_the_restore(tmp_path: Path) -> None:
    async with two_cities(tmp_path) as (post, city):
        post.file(b"after the restore")
        by_stick(post, city, tmp_path / "stick")
        told = post.receipt()
        assert told is not None
        assert (told.epoch, told.hwm) == (city.gateway.ledger.epoch, 2)
        for one in (city, post.city):
            one.clock.forward(minutes=1)
        heard = await post.rounds.make_one()
        assert heard.why == ABANDONED
        assert post.receipt() == told, "what the stick told is still the last word"
        post.road.far = httpx.ASGITransport(app=city.app, raise_app_exceptions=False)
        post.file(b"on the line of the restored city")
        heard = await post.rounds.make_one()
        assert (heard.ok, heard.why) == (True, None)
        again = post.receipt()
        assert again is not None
        assert (again.epoch, again.hwm) == (city.gateway.ledger.epoch, 3)


async def test_as_long_as_nobody_told_of_it_the_city_before_the_restore_is_believed(tmp_path: Path) -> None:
    async with two_cities(tmp_path) as (post, _city):
        post.file(b"after the restore")
        heard = await post.rounds.make_one()
        assert (heard.ok, heard.why) == (True, None)
        receipt = post.receipt()
        assert receipt is not None
        assert (receipt.epoch, receipt.hwm) == (post.city.gateway.ledger.epoch, 2)
