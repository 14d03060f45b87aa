"""A whole node for tests: encrypted desk, keys, a throw-away gateway's enrolment, the seed catalog, two people.

`new_counter(folder)` is composed by the same code as the program; only clock, folder and gateway are the test's own.
A `Village` also plays the city: it opens what was posted and answers with signed receipts and a signed, chained feed.
"""

from __future__ import annotations

import io
import itertools
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from casework.application import Actor, Role
from casework.events import Event
from casework.record import event_to_plain
from edge_node.acts import activate_catalog, collecting, drafting, intake
from edge_node.acts import sign_in as signing
from edge_node.acts.mail_round import MailRound
from edge_node.app import compose, counter_app
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import MachineClock
from edge_node.settings import NodeSettings
from offline_store.desk import clerks, journal, keyring, keys, rekeying, state
from offline_store.desk.catalog import Edition
from offline_store.desk.clerks import Clerk
from offline_store.desk.database import open_desk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from tests.casework.form_values import valid_values
from tests.edge_node.town import seed
from wire.audit_chain import GENESIS, Head, follow
from wire.counter import HandedInView
from wire.enrolment import EnrolmentDocument, GatewayIdentity, sign_enrolment
from wire.envelope import Kind, envelope_hash, open_sealed, rewrap, seal
from wire.keys import SealingKey, SigningKey
from wire.messages import FeedEntry, Operation, Reason, body_of, read_operation
from wire.receipt import Receipt, page_hash, sign_receipt

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
VILLAGE = "511603106205"
TOWNSHIP = "511603106000"
CITY = Actor(Role.CITY, "", "c" * 32, "511600000000")
REGIONS = [VILLAGE, TOWNSHIP, "511603000000", "511600000000", "510000000000"]
MACHINE_KEY = bytes(range(32))
AGENT, CLERK = "dby01", "ck01"
PASSPHRASE = "an invented passphrase"


def seed_edition(version: int = 1, *, without: Iterable[str] = ()) -> Edition:
    """The seed catalog as an edition."""
    left_out = set(without)
    items = [one for one in seed("items")["items"] if one["item_id"] not in left_out]
    return Edition(
        version=version,
        released_at=NOON - timedelta(days=1),
        items=items,
        forms=seed("forms")["forms"],
        documents={
            "regions": seed("regions"),
            "calendar": seed("calendar"),
            "notices": seed("notices"),
            "documents": seed("documents"),
            "codes": seed("codes"),
            "policies": seed("policies"),
            "faq": seed("general_faq"),
        },
    )


@dataclass
class HandClock:
    """A machine clock that only a test moves."""

    wall: datetime = NOON
    monotonic: float = 1000.0
    boot_id: str = "b" * 32

    def passes(self, **span: float) -> None:
        """Let time pass."""
        self.wall += timedelta(**span)
        self.monotonic += timedelta(**span).total_seconds()

    def machine(self) -> MachineClock:
        """Its faces."""
        return MachineClock(lambda: self.wall, lambda: self.monotonic, self.boot_id)


@dataclass
class Gateway:
    """A throw-away city: its keys, the feed it has told, what it has received."""

    signing: SigningKey = field(default_factory=SigningKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)
    gateway_id: str = "6" * 32
    epoch: str = "e" * 32
    feed_head: Head = GENESIS
    case_seqs: dict[str, int] = field(default_factory=dict)


def new_counter(
    folder: Path,
    role: str = "village",
    *,
    gateway: Gateway | None = None,
    clock: HandClock | None = None,
    settings: NodeSettings | None = None,
    catalog: bool = True,
    tuf_root: bytes | None = None,
    site: str | None = None,
    node_id: str | None = None,
) -> Counter:
    """A complete node in `folder`; called again on the same folder it opens what is there."""
    paths, clock, gateway = NodePaths(folder), clock or HandClock(), gateway or Gateway()
    fresh = not paths.desk_db.exists()
    paths.create()
    if fresh:
        desk = open_desk(
            paths.desk_db, keyring.create(paths.keyring, MACHINE_KEY, gateway.sealing.public, os.urandom), create=True
        )
        _enrol(paths, desk, role, gateway, tuf_root, site, node_id)
    else:
        desk = open_desk(paths.desk_db, rekeying.open_key(paths.desk_db, paths.keyring, MACHINE_KEY))
    counter = compose(paths, desk, clock.machine(), os.urandom, settings or NodeSettings(disk_reserve_mib=16))
    if fresh and catalog:
        activate_catalog.activate(counter, seed_edition())
    return counter


