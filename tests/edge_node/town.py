"""A township counter for the tests of the page: encrypted desk, seed catalog, invented people, sealed scans."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from casework.application import Actor, Applicant, Application, HandedIn, Role, Scan, Seen
from casework.events import Collected, Event, Submitted, Supplemented
from casework.forms import Form
from casework.lifecycle import advance, draft
from edge_node.acts import time_lights
from edge_node.counter.alarms import Alarms
from edge_node.counter.counter import Counter
from edge_node.counter.invitations import Invitations
from edge_node.counter.room import Room
from edge_node.counter.sessions import AtCounter, Sessions
from edge_node.counter.trusted_clock import Anchor, MachineClock, TrustedClock
from offline_store.desk import applications, catalog, clerks, scans
from offline_store.desk.applications import Standing
from offline_store.desk.clerks import Clerk
from offline_store.desk.database import open_desk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from tests.casework.form_values import valid_values
from wire.enrolment import EnrolmentDocument, GatewayIdentity
from wire.keys import SealingKey, SigningKey
from wire.scan import ScanSealer

MORNING = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
TOWNSHIP = "511603106000"
VILLAGE = "511603106205"
PASSPHRASE = "竹林 2026 good"
SEEDS = Path(__file__).parents[2] / "seed_catalog"
BOOT = "boot-of-the-tests"


@cache
def seed(name: str) -> Any:
    """One document of the seed catalog."""
    return json.loads((SEEDS / f"{name}.json").read_text("utf-8"))


@dataclass(slots=True)
class HandClock:
    """A clock that a test moves by hand."""

    seconds: float = 1000.0

    def wall(self) -> datetime:
        return MORNING + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Town:
    """A township's counter and what a test may do to it."""

    counter: Counter
    clock: HandClock
    city: SealingKey
    rng: random.Random = field(default_factory=lambda: random.Random(20261123))

    def restarts(self) -> None:
        """The node's program begins anew: it keeps no session."""
        self.counter.sessions = Sessions(self.clock.monotonic, self.counter.randomness)

    def application(
        self,
        number: int,
        item_id: str = "GA-LY-001",
        version: int = 1,
        *,
        media_type: str = "image/webp",
        data: bytes | None = None,
        more: tuple[HandedIn, ...] = (),
        **fixed: Any,
    ) -> Application:
        """An application that arrived from the village with two scans, the second page still on its way."""
        item = next(one for one in seed("items")["items"] if one["item_id"] == item_id)
        form = Form.from_plain(next(one for one in seed("forms")["forms"] if one["form_id"] == item["form_id"]))
        values = valid_values(form, [VILLAGE], self.rng, {"agent_mode": "village_agent", **fixed})
        material = item["materials"][0]["material_id"]
        found = [
            self.scan(material, 1, media_type=media_type, data=data),
            self.scan(material, 2, arrived=False),
        ]
        agent = Actor(Role.AGENT, "agent1", "b" * 32, VILLAGE)
        city = Actor(Role.CITY, "city", "c" * 32, "511600000000")
        at = MORNING - timedelta(days=1)
        events: list[Event] = [
            Collected(
                at=at,
                by=agent,
                receipt_no=f"{VILLAGE}-20261122-{number:04d}-K",
                item_id=item_id,
                form_id=item["form_id"],
                catalog_version=version,
                site=VILLAGE,
                township=TOWNSHIP,
                applicant=Applicant.from_form(values),
                form=values,
                handed_in=(HandedIn(material, Seen.COPY, copies=1, note="代办员备注"), *more),
                scans=tuple(
                    Scan(one.scan_hash, one.length, one.media_type, one.material_id, one.page) for one in found
                ),
            ),
            Submitted(at=at, by=city),
        ]
        it = draft(f"{number:032x}")
        for event in events:
            it = advance(it, event)
        with self.counter.desk.transaction() as tx:
            reading = self.counter.clock.read()
            applications.save(
                tx,
                it,
                confirmed=it,
                standing=Standing.CONFIRMED,
                case_seq=2,
                at=reading.now,
                due=time_lights.due_day(self.counter, tx, it, reading),
            )
            for one in found:
                scans.save(tx, replace(one, application_id=it.application_id))
        return it

    def clerk(self) -> AtCounter:
        """The clerk, signed in."""
        return self.counter.sessions.begin(self.counter.actor(Role.CLERK, "clerk1"), "王示例")[1]

    def supplemented(self, application_id: str, **what: Any) -> None:
        """The village answered the return, and the city passed it on."""
        it = self.state(application_id)
        agent = Actor(Role.AGENT, "agent1", "b" * 32, VILLAGE)
        city = Actor(Role.CITY, "city", "c" * 32, "511600000000")
        reading = self.counter.clock.read()
        plain: dict[str, Any] = {"form": {}, "handed_in": (), "scans": (), "answers": {}, **what}
        for event in (Supplemented(at=reading.now, by=agent, **plain), Submitted(at=reading.now, by=city)):
            it = advance(it, event)
        with self.counter.desk.transaction() as tx:
            applications.save(
                tx,
                it,
                confirmed=it,
                standing=Standing.CONFIRMED,
                case_seq=4,
                at=reading.now,
                due=time_lights.due_day(self.counter, tx, it, reading),
            )

    def scan(
        self,
        material_id: str,
        page: int,
        *,
        arrived: bool = True,
        media_type: str = "image/webp",
        data: bytes | None = None,
    ) -> KeptScan:
        """A scan of an evidently invented paper, sealed for this township."""
        plain = data if data is not None else paper(page)
        sealer = ScanSealer([self.counter.sealing[0].public], self.counter.randomness)
        sealed = sealer.update(plain) + sealer.finish()
        if arrived:
            with self.counter.vault.receive() as receiving:
                receiving.write(sealed)
                receiving.keep(sealer.scan_hash)
        return KeptScan(
            scan_hash=sealer.scan_hash,
            status=ScanStatus.ARRIVED if arrived else ScanStatus.WANTED,
            material_id=material_id,
            page=page,
            length=sealer.length,
            media_type=media_type,
            kept_at=MORNING,
            content_key=sealer.content_key if arrived else None,
        )

    def state(self, application_id: str) -> Application:
        """The application as the desk holds it now."""
        with self.counter.desk.reading() as tx:
            return applications.load(tx, application_id).shown

    def publish(self, change: Callable[[dict[str, Any]], None], version: int = 2) -> None:
        """Put a changed catalog into use."""
        items = json.loads(json.dumps(seed("items")["items"]))
        for item in items:
            change(item)
        _activate(self.counter, items, version)


