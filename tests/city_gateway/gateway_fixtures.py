"""A gateway in this process with nodes that are only keys: what other rooms drive their own programs against.

`city_in(folder, url)` makes a running gateway behind an in-process HTTP transport; `City.enrol` makes an
`EnrolledNode`, which seals, signs and chains like a real one and opens its own feed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from casework.application import Actor, Applicant, HandedIn, Role, Scan, Seen
from casework.events import EVENTS, Event
from casework.record import event_to_plain
from city_gateway.acts.enrol import issue_code
from city_gateway.acts.gateway import Gateway, Register
from city_gateway.app import Settings, build_app, open_gateway
from city_gateway.keys import make_keys
from city_gateway.ledger import served_days
from wire.audit_chain import GENESIS, Head
from wire.canonical import read_json
from wire.enrolment import EnrolmentDocument, EnrolmentRequest, read_card, read_code, read_enrolment, seal_request
from wire.envelope import Kind, Opened, envelope_hash, open_sealed, open_with_wrap, seal
from wire.http_signature import sign_request
from wire.keys import SealingKey, SigningKey
from wire.messages import (
    CONTENT_TYPE,
    ExchangeHead,
    FeedEntry,
    NodeReport,
    Operation,
    Times,
    body_of,
    read_feed_entry,
    read_refusal,
    read_reply,
    write_request,
)
from wire.receipt import Receipt, read_receipt
from wire.scan import ScanSealer

PUBLIC_URL = "http://city.test"
VILLAGE, OTHER_VILLAGE = "511603106205", "511603106001"
TOWNSHIP, OTHER_TOWNSHIP = "511603106000", "511603105000"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FORM = {
    "applicant_name": "张测试",
    "applicant_id_type": "111",
    "applicant_id_no": "511602180001010014",
    "applicant_phone": "13800000001",
}


@dataclass
class HandClock:
    """A clock that moves when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(frozen=True)
class SealedScan:
    """A scan as it lies in a vault."""

    data: bytes
    name: str
    content_key: bytes

    def as_scan(self, material_id: str = "M1", page: int = 1) -> Scan:
        return Scan(self.name, len(self.data), "image/jpeg", material_id, page)


@dataclass
class Exchanged:
    """A successful exchange, its receipt proven."""

    receipt: Receipt
    feed: list[FeedEntry]
    frames: list[bytes]


class Refused(Exception):
    """The gateway answered with a signed refusal."""

    def __init__(self, status: int, code: str, answer: httpx.Response) -> None:
        super().__init__(status, code)
        self.status, self.code, self.answer = status, code, answer