def _enrol(
    paths: NodePaths,
    desk: Any,
    role: str,
    gateway: Gateway,
    tuf_root: bytes | None,
    site: str | None,
    node_id: str | None,
) -> None:
    identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    region = site or (VILLAGE if role == "village" else TOWNSHIP)
    document = EnrolmentDocument(
        node_id=node_id or os.urandom(16).hex(),
        site=region,
        site_name="护安镇测试村便民服务室" if role == "village" else "护安镇便民服务中心",
        role="village" if role == "village" else "township",
        region=region,
        township=TOWNSHIP,
        valid_from=NOON - timedelta(days=30),
        valid_to=NOON + timedelta(days=400),
        identity_public=identity.public,
        sealing_public=sealing.public,
        transport_public=transport.public,
        gateway=GatewayIdentity(
            id=gateway.gateway_id, signing_public=gateway.signing.public, sealing_publics=[gateway.sealing.public]
        ),
        gateway_url="http://gateway.invalid",
        tuf_root=tuf_root,
    )
    with desk.transaction() as tx:
        keys.keep(tx, identity, sealing, NOON)
        state.pin_gateway(tx, gateway.signing.public)
        for clerk_id, name, rank, where in (
            (AGENT, "张测试", Role.AGENT, region),
            (CLERK, "李样例", Role.CLERK, TOWNSHIP),
        ):
            clerk = Clerk(clerk_id, name, rank, where, active=True)
            clerks.save(tx, clerk, PASSPHRASE, randomness=os.urandom, cost=ONLY_FOR_TESTS)
    write_node_file(paths.enrolment, sign_enrolment(document, gateway.signing))


def signed_in(counter: Counter, clerk_id: str | None = None) -> AtCounter:
    """The agent of a village, the clerk of a township, or whoever is named."""
    return signing.sign_in(counter, clerk_id or (AGENT if counter.node.role == "village" else CLERK), PASSPHRASE)[1]