def paper(page: int) -> bytes:
    """A picture of nobody's paper."""
    sheet = Image.new("RGB", (700, 990), "#fbfaf5")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((40, 40, 660, 950), outline="#888")
    pen.text((70, 70), f"INVENTED PAPER - PAGE {page}", fill="#222")
    for line in range(14):
        pen.line((70, 140 + 45 * line, 620 - 37 * (line % 5), 140 + 45 * line), fill="#555", width=3)
    pen.ellipse((440, 760, 620, 940), outline="#c0392b", width=6)
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=60)
    return out.getvalue()


def new_town(folder: Path) -> Town:
    """A township with the seed catalog and two people: a clerk and an agent."""
    paths = NodePaths(folder)
    paths.create()
    counted = random.Random(7)
    clock = HandClock()
    gateway_key, gateway_sealing = SigningKey.generate(), SealingKey.generate()
    identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    node = EnrolmentDocument(
        node_id="a" * 32,
        site=TOWNSHIP,
        site_name="护安镇便民服务中心",
        role="township",
        region=TOWNSHIP,
        township=TOWNSHIP,
        valid_from=MORNING - timedelta(days=30),
        valid_to=MORNING + timedelta(days=300),
        identity_public=identity.public,
        sealing_public=sealing.public,
        transport_public=transport.public,
        gateway=GatewayIdentity(
            id="d" * 32, signing_public=gateway_key.public, sealing_publics=[gateway_sealing.public]
        ),
        gateway_url="http://127.0.0.1:1",
    )
    desk = open_desk(paths.desk_db, bytes(range(32)), create=True)
    alarms = Alarms()
    room = Room(paths.desk_reserve, alarms)
    room.look()
    sessions = Sessions(clock.monotonic, counted.randbytes)
    counter = Counter(
        node=node,
        paths=paths,
        desk=desk,
        outgoing=Outgoing(paths.outgoing),
        incoming=Incoming(paths.incoming),
        vault=Vault(paths.vault),
        identity=identity,
        sealing=(sealing,),
        clock=TrustedClock(
            MachineClock(clock.wall, clock.monotonic, BOOT), anchor=Anchor(MORNING, clock.monotonic(), BOOT)
        ),
        sessions=sessions,
        invitations=Invitations(sessions, clock.monotonic, counted.randbytes),
        randomness=counted.randbytes,
        alarms=alarms,
        room=room,
    )
    _activate(counter, seed("items")["items"], 1)
    people = [
        Clerk("clerk1", "王示例", Role.CLERK, "", active=True),
        Clerk("agent1", "李样例", Role.AGENT, "", active=True),
    ]
    with desk.transaction() as tx:
        for person in people:
            clerks.save(tx, person, PASSPHRASE, randomness=counted.randbytes, cost=ONLY_FOR_TESTS)
    return Town(counter, clock, gateway_sealing)


def _activate(counter: Counter, items: list[Mapping[str, Any]], version: int) -> None:
    edition = catalog.Edition(
        version=version,
        released_at=MORNING,
        items=items,
        forms=seed("forms")["forms"],
        documents={name: seed(name) for name in ("calendar", "regions", "notices", "documents")},
    )
    with counter.desk.transaction() as tx:
        catalog.activate(tx, edition, MORNING - timedelta(days=3))
    counter.shelf.newly_activated(version)
