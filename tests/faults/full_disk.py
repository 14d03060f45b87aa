"""`python -m tests.faults.full_disk SCRATCH --free KIB ... [--without-reserve]`: a working village on a full disk.

Run in a mount namespace of its own: the node lies on a small tmpfs of which all but the asked for room is occupied.
At each amount of room: typing and collecting, then mail from the city and an erasing that is due, a line of log; then
there is room again, and everything goes on in the same process. Prints the outcome as JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casework.events import Submitted
from edge_node.acts import collecting, drafting
from edge_node.acts import village as village_acts
from edge_node.faults import fault_of
from offline_store.desk import applications, journal, scans
from offline_store.errors import NO_ROOM, DiskFull
from offline_store.reserve import Reserve
from tests.edge_node.city import ruled
from tests.edge_node.village import CITY, Village
from tests.faults.village_flows import Before, turned, unsound

KIB, MIB = 1024, 1024 * 1024
DISK_MIB = 48
SPARE = 4 * MIB
LINES, LINE_CHARS = 12, 4000
REFUSED = {"disk.full", "scan.disk_reserve"}


@dataclass
class Outcome:
    points: int = 0
    refused: int = 0
    went_on: int = 0
    broken: list[str] = field(default_factory=list)


class World:
    """A village with one application at the city unanswered, one whose time is over, and a draft that is ready."""

    def __init__(self, scratch: Path) -> None:
        self.template, self.disk = scratch / "template", scratch / "disk"
        self.ballast = self.disk / "ballast"
        self.log = self.disk / "edge.log"
        self.before = Before()
        for folder in (self.template, self.disk):
            folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "village", self.disk], check=True)
        village = Village.at(self.template, gateway=self.before.gateway, clock=self.before.clock)
        over = village.collected()
        ruled(village, over)
        village_acts.deliver(village.counter, village.who, over, "张样例", "当面")
        turned(village)
        with village.counter.desk.reading() as tx:
            op_id = applications.load(tx, over).pending[0]
            names = [one.scan_hash for one in scans.of_application(tx, over)]
        village.tell(over, op_id=op_id)
        turned(village)
        village.receipt(scans_stored=names, stable=_head(village))
        turned(village)
        waiting, draft = village.collected("GA-MZ-001"), village.filled("GA-YB-001")
        self.typing = drafting.begin(village.counter, village.who, "GA-YB-001").draft_id
        village.clock.passes(days=31)
        turned(village)  # notes that it is over
        village.counter.desk.close()
        self.over, self.waiting, self.draft, self.names = over, waiting, draft, names

    def laid_out(self) -> Village:
        """The node as it was, on the small disk; the reserves are held, as on any day before this one."""
        for path in [one for one in self.disk.iterdir() if one != self.log]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.template, self.disk / "n")
        village = self.before.opened(self.disk / "n")
        village.counter.limits = type(village.counter.limits)(disk_reserve_bytes=MIB)
        self.courier = Reserve(village.counter.paths.agent_reserve, 2 * MIB)
        self.courier.take(SPARE)
        return village

    def leave(self, free: int) -> None:
        """Occupy everything but so much."""
        room = os.statvfs(self.disk)
        with self.ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, room.f_bavail * room.f_frsize - free))

    def as_the_courier(self, put: Any) -> None:
        """Lay something into the mailbox as the courier does: its own reserve goes first."""
        try:
            put()
        except DiskFull:
            self.courier.give_up()
            put()


def _head(village: Village) -> int:
    with village.counter.desk.reading() as tx:
        return journal.head(tx).seq


def at(world: World, free: int, outcome: Outcome) -> None:
    """One life of the village with so little room."""
    village = world.laid_out()
    world.leave(free)
    told: dict[str, str] = {}
    saved: list[str] = []
    problems: list[str] = []

    def type_() -> None:
        for number in range(LINES):
            text = f"{number}" * LINE_CHARS
            drafting.change(village.counter, village.who, world.typing, values={f"typed_{number}": text})
            told[f"typed_{number}"] = text

    def collect() -> None:
        saved.append(collecting.collect(village.counter, village.who, world.draft).application_id)

    for act in (type_, collect):
        try:
            act()
        except NO_ROOM as full:
            outcome.refused += 1
            status, error = fault_of(full)
            if status != 507 or error["code"] not in REFUSED or "磁盘" not in error["message"]:
                problems.append(f"no clear refusal: {status} {error}")
    logging.getLogger("edge_node").warning("a line of log on a full disk")
    problems += _mail(world, village)
    outcome.went_on += not problems
    problems += _room_again(world, village, told, saved=bool(saved))
    outcome.points += 1
    outcome.broken += [f"{free // KIB} KiB free: {one}" for one in problems]
    village.counter.desk.close()


def _mail(world: World, village: Village) -> list[str]:
    """What must go on: the city's word is taken in, what is over is erased."""
    try:
        world.as_the_courier(lambda: village.receipt(stable=_head(village)))
        submitted = [Submitted(at=village.clock.wall, by=CITY)]
        world.as_the_courier(lambda: village.tell(world.waiting, op_id=world.waiting, events=submitted))
        turned(village)
    except NO_ROOM as full:
        return [f"mail stopped: {full.code}"]
    with village.counter.desk.reading() as tx:
        heard = applications.load(tx, world.waiting).confirmed is not None
        erased = applications.load(tx, world.over).erased_at is not None
    gone = not any(village.counter.vault.has(name) for name in world.names)
    wanted = {"the city's word was not taken in": heard, "what is over was not erased": erased and gone}
    return [what for what, holds in wanted.items() if not holds]


def _room_again(world: World, village: Village, told: dict[str, str], *, saved: bool) -> list[str]:
    world.ballast.unlink()
    turned(village)
    problems = ["the reserve was not taken again"] if village.counter.room.short else []
    if "disk_full" in village.counter.alarms.now():
        problems.append("the alarm stays up")
    with village.counter.desk.reading() as tx:
        application = applications.find(tx, world.draft)
    if saved and application is None:
        problems.append("lost: said to be saved, not there")
    values = drafting.show(village.counter, village.who, world.typing).values
    problems += [f"lost: {name}" for name, text in told.items() if values.get(name) != text]
    if application is None:
        collecting.collect(village.counter, village.who, world.draft)
    turned(village)
    village.counter.desk.close()
    return problems + unsound(turned(world.before.opened(world.disk / "n")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--free", type=int, nargs="+", help="KiB")
    parser.add_argument("--without-reserve", action="store_true", help="the control")
    asked = parser.parse_args()
    if asked.without_reserve:
        Reserve.take = lambda _self, _spare: True
        Reserve.give_up = lambda _self: True
    world, outcome = World(asked.scratch), Outcome()
    logging.basicConfig(filename=world.log, level=logging.INFO, force=True)
    logging.raiseExceptions = False  # it would print to a stream that is not full
    for free in asked.free:
        at(world, free * KIB, outcome)
    print(json.dumps(vars(outcome), ensure_ascii=False))


if __name__ == "__main__":
    main()
