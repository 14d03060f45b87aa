"""A whole node in one process: the real enrolment, its counter on a real desk, its courier before a real gateway.

Its folder is its disk: `image` copies it, `set_back` puts a copy in its place, `clone` starts a second machine from it.
The diary of what was called saved lies in the test's memory, outside every disk.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from casework.application import Role
from city_gateway.acts import enrol as enrolling
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.outline import outline
from city_gateway.errors import GatewayError
from city_gateway.ledger import journal as ledger_journal
from edge_node.acts import activate_catalog
from edge_node.acts import village as acts
from edge_node.app import compose
from edge_node.settings import NodeSettings
from offline_store.desk import applications, clerks, journal, state
from offline_store.desk.applications import Standing
from offline_store.desk.clerks import Clerk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.paths import NodePaths
from provisioning.enrol import enrol
from provisioning.gateway_door import GatewayDoor
from provisioning.node_keys import open_node_desk
from provisioning.re_enrol import ReEnrolled, re_enrol
from sync_agent.conversation import Heard
from sync_agent.loop import Rounds
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Uplink
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, VILLAGE, City
from tests.edge_node.village import (
    AGENT,
    MACHINE_KEY,
    PASSPHRASE,
    HandClock,
    MailRound,
    Village,
    seed_edition,
    signed_in,
)
from tests.edge_node.village import Gateway as NoGateway
from wire.keys import SigningKey
from wire.messages import Refusal, sign_refusal

SETTINGS = AgentSettings(connections=2, answer_s=30.0)
ROUNDS_MOST = 40
SHOWN_AS_SENT = {Standing.AT_CITY, Standing.CONFIRMED}


@dataclass(frozen=True)
class Saved:
    """One act that the counter called saved."""

    application_id: str
    op_id: str
    receipt_no: str


@dataclass
class Reckoning:
    """What the city has against what was called saved; all empty when nothing went wrong. An act that the lifecycle
    refused at the city (two machines did the same to one application) is not lost when its machine was told why."""

    lost: list[str]
    duplicated: list[str]
    phantom: list[str]
    false_sent: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.phantom or self.false_sent)


@dataclass
class WholeNode:
    """One machine with its disk."""

    city: City
    root: Path
    clock: HandClock
    diary: list[Saved] = field(default_factory=list)
    village: Village = field(init=False)
    rounds: Rounds = field(init=False)
    _client: httpx.AsyncClient = field(init=False)

    @property
    def paths(self) -> NodePaths:
        return NodePaths(self.root)

    @property
    def node_id(self) -> str:
        return self.village.counter.node.node_id

    # --- a machine's life -----------------------------------------------------------------------------------------

    @classmethod
    def founded(cls, city: City, root: Path, *, site: str = VILLAGE, catalog: bool = True) -> WholeNode:
        """Enrol a bare folder, register its agent, start it."""
        node = cls(city, root, HandClock(wall=city.clock()))
        with httpx.Client(transport=door_of(city.gateway)) as client:
            enrol(
                paths=node.paths,
                door=GatewayDoor(client, PUBLIC_URL),
                code_text=city.code(site=site),
                role="village",
                machine=MACHINE_KEY,
                randomness=os.urandom,
                now=lambda: node.clock.wall,
            )
        with open_node_desk(node.paths, MACHINE_KEY) as desk, desk.transaction() as tx:
            agent = Clerk(AGENT, "张测试", Role.AGENT, site, active=True)
            clerks.save(tx, agent, PASSPHRASE, randomness=os.urandom, cost=ONLY_FOR_TESTS)
        node.start(first_catalog=catalog)
        return node

    def start(self, *, first_catalog: bool = False) -> None:
        """Both programs begin; the agent signs in."""
        desk = open_node_desk(self.paths, MACHINE_KEY)
        try:
            settings = NodeSettings(disk_reserve_mib=16)
            counter = compose(self.paths, desk, self.clock.machine(), os.urandom, settings)
        except BaseException:
            desk.close()
            raise
        if first_catalog:
            activate_catalog.activate(counter, seed_edition())
        mail = MailRound(counter)
        mail.begin()
        self.village = Village(counter, NoGateway(), self.clock, signed_in(counter), mail)
        self.village.numbers = iter(lambda: random.getrandbits(30), -1)
        self._courier()

    def _courier(self) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.city.app, raise_app_exceptions=False),
            base_url=PUBLIC_URL,
            follow_redirects=False,
        )
        uplink = Uplink(
            self._client,
            node_id=self.village.counter.node.node_id,
            transport_key=SigningKey.from_bytes(self.paths.transport_key.read_bytes()),
            clock=self.city.clock,
            nonce=lambda: os.urandom(16).hex(),
        )
        self.rounds = Rounds(self.paths, SETTINGS, uplink)

    def stop(self) -> None:
        """The power is gone."""
        self.village.counter.desk.close()

    def image(self, folder: Path) -> Path:
        """The disk as it lies, programs stopped."""
        shutil.copytree(self.root, folder, ignore=shutil.ignore_patterns("*.sock"))
        return folder

    def set_back(self, image: Path) -> None:
        """An old image of the disk is put in its place, while nothing runs."""
        shutil.rmtree(self.root)
        shutil.copytree(image, self.root)

    def clone(self, root: Path) -> WholeNode:
        """A second machine with a copy of this one's disk; what it saves goes into its own diary."""
        self.image(root)
        return WholeNode(self.city, root, HandClock(wall=self.clock.wall, boot_id="c" * 32))

    def enrolled_anew(self) -> ReEnrolled:
        """What the installer does with a new code from the city; the machine is at rest."""
        with httpx.Client(transport=door_of(self.city.gateway)) as client:
            return re_enrol(
                paths=self.paths,
                code_text=self.city.code(),
                door=GatewayDoor(client, PUBLIC_URL),
                machine=MACHINE_KEY,
                randomness=os.urandom,
                now=lambda: self.clock.wall,
            )

    # --- work ---------------------------------------------------------------------------------------------------------

    def collect(self) -> Saved:
        """A new application with its scans; nobody fills one in faster than in twenty seconds."""
        passes(self.city, self, seconds=20)
        application_id = self.village.collected("GA-YB-004")
        return self._note(application_id, application_id)

    def stop_or_resume(self, application_id: str) -> Saved:
        """One more act on an application that is here: its proxy stops, or goes on."""
        counter, who = self.village.counter, self.village.who
        with counter.desk.reading() as tx:
            suspended = applications.load(tx, application_id).shown.proxy.value == "suspended"
        acts.change_proxy(counter, who, application_id, "resume" if suspended else "suspend", "样例")
        with counter.desk.reading() as tx:
            op_id = applications.load(tx, application_id).pending[-1]
        return self._note(application_id, op_id)

    def work(self, rng: random.Random, times: int, *, new: float = 0.25) -> None:
        """Some acts on what is here."""
        for _ in range(times):
            known = sorted(self.standings())
            if not known or rng.random() < new:
                self.collect()
            else:
                self.stop_or_resume(rng.choice(known))

    def _note(self, application_id: str, op_id: str) -> Saved:
        with self.village.counter.desk.reading() as tx:
            receipt_no = applications.load(tx, application_id).shown.receipt_no
        saved = Saved(application_id, op_id, receipt_no)
        self.diary.append(saved)
        return saved

    # --- mail ---------------------------------------------------------------------------------------------------------

    async def contact(self) -> Heard | None:
        """One round of the courier, and what came of it taken in; None when this identity speaks no more."""
        self.turn()
        heard = None if self.rounds.halted else await self.rounds.make_one()
        self.turn()
        return heard

    def turn(self) -> None:
        """Mail rounds of edge_node until nothing happens; a new node file restarts the courier, as in the program."""
        before = self.paths.enrolment.stat().st_mtime_ns
        for _ in range(ROUNDS_MOST):
            if not self.village.mail.turn():
                break
        if self.paths.enrolment.stat().st_mtime_ns != before:
            self._courier()

    async def drain(self) -> None:
        """Talk until nothing waits, or until this identity is stopped."""
        for _ in range(ROUNDS_MOST):
            heard = await self.contact()
            if heard is None or self.stopped is not None:
                return
            if heard.ok and not self.waiting():
                return
        raise AssertionError("it does not drain")

    def waiting(self) -> bool:
        """Whether the city has not everything, or has not answered everything."""
        with self.village.counter.desk.reading() as tx:
            marks = state.marks(tx)
            behind = journal.backlog(tx, marks.hwm if marks else 0).ops
        pending = any(one not in (Standing.CONFIRMED, Standing.REFUSED) for one in self.standings().values())
        return bool(behind or pending or list(self.village.counter.outgoing.scan_tickets()))

    @property
    def stopped(self) -> dict[str, object] | None:
        with self.village.counter.desk.reading() as tx:
            kept: dict[str, object] | None = state.get(tx, state.STOPPED)
        return kept

    def standings(self) -> dict[str, Standing]:
        """How far each application has come, as the screen shows it."""
        with self.village.counter.desk.reading() as tx:
            return {one.shown.application_id: one.standing for one in applications.page(tx, limit=10_000).rows}

    def told_refused(self) -> set[str]:
        """The acts of which this machine's journal says that the city refused them, with the reason."""
        with self.village.counter.desk.reading() as tx:
            links = journal.after(tx, 0, limit=100_000)
        return {link.op_id for link in links if link.outcome == "refused" and link.refusal}


