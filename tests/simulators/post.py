"""A village node with its courier before a real gateway application in the same process, and the road between them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from city_gateway.acts.outline import outline
from city_gateway.ledger.database import Ledger
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from sync_agent.loop import Rounds
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Uplink
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, City, EnrolledNode, SealedScan, city_in
from tests.simulators.flaky_road import FlakyRoad
from wire.enrolment import sign_enrolment
from wire.receipt import Receipt, read_receipt

SETTINGS = {"piece_bytes": 16 * 1024, "connections": 2}
EXCHANGE, SCANS = "/v1/exchange", "/v1/scans"
SCAN_BYTES = 100_000


@dataclass
class Post:
    """One village node: what lies in its mailbox and vault, its courier, and its road."""

    city: City
    node: EnrolledNode
    paths: NodePaths
    road: FlakyRoad
    settings: AgentSettings
    filed: dict[str, list[str]] = field(default_factory=dict)
    rounds: Rounds = field(init=False)
    uplink: Uplink = field(init=False)

    def __post_init__(self) -> None:
        self.outgoing, self.incoming = Outgoing(self.paths.outgoing), Incoming(self.paths.incoming)
        self.vault = Vault(self.paths.vault)
        self.restart()

    def restart(self) -> None:
        """A courier that was started anew and knows only what lies on the disk."""
        client = httpx.AsyncClient(transport=self.road, base_url=PUBLIC_URL, follow_redirects=False)
        self.uplink = Uplink(
            client,
            node_id=self.node.document.node_id,
            transport_key=self.node.transport,
            clock=self.city.clock,
            nonce=lambda: os.urandom(16).hex(),
        )
        self.rounds = Rounds(self.paths, self.settings, self.uplink)

    def file(self, *contents: bytes) -> str:
        """What edge_node does after a commit: the envelope and its scans' tickets lie in the mailbox."""
        scans = [self._keep(content) for content in contents]
        application_id, envelope = self.node.collect(*scans)
        self.outgoing.put_envelope(self.node.head.seq, envelope)
        for scan in scans:
            self.outgoing.put_scan_ticket(scan.name, 5, len(scan.data))
        self.filed[application_id] = [scan.name for scan in scans]
        return application_id

    def _keep(self, content: bytes) -> SealedScan:
        scan = self.node.sealed_scan(content)
        with self.vault.receive() as writer:
            writer.write(scan.data)
            writer.keep(scan.name)
        return scan

    # --- what may be believed -------------------------------------------------------------------------------------

    def receipt(self) -> Receipt | None:
        """The receipt in the mailbox, proven."""
        document = self.incoming.receipt()
        public = self.node.document.gateway.signing_public
        return read_receipt(document, public, node=self.node.document.node_id) if document else None

    def believed(self) -> tuple[object, ...]:
        """Everything on this disk that says something went well."""
        receipt = self.receipt()
        return (
            receipt.hwm if receipt else None,
            sorted(self.incoming.stored_scans()),
            [seq for seq, _ in self.incoming.feed()],
            [(seq, path.read_bytes()) for seq, path in self.outgoing.envelopes()],
            [ticket.scan_hash for ticket in self.outgoing.scan_tickets()],
            sorted(self.vault.hashes()),
            self.rounds.halted,
        )

    def everything_arrived_once(self) -> None:
        """The ledger has each operation once and whole, and this node was told so by signed words."""
        cases = {case["application_id"]: case for case in outline(self.city.gateway.ledger)}
        assert set(cases) == set(self.filed)
        assert all(case["history"] == ["collected", "submitted"] for case in cases.values())
        assert stored_at(self.city) == {name for names in self.filed.values() for name in names}
        receipt = self.receipt()
        assert receipt is not None
        assert receipt.head == self.node.head
        assert set(self.incoming.stored_scans()) == stored_at(self.city)
        applied = [self.node.open_feed(data) for _, data in self.incoming.feed()]
        assert sorted(entry.application_id or "" for entry in applied) == sorted(self.filed)

    def counted(self) -> tuple[int, int, int, int]:
        """What a look at both sides finds now: lost, duplicated, shown as sent or stored and not there, phantom."""
        made, stored = effects(self.city.gateway.ledger), stored_at(self.city)
        cases = {case["application_id"] for case in outline(self.city.gateway.ledger)}
        filed, names = set(self.filed), {name for names in self.filed.values() for name in names}
        receipt = self.receipt()
        beyond = max(0, (receipt.hwm if receipt else 0) - len(set(made)))
        return (
            len(filed - cases) + len(names - stored),
            len(made) - len(set(made)),
            beyond + len(set(self.incoming.stored_scans()) - stored),
            len(cases - filed) + len(stored - names),
        )

    async def drain(self, rounds: int = 12) -> None:
        """Make rounds on a good road until nothing waits."""
        for _ in range(rounds):
            heard = await self.rounds.make_one()
            done = set(self.incoming.stored_scans()) >= {name for names in self.filed.values() for name in names}
            if heard.ok and done:
                return
        raise AssertionError(heard)


def stored_at(city: City) -> set[str]:
    """Scans that lie whole in the city's store, each under the hash it has."""
    found = {path.name: path for path in city.gateway.folder.scans.iterdir() if path.is_file()}
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == name for name, path in found.items())
    return set(found)


def effects(ledger: Ledger) -> list[str]:
    """Every op_id that took effect, as often as it did."""
    return [entry["op_id"] for case in outline(ledger) for entry in case["entries"]]


@asynccontextmanager
async def posted(folder: Path) -> AsyncIterator[Post]:
    """A city, and one village node with a courier."""
    async with city_in(folder / "gateway", f"sqlite:///{folder / 'ledger.db'}") as city:
        node = await city.enrol()
        paths = NodePaths(folder / "node")
        paths.create()
        write_node_file(paths.enrolment, sign_enrolment(node.document, city.gateway.keys.signing))
        road = FlakyRoad(httpx.ASGITransport(app=city.app, raise_app_exceptions=False))
        yield Post(city, node, paths, road, AgentSettings(**SETTINGS))
