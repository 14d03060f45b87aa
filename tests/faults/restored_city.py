"""A city that is set back to its last verified backup while its villages run and its township and office go on working.

The villages are whole nodes (desk, mailbox, vault, courier) that never restart; the township is a node of keys alone
that keeps its journal and its place in the feed; the department sits at the office and enters again what was lost. The
diary of what was called saved lies outside all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx

from casework.application import Decision
from casework.errors import CaseworkError
from casework.events import Decided, ReviewStarted
from casework.states import State
from city_gateway.acts.outline import outline
from city_gateway.acts.rule import department, rule
from city_gateway.ledger import journal as ledger_journal
from city_gateway.ledger import scan_references
from edge_node.acts import erasing
from edge_node.acts import village as acts
from offline_store.desk import applications
from offline_store.desk.applications import Standing
from sync_agent.loop import Rounds
from sync_agent.uplink import Uplink
from tests.city_gateway.backup_world import backed_up, restored, workshop
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, TOWNSHIP, VILLAGE, City, EnrolledNode, city_in
from tests.simulators.whole_node import SETTINGS, Saved, WholeNode, passes
from wire.envelope import envelope_hash
from wire.keys import SigningKey

OTHER = "511603106206"
ROUNDS_MOST = 12
LOOK_S, SHARED_WITHIN_LOOKS = 0.05, 400


class WholeVillage(WholeNode):
    """A village whose programs run on while another gateway process answers at the same address."""

    def _courier(self) -> None:
        self._client = httpx.AsyncClient(transport=_Door(self), base_url=PUBLIC_URL, follow_redirects=False)
        uplink = Uplink(
            self._client,
            node_id=self.village.counter.node.node_id,
            transport_key=SigningKey.from_bytes(self.paths.transport_key.read_bytes()),
            clock=lambda: self.city.clock(),
            nonce=lambda: os.urandom(16).hex(),
        )
        self.rounds = Rounds(self.paths, SETTINGS, uplink)
        counter = self.village.counter
        counter.limits = replace(counter.limits, retention=timedelta(0))

    def withdraw(self, application_id: str) -> None:
        """The applicant takes it back; from then on its papers need not be kept."""
        counter, who = self.village.counter, self.village.who
        acts.withdraw(counter, who, application_id, "样例")
        with counter.desk.reading() as tx:
            op_id = applications.load(tx, application_id).pending[-1]
        self._note(application_id, op_id)

    def states(self) -> dict[str, tuple[State, Standing]]:
        """What the screen shows of each application."""
        with self.village.counter.desk.reading() as tx:
            rows = applications.page(tx, limit=10_000).rows
        return {one.shown.application_id: (one.shown.state, one.standing) for one in rows}


class _Door(httpx.AsyncBaseTransport):
    def __init__(self, node: WholeNode) -> None:
        self._node = node

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        door = httpx.ASGITransport(app=self._node.city.app, raise_app_exceptions=False)
        return await door.handle_async_request(request)


@dataclass
class Township:
    """A node of keys that obeys the mark and the feed's head as every node does."""

    node: EnrolledNode
    ops: dict[str, str] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    hwm: int = 0
    last: str | None = None

    async def talk(self) -> None:
        for _ in range(ROUNDS_MOST):
            asked = {"feed_cursor": self.node.cursor, "feed_hash": self.last}
            got = await self.node.exchange(*self.node.journal[self.hwm :], **asked)
            self.hwm = got.receipt.hwm
            for frame, entry in zip(got.frames, got.feed, strict=True):
                self.last = envelope_hash(frame).hex()
                if entry.result == "applied" and entry.application_id:
                    self.known[entry.application_id] = entry.case_seq
            if got.receipt.feed_head < self.node.cursor:
                self.node.cursor, self.last, self.known = 0, None, {}
                continue
            if self.hwm == self.node.head.seq and not got.receipt.feed_more:
                return

    def act(self, application_id: str, code: str) -> None:
        """One act, based on what it has seen."""
        operation = self.node.operation(
            self.node.event(code), application_id=application_id, basis=self.known.get(application_id, 0)
        )
        self.node.seal(operation)
        self.ops[operation.op_id] = application_id


