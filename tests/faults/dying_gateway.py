"""A gateway that dies at any statement or call of its work, and the provincial platform that outlives it.

A death is a BaseException at the place: nothing of the gateway's own code handles it, the database rolls back what was
not committed, and the process's memory is thrown away with its engine. The same places can be struck by a real SIGKILL
in a forked child.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from casework.events import EVENTS
from city_gateway.acts import arrival, parking, receive, uploads
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.outline import outline
from city_gateway.acts.platform_port import PlatformPort, deliver_promised
from city_gateway.acts.rule import department, rule
from city_gateway.app import Settings, open_gateway
from city_gateway.ledger.outbox import PlatformRecord
from city_gateway.ledger.tables import FEED_ENTRIES, PLATFORM_OUTBOX
from tests.city_gateway.gateway_fixtures import PUBLIC_URL, TOWNSHIP, EnrolledNode, HandClock, city_in
from wire.envelope import read_header
from wire.messages import ExchangeHead, NodeReport, read_reply, read_request, write_request
from wire.receipt import Receipt, read_receipt

Deliver = Callable[[Gateway, PlatformPort], int]


class Died(BaseException):
    """The process is gone."""


@dataclass
class Strike:
    """Counts the places of a piece of work and strikes at one of them."""

    at: int
    by: Callable[[], None]
    places: int = 0

    def place(self, *_: Any, **__: Any) -> None:
        """A statement, a commit or a call is about to happen."""
        self.places += 1
        if self.places == self.at:
            self.by()


def dies() -> None:
    raise Died


def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Platform:
    """The provincial platform: it keeps what it was told, whatever becomes of the gateway."""

    knows_names: bool = True
    kept: list[PlatformRecord] = field(default_factory=list)
    place: Callable[[], None] = lambda: None

    def deliver(self, records: Sequence[PlatformRecord]) -> None:
        for record in records:
            self.place()
            known = {name_of(one) for one in self.kept} if self.knows_names else set()
            if name_of(record) not in known:
                self.kept.append(record)
        self.place()


def name_of(record: PlatformRecord) -> tuple[str, str, int]:
    return record.act, record.record_set, record.row


@dataclass
class World:
    """A city between two deaths: its folder, its ledger, a village and a township, and the platform."""

    folder: Path
    url: str
    clock: HandClock
    village: EnrolledNode
    township: EnrolledNode
    platform: Platform
    asked: list[tuple[str, str]] = field(default_factory=list)
    living: Gateway | None = None

    @classmethod
    def founded(cls, folder: Path, url: str) -> World:
        async def once() -> World:
            async with city_in(folder, url) as city:
                village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
                return cls(folder, url, city.clock, village, township, Platform())

        return asyncio.run(once())

    def opened(self) -> Gateway:
        """A new process."""
        return open_gateway(Settings(self.url, self.folder, PUBLIC_URL), clock=self.clock)

    def close(self) -> None:
        """The process that lives between deaths ends."""
        if self.living is not None:
            self.living.ledger.close()
            self.living = None

    def send(self, gateway: Gateway, node: EnrolledNode, after: int) -> Receipt:
        """What the courier does: the journal after the mark that the node believes."""
        nonce = os.urandom(16).hex()
        head = ExchangeHead(
            node=node.document.node_id, nonce=nonce, feed_cursor=0, report=NodeReport(program_version="test")
        )
        request = read_request(write_request(head, node.journal[after:]))
        reply = read_reply(receive.exchange(gateway, node.document.node_id, request).body)
        public = node.document.gateway.signing_public
        return read_receipt(reply.receipt, public, node=head.node, nonce=nonce, feed=reply.feed)


# --- pieces of work ---------------------------------------------------------------------------------------------------


@dataclass
class Work:
    """One piece of work that can be begun again after a death: `prepare` is done in peace, `do` is struck."""

    name: str
    prepare: Callable[[World], Any]
    do: Callable[[World, Gateway, Any], None]


def a_batch(world: World) -> int:
    """Three entries: an application whose scan is here, one whose scan comes later, an audit entry between."""
    village, before = world.village, world.village.head.seq
    scan = village.sealed_scan(os.urandom(40))
    _upload(world, scan.name, scan.data)
    for handed in ((scan,), ()):
        application_id, _ = village.collect(*handed)
        world.asked.append((application_id, "collected"))
        village.act(application_id=None, audit={"kind": "viewed"})
    return before


def send_it(world: World, gateway: Gateway, before: int) -> None:
    receipt = world.send(gateway, world.village, before)
    assert receipt.head == world.village.head


def acts_that_waited(world: World) -> tuple[int, int]:
    """A township's act that came before the village's application, which now brings it to life."""
    village, township = world.village, world.township
    before, seq = village.head.seq, township.head.seq
    application_id, _ = village.collect()
    township.act(township.event("pre_review_started"), application_id=application_id, basis=1)
    world.asked += [(application_id, "collected"), (application_id, "pre_review_started")]
    with at_peace(world) as gateway:
        world.send(gateway, township, seq)
    return before, seq


def wake_them(world: World, gateway: Gateway, before: tuple[int, int]) -> None:
    send_it(world, gateway, before[0])


def accepted(world: World) -> str:
    """An application on which a department can rule."""
    village, township = world.village, world.township
    before, seq = village.head.seq, township.head.seq
    application_id, _ = village.collect()
    for code in ("pre_review_started", "accepted"):
        township.act(township.event(code), application_id=application_id, basis=1)
    world.asked += [(application_id, code) for code in ("collected", "pre_review_started", "accepted")]
    world.asked.append((application_id, "review_started"))
    with at_peace(world) as gateway:
        world.send(gateway, village, before)
        world.send(gateway, township, seq)
    return application_id


def rule_on(world: World, gateway: Gateway, application_id: str) -> None:
    """The clerk presses, and presses again when nobody knows whether it happened."""
    by = department("d-1", "511600000000", gateway)
    begun = EVENTS["review_started"]
    rule(gateway, application_id, lambda now, at: [begun(at=at, by=by)] if now.state.value == "accepted" else [])


def promises(world: World) -> None:
    """Records that wait for the platform."""
    for _ in range(2):
        before = a_batch(world)
        with at_peace(world) as gateway:
            send_it(world, gateway, before)


def deliver_by(deliver: Deliver) -> Callable[[World, Gateway, Any], None]:
    return lambda world, gateway, _: _deliver_all(world, gateway, deliver)


def _deliver_all(world: World, gateway: Gateway, deliver: Deliver) -> None:
    while deliver(gateway, world.platform):
        continue


def half_a_scan(world: World) -> tuple[str, bytes, int]:
    """An application whose scan is complete on disk and not finished yet."""
    before = world.village.head.seq
    scan = world.village.sealed_scan(os.urandom(40))
    application_id, _ = world.village.collect(scan)
    world.asked.append((application_id, "collected"))
    with at_peace(world) as gateway:
        world.send(gateway, world.village, before)
    return scan.name, scan.data, before


def finish_it(world: World, gateway: Gateway, scan: tuple[str, bytes, int]) -> None:
    name, data, _ = scan
    _upload_to(gateway, world, name, data)
    arrival.share_scans(gateway, [name])


BATCH = Work("receiving a batch", a_batch, send_it)
WAKING = Work("waking what waited", acts_that_waited, wake_them)
RULING = Work("ruling", accepted, rule_on)
DELIVERING = Work("delivering to the platform", promises, deliver_by(deliver_promised))
SCAN = Work("finishing a scan", half_a_scan, finish_it)


def _upload(world: World, name: str, data: bytes) -> None:
    with at_peace(world) as gateway:
        _upload_to(gateway, world, name, data)


def _upload_to(gateway: Gateway, world: World, name: str, data: bytes) -> None:
    upload = uploads.begin(gateway, world.village.document.node_id, name, len(data))
    if not upload.whole:
        upload.path.write_bytes(data)
        uploads.find(gateway, world.village.document.node_id, name)


# --- striking ---------------------------------------------------------------------------------------------------------


@contextmanager
def at_peace(world: World) -> Iterator[Gateway]:
    """The process that does not die; it makes good first what another left, as the program does at its start."""
    gateway = world.living = world.living or world.opened()
    uploads.finish_complete(gateway)
    arrival.share_missed(gateway)
    parking.unpark_missed(gateway)
    yield gateway


@contextmanager
def struck(world: World, gateway: Gateway, strike: Strike) -> Iterator[None]:
    """Every statement, every commit, and every call to the platform is a place."""
    engine = gateway.ledger._engine
    for name in ("before_cursor_execute", "commit"):
        sa.event.listen(engine, name, strike.place)
    world.platform.place = strike.place
    try:
        yield
    finally:
        world.platform.place = lambda: None
        for name in ("before_cursor_execute", "commit"):
            sa.event.remove(engine, name, strike.place)


def one_death(world: World, work: Work, at: int) -> bool:
    """Work that dies at a place and is begun again by a new process; False when there was no such place."""
    prepared = work.prepare(world)
    gateway, strike = world.opened(), Strike(at, dies)
    died = False
    try:
        with struck(world, gateway, strike):
            work.do(world, gateway, prepared)
        strike.place()  # after all of it, when only the answer is still to be said
    except Died:
        died = True
    gateway.ledger.close()
    with at_peace(world) as again:
        work.do(world, again, prepared)
    return died


def one_kill(world: World, work: Work, at: int) -> bool:
    """The same with SIGKILL to a process of its own; the platform's side is not part of it."""
    prepared = work.prepare(world)
    world.close()  # an open SQLite must not be carried over a fork
    child = os.fork()
    if child == 0:
        try:
            gateway = world.opened()
            with struck(world, gateway, Strike(at, is_killed)):
                work.do(world, gateway, prepared)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    with at_peace(world) as again:
        work.do(world, again, prepared)
    return os.WIFSIGNALED(status)