@dataclass
class EnrolledNode:
    """A node that is only keys, a journal head and a feed cursor."""

    city: City
    document: EnrolmentDocument
    identity: SigningKey
    sealing: SealingKey
    transport: SigningKey
    head: Head = GENESIS
    cursor: int = 0
    journal: list[bytes] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        role = Role.AGENT if self.document.role == "village" else Role.CLERK
        return Actor(role, "clerk-1", self.document.node_id, self.document.region)

    def event(self, code: str, **fields: Any) -> Event:
        return EVENTS[code](**{"at": self.city.clock(), "by": self.actor, **fields})

    def collected(self, *scans: SealedScan, **fields: Any) -> Event:
        """A collect that is right for this node."""
        said = {
            "receipt_no": f"{self.document.site}-20261123-0001-K",
            "item_id": "GA-YB-001",
            "form_id": "F-GA-YB-001",
            "catalog_version": 1,
            "site": self.document.site,
            "township": self.document.township,
            "applicant": Applicant.from_form(FORM),
            "form": FORM,
            "handed_in": (HandedIn("M1", Seen.ORIGINAL_SEEN),),
            "scans": tuple(scan.as_scan(page=number) for number, scan in enumerate(scans, start=1)),
        }
        return self.event("collected", **(said | fields))

    def operation(self, *events: Event, application_id: str | None, **fields: Any) -> Operation:
        said: dict[str, Any] = {
            "op_id": os.urandom(16).hex(),
            "application_id": application_id,
            "events": [event_to_plain(event) for event in events],
            "clerk": "clerk-1",
            "times": Times(wall=self.city.clock(), monotonic=1.0, boot_id="b", confidence="confirmed"),
            "catalog_version": 1,
        }
        return Operation(**(said | fields))

    def seal(self, operation: Operation, *, kind: Kind = Kind.OPERATION, body: bytes | None = None) -> bytes:
        """The next envelope of this node's journal."""
        envelope = seal(
            kind=kind,
            node_id=bytes.fromhex(self.document.node_id),
            seq=self.head.seq + 1,
            prev=self.head.hash,
            op_id=bytes.fromhex(operation.op_id),
            body=body if body is not None else body_of(operation),
            recipients=[self.document.gateway.sealing_publics[0]],
            signer=self.identity,
        )
        self.head = Head(self.head.seq + 1, envelope_hash(envelope))
        self.journal.append(envelope)
        return envelope

    def act(self, *events: Event, application_id: str | None, **fields: Any) -> bytes:
        return self.seal(self.operation(*events, application_id=application_id, **fields))

    def collect(self, *scans: SealedScan, application_id: str | None = None) -> tuple[str, bytes]:
        """A new application, sealed into the journal: its id and the envelope."""
        application_id = application_id or os.urandom(16).hex()
        return application_id, self.act(self.collected(*scans), application_id=application_id)

    def sealed_scan(self, content: bytes) -> SealedScan:
        sealer = ScanSealer([self.document.gateway.sealing_publics[0]])
        data = sealer.update(content) + sealer.finish()
        return SealedScan(data, sealer.scan_hash, sealer.content_key)

    def signed(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b"", nonce: str | None = None
    ) -> dict[str, str]:
        return sign_request(
            method=method,
            url=PUBLIC_URL + path,
            headers=headers,
            body=body,
            node_id=self.document.node_id,
            transport_key=self.transport,
            created=self.city.clock(),
            nonce=nonce or os.urandom(16).hex(),
        )

    async def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        """A signed request."""
        signed = self.signed(method, path, headers or {}, body)
        return await self.city.client.request(method, path, headers=signed, content=body)

    async def exchange(self, *envelopes: bytes, **head: Any) -> Exchanged:
        """One exchange; takes the feed in and moves the cursor, or raises Refused."""
        nonce = os.urandom(16).hex()
        said: dict[str, Any] = {"node": self.document.node_id, "nonce": nonce, "feed_cursor": self.cursor}
        asked = ExchangeHead(**(said | {"report": NodeReport(catalog_version=1, program_version="test")} | head))
        body = write_request(asked, envelopes)
        answer = await self.send("POST", "/v1/exchange", {"content-type": CONTENT_TYPE}, body)
        gateway = self.document.gateway.signing_public
        if answer.status_code != 200:
            refusal = read_refusal(read_json(answer.content), gateway)
            raise Refused(answer.status_code, refusal.code, answer)
        reply = read_reply(answer.content)
        receipt = read_receipt(reply.receipt, gateway, node=asked.node, nonce=asked.nonce, feed=reply.feed)
        feed = [self.open_feed(frame) for frame in reply.feed]
        self.cursor = asked.feed_cursor + len(reply.feed)
        return Exchanged(receipt, feed, list(reply.feed))

    async def everything(self, *envelopes: bytes) -> list[FeedEntry]:
        """Exchange until there is no more feed."""
        found: list[FeedEntry] = []
        got = await self.exchange(*envelopes)
        while True:
            found += got.feed
            if not got.receipt.feed_more:
                return found
            got = await self.exchange()

    def open_feed(self, frame: bytes) -> FeedEntry:
        gateway = self.document.gateway.signing_public
        return read_feed_entry(open_sealed(frame, recipient=self.sealing, signer_public=gateway).body)

    def open_enclosed(self, entry: FeedEntry) -> Opened:
        """The author's envelope in a feed entry, opened with the wrap made for this node."""
        assert entry.envelope is not None
        assert entry.wrap is not None
        assert entry.author_public is not None
        return open_with_wrap(entry.envelope, entry.wrap, recipient=self.sealing, signer_public=entry.author_public)

    async def upload(self, scan: SealedScan, *, piece: int = 1_000_000) -> None:
        """Send a whole scan by tus."""
        answer = await self.create_scan(scan)
        offset = int(answer.headers["upload-offset"])
        while offset < len(scan.data):
            answer = await self.patch_scan(scan, offset, scan.data[offset : offset + piece])
            assert answer.status_code == 204, answer.content
            offset = int(answer.headers["upload-offset"])

    async def create_scan(self, scan: SealedScan) -> httpx.Response:
        name = base64.b64encode(scan.name.encode()).decode()
        headers = {"tus-resumable": "1.0.0", "upload-length": str(len(scan.data)), "upload-metadata": f"hash {name}"}
        return await self.send("POST", "/v1/scans", headers)

    async def patch_scan(self, scan: SealedScan, offset: int, data: bytes) -> httpx.Response:
        return await self.send("PATCH", f"/v1/scans/{scan.name}", patch_headers(offset, data), data)

    async def scan_offset(self, scan: SealedScan) -> httpx.Response:
        return await self.send("HEAD", f"/v1/scans/{scan.name}", {"tus-resumable": "1.0.0"})


