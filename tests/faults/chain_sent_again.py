"""A node's whole journal, chained anew under a new identity with unchanged op_ids, and sent to the running gateway.

That is what a swapped or forked machine does; here it is done with the desk's own journal, opened with the machine's
key while the node is at rest, over real HTTP.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx

from city_gateway.keys import load_keys
from offline_store.desk import journal
from offline_store.desk.database import open_desk
from offline_store.desk.journal import Link
from offline_store.desk.keyring import MACHINE_KEY_FILE, unlock
from provisioning.demo_world import DemoNode
from tests.city_gateway.gateway_fixtures import City
from tests.journeys.at_the_counter import Town
from wire.envelope import Kind
from wire.messages import read_operation

BATCH = 20


def send_chain_again(town: Town, node: DemoNode) -> int:
    """Send it all; returns how many entries there were. The node itself goes on as if nothing had happened."""
    town.power_fails(node)
    links = _journal(node)
    code = town.world.command(
        *("city_gateway", "node-code", *town.world.ledger_arguments),
        *("--site", node.site, "--role", node.role, "--name", node.site_name),
    ).split()[-1]
    asyncio.run(_send(town, code, links))
    town.power_is_back(node)
    return len(links)


def _journal(node: DemoNode) -> list[Link]:
    with open(node.edge.environment[MACHINE_KEY_FILE], "rb") as file:  # noqa: PTH123 - named by the environment
        key = unlock(node.paths.keyring, file.read())
    desk = open_desk(node.paths.desk_db, key)
    links: list[Link] = []
    try:
        with desk.reading() as tx:
            while more := journal.after(tx, links[-1].seq if links else 0):
                links += more
    finally:
        desk.close()
    return links


async def _send(town: Town, code: str, links: list[Link]) -> None:
    keys = load_keys(town.world.gateway_folder / "keys")
    async with httpx.AsyncClient(base_url=town.world.gateway_url, trust_env=False) as client:
        city = City(cast("Any", SimpleNamespace(keys=keys)), cast("Any", None), client, lambda: datetime.now(UTC))  # type: ignore[arg-type]
        swapped = await city.enrol_with(code)
        for link in links:
            kind = Kind[link.kind.upper()]
            swapped.seal(read_operation(link.body), kind=kind, body=link.body)
        for first in range(0, len(swapped.journal), BATCH):
            answered = await swapped.exchange(*swapped.journal[first : first + BATCH])
            assert answered.receipt.hwm == min(first + BATCH, len(swapped.journal))
