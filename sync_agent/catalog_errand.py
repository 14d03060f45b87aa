"""The look at the catalog as an errand: a process that comes, fetches, says in one line what it found, and goes.

python-tuf with its requests, files and a TLS context of its own would stay in the resident courier for months to be
used for a second now and then. Law: the errand's word has no authority; edge_node verifies what was laid down.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from offline_store.node_file import read_node_file
from offline_store.node_toml import BadSetting
from offline_store.paths import NodePaths
from sync_agent.settings import AgentSettings, read_settings

LONGEST_S = 1800.0
NOT_REACHABLE, REFUSED, LOOKED = "not_reachable", "refused", "looked"


@dataclass(frozen=True, slots=True)
class Errand:
    """What one look came to; `problem` is the code of a refusal."""

    came_to: str
    problem: str | None = None
    received_bytes: int = 0


def look(paths: NodePaths, clock_offset_s: float) -> dict[str, object]:
    """The errand itself, in its own process."""
    import httpx

    from sync_agent.catalog_fetch import CatalogNotReachable, CatalogRefused, HttpFetcher, fetch_catalog
    from sync_agent.uplink import trust

    node = read_node_file(paths.enrolment)
    try:
        settings = read_settings(paths.settings)
    except BadSetting:
        settings = AgentSettings()
    received = 0

    def count(more: int) -> None:
        nonlocal received
        received += more

    came_to, problem = LOOKED, None
    try:
        with httpx.Client(timeout=settings.answer_s, trust_env=False, verify=trust()) as client:
            fetch_catalog(
                cache=paths.catalog_cache,
                trusted_root=node.tuf_root or b"",
                gateway_url=settings.gateway_url or node.gateway_url,
                county=node.region[:6],
                fetcher=HttpFetcher(client, count),
                now=lambda: datetime.now(UTC) + timedelta(seconds=clock_offset_s),
            )
    except CatalogNotReachable:
        came_to = NOT_REACHABLE
    except CatalogRefused as refused:
        came_to, problem = REFUSED, f"{refused.code}.{refused.check}"
    return {"came_to": came_to, "problem": problem, "received_bytes": received}


async def send(paths: NodePaths, clock_offset_s: float) -> Errand:
    """Let the errand run and hear what it says; whatever goes wrong with it is only "not now"."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync_agent", "catalog", "--root", str(paths.root)),
        *("--clock-offset-s", str(clock_offset_s)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), LONGEST_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _heard(told)


def _heard(told: bytes) -> Errand:
    try:
        said = json.loads(told)
        problem = said["problem"]
        return Errand(
            str(said["came_to"]), None if problem is None else str(problem), int(said.get("received_bytes", 0))
        )
    except (ValueError, KeyError, TypeError):
        return Errand(NOT_REACHABLE)