@dataclass
class RestoredCity:
    """Everybody, between restores."""

    folder: Path
    url: str
    city: City
    villages: list[WholeVillage]
    township: Township
    diary: list[Saved] = field(default_factory=list)
    ruled: set[str] = field(default_factory=set)
    set_back: int = 0
    erased: int = 0

    # --- a day's work -------------------------------------------------------------------------------------------------

    async def day(self, rng: random.Random, times: int) -> None:
        """Some acts of everybody, some of them sent."""
        for _ in range(times):
            passes(self.city, *self.villages, minutes=rng.randrange(1, 40))
            await rng.choice((self._village_works, self._village_works, self._township_works, self._office_rules))(rng)
            if rng.random() < 0.8:
                await rng.choice(self.villages).contact()
            if rng.random() < 0.3:
                self.erased += erasing.erase_due(rng.choice(self.villages).village.counter)

    async def _village_works(self, rng: random.Random) -> None:
        node = rng.choice(self.villages)
        mine = sorted(key for key, (state, _) in node.states().items() if state not in (State.WITHDRAWN, State.DECIDED))
        if not mine or rng.random() < 0.5:
            node.collect()
            return
        with contextlib.suppress(CaseworkError):  # refused at the counter: nobody was told that it is saved
            if rng.random() < 0.6:
                node.withdraw(rng.choice(mine))
            else:
                node.stop_or_resume(rng.choice(mine))

    async def _township_works(self, rng: random.Random) -> None:
        await self.township.talk()
        with self.city.gateway.ledger.reading():
            cases = {case["application_id"]: case["state"] for case in outline(self.city.gateway.ledger)}
        waiting = sorted(key for key, state in cases.items() if state == "submitted" and key in self.township.known)
        if waiting:
            chosen = rng.choice(waiting)
            self.township.act(chosen, "pre_review_started")
            self.township.act(chosen, "accepted")
        if rng.random() < 0.7:
            await self.township.talk()

    async def _office_rules(self, _rng: random.Random) -> None:
        self.rule_waiting()

    def rule_waiting(self) -> None:
        """The department decides what is accepted; also what it had decided before and finds undecided again."""
        gateway = self.city.gateway
        by = department("d-1", "511600000000", gateway)
        for case in outline(gateway.ledger):
            if case["state"] == "accepted":
                rule(gateway, case["application_id"], lambda _now, at: _decided(at, by))
                self.ruled.add(case["application_id"])

    async def something_is_over(self) -> None:
        """One application of each village ended and was backed up; that it is over is noted for the next backup."""
        for node in self.villages:
            saved = node.collect()
            await node.drain()
            node.withdraw(saved.application_id)
            await node.drain()
        self.back_up()
        await self.erase_what_is_over()

    async def erase_what_is_over(self) -> None:
        """The villages hear how far the backup reaches, erase what it holds, and tell of what the next may hold."""
        for node in self.villages:
            await node.contact()
            self.erased += erasing.erase_due(node.village.counter)
            await node.contact()

    def steps(self) -> int:
        """How much the city knows."""
        return sum(len(case["entries"]) for case in outline(self.city.gateway.ledger))

    def back_up(self) -> Path:
        """A verified backup, made while everybody works."""
        generation = backed_up(workshop(self.city, self.url, self.folder / "backups"))
        passes(self.city, *self.villages, minutes=1)
        return generation

    # --- afterwards ---------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """The faults are over: everybody talks until nothing waits."""
        for _ in range(4):
            await self.township.talk()
            for node in self.villages:
                await node.drain()
            self.rule_waiting()
        for node in self.villages:
            await node.drain()
        for _ in range(SHARED_WITHIN_LOOKS):  # keys of scans go out a moment after the scans came in
            with self.city.gateway.ledger.reading() as tx:
                if not scan_references.all_waiting(tx):
                    return
            await asyncio.sleep(LOOK_S)

    @property
    def saved(self) -> list[Saved]:
        return [one for node in self.villages for one in node.diary]