# --- reckoning --------------------------------------------------------------------------------------------------------


@dataclass
class Found:
    """What is wrong afterwards; all empty when nothing is."""

    lost: list[Any]
    duplicated: list[Any]
    phantom: list[Any]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.phantom)


def reckon(world: World) -> Found:
    """Everything that was asked of this world took effect once, was told once, and reached the platform once."""
    with at_peace(world) as gateway:
        _deliver_all(world, gateway, deliver_promised)
        cases = {case["application_id"]: case for case in outline(gateway.ledger)}
        done = [(key, step) for key, case in cases.items() for step in case["history"] if step != "submitted"]
        with gateway.ledger.reading() as tx:
            outbox = {(row.act, row.record_set, row.row): row.body for row in tx.execute(sa.select(PLATFORM_OUTBOX))}
            told = [bytes(row) for row in tx.execute(sa.select(FEED_ENTRIES.c.envelope)).scalars()]
        entries = [
            node.open_feed(frame) for node in (world.village, world.township) for frame in told if _is_for(node, frame)
        ]
    answers = Counter((entry.op_id, entry.author_node) for entry in _answers(entries))
    keys = Counter(
        (entry.application_id, name) for entry in entries if entry.scan_wraps for name in sorted(entry.scan_wraps)
    )
    kept = Counter(name_of(record) for record in world.platform.kept)
    facts = {(record.application_id, str(record.body.get("event"))) for record in world.platform.kept}
    expected = Counter(done)
    return Found(
        lost=sorted(
            [
                *(Counter(world.asked) - expected),
                *(name for name in outbox if name not in kept),
                *_unheard(done, facts),
            ],
            key=str,
        ),
        duplicated=sorted(
            [
                *(one for one, times in expected.items() if times > 1),
                *(name for name, times in kept.items() if times > 1),
                *(str(one) for one, times in answers.items() if times > 1),
                *(str(one) for one, times in keys.items() if times > 1),
            ],
            key=str,
        ),
        phantom=sorted([*(expected - Counter(world.asked)), *(name for name in kept if name not in outbox)], key=str),
    )


def _is_for(node: EnrolledNode, frame: bytes) -> bool:
    return read_header(frame).node_id.hex() == node.document.node_id


def _answers(entries: Sequence[Any]) -> list[Any]:
    """Entries that answer an author under its op_id (the same entry goes to other readers with its envelope)."""
    return [entry for entry in entries if entry.op_id is not None and entry.envelope is None]


def _unheard(done: Sequence[tuple[str, str]], facts: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Steps of which the platform has no record at all."""
    return [step for step in done if step not in facts]