def patch_headers(offset: int, data: bytes) -> dict[str, str]:
    """The headers of a PATCH with a right checksum."""
    checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {
        "tus-resumable": "1.0.0",
        "content-type": "application/offset+octet-stream",
        "upload-offset": str(offset),
        "upload-checksum": f"sha256 {checksum}",
    }


@dataclass
class City:
    """A running gateway and a client to it."""

    gateway: Gateway
    app: FastAPI
    client: httpx.AsyncClient
    clock: HandClock

    def serves_until(self, moment: datetime) -> None:
        """Time passes, and on each day of it somebody is served."""
        with self.gateway.ledger.transaction() as tx:
            while self.clock.now < moment:
                self.clock.now = min(moment, self.clock.now + timedelta(days=1))
                served_days.number_of(tx, self.clock.now.date())

    async def enrol(self, role: str = "village", site: str = VILLAGE, name: str = "测试站") -> EnrolledNode:
        """Enrol a new machine through the real call."""
        return await self.enrol_with(self.code(role, site, name))

    def code(self, role: str = "village", site: str = VILLAGE, name: str = "测试站", *, hours: float = 1) -> str:
        return issue_code(
            self.gateway.ledger,
            self.gateway.keys,
            role=role,
            site=site,
            site_name=name,
            now=self.clock(),
            lifetime=timedelta(hours=hours),
            randomness=os.urandom,
        )

    async def enrol_with(self, code: str) -> EnrolledNode:
        identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
        answer = await self.client.post(
            "/v1/enrol", content=await self.enrolment_body(code, identity, sealing, transport)
        )
        signing = self.gateway.keys.signing.public
        if answer.status_code != 200:
            raise Refused(answer.status_code, read_refusal(answer.json(), signing).code, answer)
        document = read_enrolment(answer.json(), signing)
        return EnrolledNode(self, document, identity, sealing, transport)

    async def enrolment_body(
        self, code: str, identity: SigningKey, sealing: SealingKey, transport: SigningKey
    ) -> bytes:
        read = read_code(code)
        card = read_card((await self.client.get("/v1/enrol")).json(), read)
        request = EnrolmentRequest.make(
            code=read,
            identity=identity,
            sealing=sealing.public,
            transport=transport.public,
            nonce=os.urandom(16).hex(),
        )
        return seal_request(request, card.sealing_publics[0])


class PlatformAway:
    """A platform that cannot be reached, so that promises stay promised."""

    def deliver(self, records: Sequence[object]) -> None:
        raise OSError("away")


@contextlib.asynccontextmanager
async def city_in(
    folder: Path,
    url: str,
    *,
    register: Register | None = None,
    automatic_rulings: timedelta | None = None,
    scans: str | None = None,
) -> AsyncIterator[City]:
    """A gateway with its files in `folder`; keys are made where there are none, so it can be opened again."""
    clock = HandClock()
    if not (folder / "keys").exists():
        make_keys(folder / "keys", os.urandom)
    gateway = open_gateway(Settings(url, folder, PUBLIC_URL, scans=scans), clock=clock, register=register)
    app = build_app(gateway, automatic_rulings=automatic_rulings, port=PlatformAway())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client,
    ):
        yield City(app.state.gateway, app, client, clock)


@pytest.fixture
async def city(tmp_path: Path, ledger_url: str) -> AsyncIterator[City]:
    """A new city on each kind of database."""
    async with city_in(tmp_path / "gateway", ledger_url) as made:
        yield made


def results(feed: Sequence[FeedEntry]) -> list[str]:
    """What each entry says became of it."""
    return [entry.result for entry in feed]
