"""A post like `tests.simulators.post`, but over real sockets: the gateway behind a real server, the courier with the
very client that is shipped, and between the two a road that can be cut at any byte."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from sync_agent.loop import Rounds
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Uplink, line_client
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, city_in
from tests.faults.tools.cutting_road import CuttingRoad
from tests.simulators.flaky_road import FlakyRoad
from tests.simulators.post import Post
from wire.enrolment import sign_enrolment

ANSWER_S = 30.0


@dataclass
class PostOnSockets(Post):
    """One village node whose courier really dials."""

    cutting: CuttingRoad = field(kw_only=True)

    async def hang_up(self) -> None:
        """The courier's connections end."""
        await self.uplink.__aexit__(None, None, None)

    def restart(self) -> None:
        """A courier that was started anew, with the client that is shipped."""
        self.uplink = uplink = Uplink(
            line_client(self.cutting.url, ANSWER_S, self.settings.connections),
            node_id=self.node.document.node_id,
            transport_key=self.node.transport,
            clock=self.city.clock,
            nonce=lambda: os.urandom(16).hex(),
        )
        self.rounds = Rounds(self.paths, self.settings, uplink)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[tuple[str, int]]:
    """The application behind a real server on the loopback; its lifespan is somebody else's."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False))
    serving = asyncio.ensure_future(server._serve(sockets=[door]))
    try:
        host, port = door.getsockname()[:2]
        yield host, port
    finally:
        server.should_exit = server.force_exit = True
        await serving
        door.close()


@asynccontextmanager
async def posted_on_sockets(folder: Path, settings: AgentSettings | None = None) -> AsyncIterator[PostOnSockets]:
    """A city that is dialled, and one village node with a courier."""
    async with (
        city_in(folder / "gateway", f"sqlite:///{folder / 'ledger.db'}") as city,
        served(city.app) as far,
        CuttingRoad(far) as road,
    ):
        post = await _post(city, folder, road, settings or AgentSettings())
        try:
            yield post
        finally:
            await post.hang_up()


async def _post(city: City, folder: Path, road: CuttingRoad, settings: AgentSettings) -> PostOnSockets:
    node: EnrolledNode = await city.enrol()
    paths = NodePaths(folder / "node")
    paths.create()
    write_node_file(paths.enrolment, sign_enrolment(node.document, city.gateway.keys.signing))
    unused = FlakyRoad(httpx.ASGITransport(app=city.app))
    return PostOnSockets(city, node, paths, unused, settings, cutting=road)
