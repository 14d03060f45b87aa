"""A village without a line, a township that relays for it, and the city: real relay door, real couriers, two roads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from edge_node.app import page_app
from edge_node.counter.counter import Counter
from offline_store.paths import NodePaths
from offline_store.relay.bags import Bags
from sync_agent.forwarding import Forwarded, Forwarder
from sync_agent.relay_road import RelayHeard, RelayRoad
from sync_agent.uplink import Uplink
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, TOWNSHIP, EnrolledNode
from tests.edge_node.town import new_town
from tests.simulators.carriers import carrying
from tests.simulators.flaky_road import FlakyRoad
from tests.simulators.post import Post
from wire.canonical import unb64
from wire.errors import WireError
from wire.receipt import read_receipt

LAN = "http://township.test:8081"


@dataclass
class Relayed:
    """`lan` is the road from the village to the township, `line` the one from the township to the city."""

    post: Post
    township: EnrolledNode
    counter: Counter
    bags: Bags
    lan: FlakyRoad
    line: FlakyRoad
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    catalogs_laid: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Both couriers begin anew and know what lies on their disks."""
        self.road = RelayRoad(
            self.post.paths,
            httpx.AsyncClient(transport=self.lan, base_url=LAN),
            now=lambda: self.now,
            monotonic=lambda: self.now.timestamp(),
            lay_catalog=self._lay_catalog,
        )
        uplink = Uplink(
            httpx.AsyncClient(transport=self.line, base_url=PUBLIC_URL),
            node_id=self.township.document.node_id,
            transport_key=self.township.transport,
            clock=self.post.city.clock,
            nonce=lambda: self.counter.randomness(16).hex(),
        )
        document = self.township.document
        self.forwarder = Forwarder(
            uplink,
            self.bags,
            node_id=document.node_id,
            gateway_public=document.gateway.signing_public,
            clock=lambda: self.now.timestamp(),
        )

    async def _lay_catalog(self, _paths: NodePaths) -> None:
        self.catalogs_laid += 1

    def later(self, **span: float) -> None:
        """Time goes by in the village and in the city."""
        self.now += timedelta(**span)
        self.post.city.clock.forward(**span)

    async def hand_over(self) -> RelayHeard:
        """The village's courier makes a round over the township."""
        return await self.road.make_one()

    async def forward(self) -> Forwarded:
        """The township's courier makes a round to the city."""
        return await self.forwarder.forward(lambda: False)

    async def drain(self, rounds: int = 12) -> None:
        """On good roads, until the village knows that everything is at the city."""
        for _ in range(rounds):
            await self.hand_over()
            await self.forward()
            await self.hand_over()
            if self.arrived():
                return
            self.later(minutes=11)
        raise AssertionError("not drained")

    def arrived(self) -> bool:
        """Whether signed words say that everything is there."""
        receipt = self.post.receipt()
        wanted = {name for names in self.post.filed.values() for name in names}
        at_head = receipt is not None and receipt.hwm == self.post.node.head.seq
        feed = {self.post.node.open_feed(data).application_id for _, data in self.post.incoming.feed()}
        return at_head and set(self.post.incoming.stored_scans()) >= wanted and feed >= set(self.post.filed)

    def false_words(self) -> int:
        """How many things lie in the village's mailbox as the city's word that the city never said, or that are not so:
        read without trusting the reader that is under test."""
        document = self.post.incoming.receipt()
        if document is None:
            return 0
        said = json.loads(unb64(document["payload"]))
        try:
            read_receipt(document, self.township.document.gateway.signing_public, node=self.post.node.document.node_id)
            forged = False
        except WireError:
            forged = True
        with self.post.city.gateway.ledger.reading() as tx:
            from city_gateway.ledger import nodes

            node = nodes.find(tx, self.post.node.document.node_id)
        assert node is not None
        here = {path.name for path in self.post.city.gateway.folder.scans.iterdir() if path.is_file()}
        return int(forged) + int(said["hwm"] > node.hwm) + int(not set(self.post.incoming.stored_scans()) <= here)


@asynccontextmanager
async def relayed(folder: Path) -> AsyncIterator[Relayed]:
    """Everything in one process, each on its own disk."""
    async with carrying(folder / "village") as post:
        township = await post.city.enrol("township", TOWNSHIP, "测试镇")
        town = new_town(folder / "township")
        counter = replace(town.counter, node=township.document)
        try:
            lan = FlakyRoad(httpx.ASGITransport(app=page_app(counter)))
            line = FlakyRoad(httpx.ASGITransport(app=post.city.app, raise_app_exceptions=False))
            yield Relayed(post, township, counter, Bags(counter.paths.relay), lan, line)
        finally:
            counter.desk.close()