def reckon(city: City, nodes: Iterable[WholeNode], saved: Iterable[Saved], excused: Iterable[Saved] = ()) -> Reckoning:
    """Compare the diaries with the city's ledger, and the city's ledger with what the screens show as sent."""
    known, forgiven = list(saved), {one.op_id for one in excused}
    cases = {case["application_id"]: case for case in outline(city.gateway.ledger)}
    effects = [entry["op_id"] for case in cases.values() for entry in case["entries"] if entry["op_id"]]
    asked = {one.op_id for one in known}
    machines = list(nodes)
    told = {op_id for node in machines for op_id in node.told_refused()}
    with city.gateway.ledger.reading() as tx:
        refused = {key for key, one in ledger_journal.outcomes(tx, sorted(asked)).items() if one.result == "refused"}
    acts_of: dict[str, set[str]] = {}
    for one in known:
        acts_of.setdefault(one.application_id, set()).add(one.op_id)
    done = {key: [step for step in case["history"] if step != "submitted"] for key, case in cases.items()}
    return Reckoning(
        lost=sorted(asked - forgiven - set(effects) - (refused & told)),
        duplicated=sorted(
            {op_id for op_id in effects if effects.count(op_id) > 1}
            | {key for key, steps in done.items() if len(steps) > len(acts_of.get(key, ()))}
        ),
        phantom=sorted(set(effects) - asked),
        false_sent=sorted({one for node in machines for one in _shown_without_effect(node, set(effects) | told)}),
    )


def _shown_without_effect(node: WholeNode, effects: set[str]) -> set[str]:
    """Acts of applications that this node shows as sent, of which the city never saw one."""
    shown = node.standings()
    sent = {key for key, standing in shown.items() if standing in SHOWN_AS_SENT}
    return {one.op_id for one in node.diary if one.application_id in sent} - effects


def door_of(gateway: Gateway) -> httpx.MockTransport:
    """The gateway's door of enrolment without a socket."""

    def answer(request: httpx.Request) -> httpx.Response:
        try:
            said = enrolling.card(gateway) if request.method == "GET" else enrolling.enrol(gateway, request.content)
        except GatewayError as refused:
            refusal = Refusal(code=refused.code, server_time=gateway.clock())
            return httpx.Response(403, content=json.dumps(sign_refusal(refusal, gateway.keys.signing)))
        return httpx.Response(200, content=json.dumps(said))

    return httpx.MockTransport(answer)


def passes(city: City, *nodes: WholeNode, **span: float) -> datetime:
    """Time passes everywhere, and the city serves others."""
    city.serves_until(city.clock.now + timedelta(**span))
    for node in nodes:
        node.clock.passes(**span)
    return city.clock.now
