"""The flows beside the counter that are struck at every call: the courier's round, enrolment, a desk's new form.

In the courier's round the gateway lives in the same process: both die at once, which is the worst that can happen to
an exchange. Nothing but the disk survives a blow.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from offline_store.desk import applications, journal, upgrading
from offline_store.desk.database import open_desk
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning.node_keys import open_node_desk
from sync_agent.settings import AgentSettings
from tests.city_gateway.gateway_fixtures import EnrolledNode, city_in
from tests.faults.old_queue import KEY, Waiting, old_desk
from tests.faults.tools.every_call import Act, Flow, Notes
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from tests.simulators.flaky_road import FlakyRoad
from tests.simulators.post import SETTINGS, Post, effects, posted

SCAN_BYTES = 40_000
ROUNDS = 12


# --- the courier's round, with the gateway that answers it ------------------------------------------------------------


@dataclass
class _Exchange:
    node: EnrolledNode | None = None
    filed: dict[str, list[str]] | None = None

    def prepare(self, disk: Path) -> None:
        async def file() -> None:
            async with posted(disk) as post:
                for number in range(2):
                    post.file(bytes([number]) * SCAN_BYTES)
                self.node, self.filed = post.node, post.filed

        asyncio.run(file())

    async def opened(self, disk: Path, stack: AsyncExitStack) -> Post:
        """The same city and the same node after a new start of both."""
        city = await stack.enter_async_context(city_in(disk / "gateway", f"sqlite:///{disk / 'ledger.db'}"))
        assert self.node is not None
        road = FlakyRoad(httpx.ASGITransport(app=city.app, raise_app_exceptions=False))
        node = replace(self.node, city=city)
        return Post(city, node, NodePaths(disk / "node"), road, AgentSettings(**SETTINGS), dict(self.filed or {}))

    def open(self, disk: Path) -> Act:
        loop, stack = asyncio.new_event_loop(), AsyncExitStack()
        asyncio.set_event_loop(loop)
        post = loop.run_until_complete(self.opened(disk, stack))

        def act(notes: Notes) -> None:
            heard = loop.run_until_complete(post.rounds.make_one())
            receipt = post.receipt()
            if heard.ok and receipt is not None:
                notes.tell(received=receipt.hwm, stored=sorted(post.incoming.stored_scans()))

        return act

    def check(self, disk: Path, notes: Notes) -> list[str]:
        async def look() -> list[str]:
            async with AsyncExitStack() as stack:
                post = await self.opened(disk, stack)
                ledger = post.city.gateway.ledger
                before, told = effects(ledger), notes.read()
                held = set(post.city.gateway.folder.scans.iterdir())
                problems = [
                    f"said to be received, not there: {one}" for one in told if len(before) < int(one["received"])
                ]
                names = {path.name for path in held}
                problems += [
                    f"said to be stored, not there: {name}"
                    for one in told
                    for name in one["stored"]
                    if name not in names
                ]
                await post.drain(ROUNDS)
                post.everything_arrived_once()
                after = effects(ledger)
                return problems + [f"twice: {op_id}" for op_id in set(after) if after.count(op_id) > 1]

        return asyncio.run(look())


_exchange = _Exchange()
exchange = Flow("exchange", _exchange.prepare, _exchange.open, _exchange.check)


# --- enrolment --------------------------------------------------------------------------------------------------------


@dataclass
class _Enrolment:
    code: str = ""

    def prepare(self, disk: Path) -> None:
        self.code = EnrolmentWorld(disk).code()

    def open(self, disk: Path) -> Act:
        world = EnrolmentWorld(disk)
        return lambda notes: notes.tell(node=world.enrol(self.code).node_id)

    def check(self, disk: Path, notes: Notes) -> list[str]:
        world, told = EnrolmentWorld(disk), notes.read()
        document = world.enrol(self.code)
        problems = [] if world.nodes() == [document.node_id] else [f"{len(world.nodes())} nodes of one code"]
        problems += [f"another node than was told: {one}" for one in told if one["node"] != document.node_id]
        if read_node_file(world.paths.enrolment) != document:
            problems.append("the node file is not the document")
        with open_node_desk(world.paths, MACHINE) as desk:
            problems += desk.check()
        return problems


_enrolment = _Enrolment()
enrolment = Flow("enrol", _enrolment.prepare, _enrolment.open, _enrolment.check)


# --- a desk of an older release gets the form of this one -------------------------------------------------------------

NEXT_STEP = """
from alembic import op
revision = "next"
down_revision = "{last}"
def upgrade() -> None:
    op.execute("ALTER TABLE clerk ADD COLUMN phone VARCHAR")
    op.execute("UPDATE state SET value = '2' WHERE name = 'kept'")
"""


def _next_release(disk: Path) -> None:
    """As if this were the release after this one, so that there is always a step to strike."""
    last = upgrading.RELEASES[-1]
    steps = disk / "steps"
    if not steps.exists():
        shutil.copytree(upgrading.MIGRATIONS, steps, ignore=shutil.ignore_patterns("__pycache__"))
        (steps / "versions" / "form_next.py").write_text(NEXT_STEP.format(last=last), encoding="utf-8")
    upgrading.MIGRATIONS = steps
    upgrading.RELEASES = (*upgrading.RELEASES, "next")


@dataclass
class _Queue:
    """An old desk with a queue; what waits is inherited by every round."""

    count: int
    waiting: list[Waiting] = field(default_factory=list)

    def prepare(self, disk: Path) -> None:
        self.waiting = old_desk(disk, upgrading.RELEASES[0], self.count)

    def check(self, disk: Path, notes: Notes) -> list[str]:
        problems = _check_migration(disk, notes)
        with open_desk(disk / "desk.db", KEY) as desk, desk.reading() as tx:
            there = {link.seq: link.envelope for link in journal.unposted(tx, limit=10_000)}
        return problems + [f"lost: {one.seq}" for one in self.waiting if there.get(one.seq) != one.envelope]


def _open_migration(disk: Path) -> Act:
    _next_release(disk)

    def act(notes: Notes) -> None:
        open_desk(disk / "desk.db", KEY).close()
        notes.tell(upgraded=True)

    return act


def _check_migration(disk: Path, notes: Notes) -> list[str]:
    _next_release(disk)
    form = upgrading.form_of(disk / "desk.db", KEY)
    problems = [] if form in {upgrading.RELEASES[0], "next"} else [f"a form in between: {form}"]
    if notes.read() and form != "next":
        problems.append("said to be of the new form, is not")
    with open_desk(disk / "desk.db", KEY) as desk:
        problems += desk.check() + _golden_content(desk)
    return problems


def _golden_content(desk: Any) -> list[str]:
    with desk.reading() as tx:
        head = journal.head(tx).seq
        found = [link for link in journal.after(tx, 0, limit=10_000) if link.application_id]
        absent = [link.seq for link in found if applications.find(tx, str(link.application_id)) is None]
    return ([] if head and found else ["the journal is empty"]) + [f"application of {seq} is lost" for seq in absent]


_short, _long = _Queue(20), _Queue(1000)
migration = Flow("migrate", _short.prepare, _open_migration, _short.check)
long_migration = Flow("migrate a long queue", _long.prepare, _open_migration, _long.check)