def _decided(at: object, by: object) -> list[object]:
    ruled = Decision(granted=True, reason="样例", document_name="样例证", document_no="样1", decided_on=at)  # type: ignore[arg-type]
    return [ReviewStarted(at=at, by=by), Decided(at=at, by=by, decision=ruled)]  # type: ignore[arg-type]


@asynccontextmanager
async def living(folder: Path, url: str) -> AsyncIterator[RestoredCity]:
    """A city with two villages and a township."""
    async with city_in(folder / "gateway", url) as city:
        villages = []
        for site in (VILLAGE, OTHER):
            node = WholeVillage.founded(city, folder / site, site=site)
            assert isinstance(node, WholeVillage)
            villages.append(node)
        township = Township(await city.enrol("township", TOWNSHIP))
        made = RestoredCity(folder, url, city, villages, township)
        made.back_up()
    try:
        yield made
    finally:
        for node in villages:
            node.stop()


@asynccontextmanager
async def open_again(world: RestoredCity, *, back_to: Path | None = None) -> AsyncIterator[None]:
    """The gateway's next process, after a restore if one is asked for; the nodes do not notice before they speak."""
    now = world.city.clock.now
    if back_to is not None:
        restored(world.folder / "gateway", world.url, back_to, world.city)
    async with city_in(world.folder / "gateway", world.url) as city:
        city.clock.now = now
        world.city = world.township.node.city = city
        for node in world.villages:
            node.city = city
        yield


# --- reckoning --------------------------------------------------------------------------------------------------------


@dataclass
class Reckoned:
    """What is wrong; all empty when nothing is."""

    lost: list[str]
    duplicated: list[str]
    phantom: list[str]
    false_sent: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.phantom or self.false_sent)


def reckon(world: RestoredCity) -> Reckoned:
    """Diaries against the ledger, the ledger against the screens, every scan against the city's store."""
    ledger = world.city.gateway.ledger
    cases = {case["application_id"]: case for case in outline(ledger)}
    effects = Counter(entry["op_id"] for case in cases.values() for entry in case["entries"] if entry["op_id"])
    asked = {one.op_id for one in world.saved} | set(world.township.ops)
    told = {op_id for node in world.villages for op_id in node.told_refused()}
    with ledger.reading() as tx:
        outcomes = ledger_journal.outcomes(tx, sorted(asked))
        named = {name for key in cases for name in scan_references.scans_of(tx, key)}
        lacking = set(scan_references.all_waiting(tx))
    refused = {key for key, one in outcomes.items() if one.result == "refused"}
    mine = {one.op_id for one in world.saved}
    steps = {key: Counter(case["history"]) for key, case in cases.items()}
    once = ("collected", "pre_review_started", "accepted", "decided", "withdrawn")
    store = world.city.gateway.folder.scans
    return Reckoned(
        lost=sorted(
            [
                *(mine - set(effects) - (refused & told)),
                *(set(world.township.ops) - set(effects) - refused),
                *(name for name in named if not (store / name).is_file()),
                *lacking,
            ]
        ),
        duplicated=sorted(
            [
                *(op_id for op_id, times in effects.items() if times > 1),
                *(key for key, history in steps.items() if any(history[code] > 1 for code in once)),
            ]
        ),
        phantom=sorted(set(effects) - asked),
        false_sent=sorted(_misshown(world, {key: case["state"] for key, case in cases.items()})),
    )


def _misshown(world: RestoredCity, city: dict[str, str]) -> set[str]:
    """Applications that a village shows otherwise than the city has them, or as waiting when nothing waits."""
    wrong = set()
    for node in world.villages:
        for key, (state, standing) in node.states().items():
            confirmed = standing in (Standing.CONFIRMED, Standing.REFUSED)
            if not confirmed or city.get(key) != state.value:
                wrong.add(key)
    return wrong