def client_of(counter: Counter, **headers: str) -> httpx.AsyncClient:
    """A client of the counter API, without a socket."""
    transport = httpx.ASGITransport(app=counter_app(counter), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://counter", headers=headers)


def photo(text_colour: int = 30, size: tuple[int, int] = (320, 240)) -> bytes:
    """A small picture of an invented paper."""
    out = io.BytesIO()
    Image.new("RGB", size, (240, text_colour % 256, 200)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Village:
    """A counter, the agent who is signed in, and the city far away."""

    counter: Counter
    gateway: Gateway
    clock: HandClock
    who: AtCounter
    mail: MailRound
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def at(cls, folder: Path, role: str = "village", **options: Any) -> Village:
        """A village, or a township, in `folder`; on the same folder again it is the same node after a restart."""
        gateway, clock = options.pop("gateway", None) or Gateway(), options.pop("clock", None) or HandClock()
        counter = new_counter(folder, role, gateway=gateway, clock=clock, **options)
        mail = MailRound(counter)
        mail.begin()
        return cls(counter, gateway, clock, signed_in(counter), mail)

    def restarted(self, *, close: bool = True) -> Village:
        """The program ended, however it ended, and starts again."""
        if close:
            self.counter.desk.close()
        return type(self).at(self.counter.paths.root, self.counter.node.role, gateway=self.gateway, clock=self.clock)

    # --- what an agent does -------------------------------------------------------------------------------------------

    def filled(self, item_id: str = "GA-YB-001", **values: Any) -> str:
        """A draft with everything that is needed, scans included; its id."""
        draft = drafting.begin(self.counter, self.who, item_id)
        with self.counter.desk.reading() as tx:
            parsed = self.counter.shelf.form(tx, draft.form_id, draft.catalog_version)
        rng = random.Random(item_id)
        typed = valid_values(parsed, REGIONS, rng, {"agent_mode": "self", "applicant_id_type": "111", **values})
        drafting.change(self.counter, self.who, draft.draft_id, values=typed)
        self.hand_in(draft.draft_id)
        return draft.draft_id

    def hand_in(self, draft_id: str) -> None:
        """Hand in every material the guide asks for, each with one scan."""
        from casework.materials import needed

        draft = drafting.show(self.counter, self.who, draft_id)
        with self.counter.desk.reading() as tx:
            item = self.counter.shelf.item(tx, draft.item_id, draft.catalog_version)
            form = self.counter.shelf.form(tx, draft.form_id, draft.catalog_version)
        for need in needed(item, draft.values, form):
            if need.kind == "optional":
                continue
            handed = HandedInView(material_id=need.material_id, seen="original_seen", applies=True)
            drafting.change(self.counter, self.who, draft_id, handed_in=[handed])
            self.scan(draft_id, need.material_id)

    def scan(self, draft_id: str, material_id: str, **more: Any) -> Any:
        """One scan of a fresh picture."""
        return intake.take_in(
            self.counter, self.who, draft_id, material_id, more.get("page"), photo(next(self.numbers))
        )

    def collected(self, item_id: str = "GA-YB-001", **values: Any) -> str:
        """An application collected here; its id."""
        return collecting.collect(self.counter, self.who, self.filled(item_id, **values)).application_id

    # --- what the city does -------------------------------------------------------------------------------------------

    def posted(self) -> list[tuple[int, bytes]]:
        """What lies in the outgoing mailbox."""
        return [(seq, path.read_bytes()) for seq, path in self.counter.outgoing.envelopes()]

    def operations(self) -> list[Operation]:
        """What the city can read of it, the chain checked from its beginning."""
        head, found = GENESIS, []
        for _, data in self.posted():
            head = follow(head, data, self.counter.identity.public)
            found.append(self.opened(data))
        return found

    def noted(self) -> list[str]:
        """The kinds of all audit entries of this node."""
        with self.counter.desk.reading() as tx:
            bodies = [read_operation(link.body) for link in journal.after(tx, 0, limit=10_000) if not link.purged]
        return [str(one.audit["kind"]) for one in bodies if one.audit]

    def operations_after(self, seq: int) -> list[Operation]:
        """What lies in the mailbox beyond a number, whatever was taken away before it."""
        return [self.opened(data) for number, data in self.posted() if number > seq]

    def opened(self, data: bytes) -> Operation:
        """One posted envelope, opened by the city."""
        return read_operation(
            open_sealed(
                data,
                recipient=self.gateway.sealing,
                signer_public=self.counter.identity.public,
                dictionaries=self._dictionaries(),
            ).body
        )

    def receipt(self, hwm: int | None = None, *, stable: int = 0, lay: bool = True, **changes: Any) -> dict[str, str]:
        """A signed receipt for everything up to `hwm` (all, unless said), laid into the mailbox unless not wanted."""
        with self.counter.desk.reading() as tx:
            head = journal.head(tx).seq if hwm is None else hwm
            link = journal.hash_at(tx, head) or bytes(32)
        receipt = Receipt(
            **{
                "gateway": self.gateway.gateway_id,
                "epoch": self.gateway.epoch,
                "node": self.counter.node.node_id,
                "hwm": head,
                "head_hash": link.hex(),
                "stable_hwm": stable,
                "server_time": self.clock.wall,
                "nonce": os.urandom(16).hex(),
                "feed_head": self.gateway.feed_head.seq,
                "feed_more": False,
                "page_hash": page_hash([]),
                **changes,
            }
        )
        document = sign_receipt(receipt, self.gateway.signing)
        if lay:
            self.counter.incoming.put_receipt(document)
        return document

    def scan_stored(self, scan_hash: str) -> None:
        """The courier lays down the signed word of the city that it holds this scan whole."""
        self.counter.incoming.mark_scan_stored(scan_hash, self.receipt(lay=False, scans_stored=[scan_hash]))

    def tell(
        self,
        application_id: str,
        *,
        op_id: str | None = None,
        result: str = "applied",
        events: Iterable[Event] = (),
        refusal: tuple[str, Mapping[str, Any]] | None = None,
        lay: bool = True,
        **more: Any,
    ) -> bytes:
        """One entry of the feed for this node, signed, chained and laid into the mailbox."""
        case_seq = self.gateway.case_seqs.get(application_id, 0) + 1
        self.gateway.case_seqs[application_id] = case_seq
        entry = FeedEntry(
            **{
                "application_id": application_id,
                "case_seq": case_seq,
                "op_id": op_id,
                "author_node": self.counter.node.node_id if op_id and "author_node" not in more else None,
                "author_role": self.counter.node.role,
                "result": result,
                "refusal": Reason(code=refusal[0], params=dict(refusal[1])) if refusal else None,
                "events": [event_to_plain(event) for event in events],
                **more,
            }
        )
        head = self.gateway.feed_head
        data = seal(
            kind=Kind.FEED,
            node_id=bytes.fromhex(self.counter.node.node_id),
            seq=head.seq + 1,
            prev=head.hash,
            op_id=os.urandom(16),
            body=body_of(entry),
            recipients=[self.counter.sealing[0].public],
            signer=self.gateway.signing,
        )
        if lay:
            self.gateway.feed_head = Head(head.seq + 1, envelope_hash(data))
            self.counter.incoming.put_feed(head.seq + 1, data)
        return data

    def forward_to(self, other: Village, data: bytes, events: Iterable[Event] = (), **scan_wraps: bytes) -> None:
        """Let another node read an operation of this one: its sealed bytes, wrapped for the other's key."""
        opened = open_sealed(
            data,
            recipient=self.gateway.sealing,
            signer_public=self.counter.identity.public,
            dictionaries=self._dictionaries(),
        )
        operation = read_operation(opened.body)
        other.tell(
            operation.application_id or "",
            op_id=operation.op_id,
            events=events,
            author_node=self.counter.node.node_id,
            author_role=self.counter.node.role,
            author_public=self.counter.identity.public,
            envelope=data,
            wrap=rewrap(data, opened.content_key, other.counter.sealing[0].public),
            scan_wraps=scan_wraps,
        )

    def _dictionaries(self) -> Any:
        with self.counter.desk.reading() as tx:
            return self.counter.shelf.dictionaries(tx)
