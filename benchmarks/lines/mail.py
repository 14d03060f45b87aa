"""The mail of the benchmark: N real forms of invented villagers, two scans of 120 KB each, sealed before the clock."""

from __future__ import annotations

import asyncio
import os
import random
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.applications import SCAN_BYTES, SCANS_EACH, filled
from benchmarks.gateway import collected
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from offline_store.placing import place
from offline_store.vault.scans import Vault
from tests.city_gateway.gateway_fixtures import city_in
from wire.enrolment import sign_enrolment

BODY_LENGTH_AT, TAG_BYTES = 84, 16
PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that waits in one village, and the city that knows it."""

    count: int
    node: NodePaths
    gateway: Path
    ledger: str
    spool: Path
    scans: tuple[str, ...]
    payload_bytes: int
    """Compressed forms and plain scans: what there is to say."""
    sealed_bytes: int
    """The same as it lies in the mailbox and the vault."""


def write_mail(folder: Path, count: int) -> Mail:
    """A city, an enrolled village, and its mail: in mailbox and vault, and as files of a spool folder."""
    return asyncio.run(_write(folder, count))


async def _write(folder: Path, count: int) -> Mail:
    gateway, ledger = folder / "gateway", f"sqlite:///{folder / 'ledger.db'}"
    paths, spool = NodePaths(folder / "node"), folder / "spool"
    paths.create()
    spool.mkdir()
    rng, payload, sealed = random.Random(20261123), 0, 0
    names: list[str] = []
    people = [filled(rng) for _ in range(min(count, 50))]
    outgoing, vault = Outgoing(paths.outgoing), Vault(paths.vault)
    async with city_in(gateway, ledger) as city:
        city.clock.now = datetime.now(UTC)
        node = await city.enrol()
        write_node_file(paths.enrolment, sign_enrolment(node.document, city.gateway.keys.signing))
        place(paths.transport_key, node.transport.to_bytes(), mode=0o600)
        for number in range(1, count + 1):
            scans = [node.sealed_scan(os.urandom(SCAN_BYTES)) for _ in range(SCANS_EACH)]
            envelope = collected(node, rng.choice(people), number, scans)
            outgoing.put_envelope(node.head.seq, envelope)
            (spool / f"{number:05d}.env").write_bytes(envelope)
            payload += struct.unpack_from(">I", envelope, BODY_LENGTH_AT)[0] - TAG_BYTES + SCAN_BYTES * SCANS_EACH
            sealed += len(envelope) + sum(len(scan.data) for scan in scans)
            for scan in scans:
                with vault.receive() as writer:
                    writer.write(scan.data)
                    writer.keep(scan.name)
                outgoing.put_scan_ticket(scan.name, PRIORITY, len(scan.data))
                (spool / scan.name).write_bytes(scan.data)
                names.append(scan.name)
        assert isinstance(city.client, httpx.AsyncClient)
    return Mail(count, paths, gateway, ledger, spool, tuple(names), payload, sealed)
