"""The world: two villages, a township, the roads between them and the city, and one step at a time.

A step is a name and small numbers; what does not fit the moment is passed over, so that any part of a list of steps is
a list of steps. Nothing here is drawn by chance: chance only makes the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from casework.application import Actor, Applicant, ReturnPoint, Role
from casework.events import (
    Accepted,
    Collected,
    Delivered,
    Event,
    PreReviewStarted,
    Returned,
    Supplemented,
    Withdrawn,
)
from casework.states import State
from tests.simulators.exchange_world.city import City, Question, founded
from tests.simulators.exchange_world.disasters import Disasters
from tests.simulators.exchange_world.faults import Crash, Fuses
from tests.simulators.exchange_world.folder import Desk, Folder
from tests.simulators.exchange_world.ledger import TOWNSHIP, VILLAGE, Ledger
from tests.simulators.exchange_world.nodes import CARRIED, Machine
from tests.simulators.exchange_world.relay import meddle
from tests.simulators.exchange_world.sealing import CheapSeals, No, Op, Reply, Seals, UnsignedBelieved

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PERSON = Applicant("李样例", "resident_id", "511602180001010011", "", "511603106205", "")
POINT = ReturnPoint("field", "applicant_phone", "号码少一位", "补全号码")
SITES = (("511603106205", VILLAGE), ("511603106206", VILLAGE), ("511603106000", TOWNSHIP))

Step = tuple[str, int, int]


@dataclass(slots=True)
class World(Disasters):
    """Everything there is, and what was promised to whom."""

    off: frozenset[str]
    seals: Seals
    fuses: Fuses
    city: City
    machines: list[Machine] = field(default_factory=list)
    zombie: City | None = None
    backups: list[Ledger] = field(default_factory=list)
    published: dict[str, int] = field(default_factory=dict)
    images: list[tuple[int, Folder]] = field(default_factory=list)
    up: list[tuple[int, Question]] = field(default_factory=list)
    down: list[tuple[int, Reply | No]] = field(default_factory=list)
    heard: list[tuple[int, Reply | No]] = field(default_factory=list)
    sticks_up: list[tuple[int, Question]] = field(default_factory=list)
    sticks_down: list[tuple[int, Reply]] = field(default_factory=list)
    saved: dict[str, Op] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    purged: set[str] = field(default_factory=set)
    twisted: set[str] = field(default_factory=set)
    floors: dict[int, datetime] = field(default_factory=dict)
    epochs: list[str] = field(default_factory=list)
    checked: object = None
    counter: int = 0
    steps_done: int = 0

    @classmethod
    def founded(cls, off: frozenset[str] = frozenset(), seals: Seals | None = None) -> World:
        """Three enrolled machines and a city."""
        seals = seals or (UnsignedBelieved() if "unsigned" in off else CheapSeals())
        fuses = Fuses()
        city = founded(seals, fuses, off, START)
        world = cls(off, seals, fuses, city, epochs=[city.ledger.epoch])
        for site, role in SITES:
            world._add_machine(site, role)
        return world

    def fresh(self) -> str:
        """An id or nonce that was never used."""
        self.counter += 1
        return f"{self.counter:032x}"

    def _add_machine(self, site: str, role: str) -> None:
        node = self.fresh()
        self.city.enrol(node, site, role)
        number = len(self.machines)
        machine = Machine(number, site, role, Folder(Desk(node)), self.seals, self.fuses, self.off, self.fresh)
        self.machines.append(machine)

    # --- steps --------------------------------------------------------------------------------------------------------

    def do(self, step: Step) -> None:
        """Take one step; a program that dies in it begins anew."""
        name, a, b = step
        act: Callable[[int, int], None] = getattr(self, f"_{name}")
        try:
            act(a, b)
        except Crash as crash:
            self._begin_anew(str(crash))
        self.steps_done += 1
        self._note_purged()

    def _begin_anew(self, who: str) -> None:
        program, _, number = who.partition(":")
        if program == "city":
            self.city.unpark()
        else:
            machine = self.machines[int(number)]
            if program == "edge":
                machine.seen = None
                for entry in machine.desk.journal:
                    lost = entry.letter is not None and entry.seq > machine.desk.hwm and entry.posted
                    if lost and entry.seq not in machine.folder.outgoing:
                        machine.desk.put(replace(entry, posted=False))
            else:
                machine.talk = None

    def _note_purged(self) -> None:
        for machine in self.machines:
            if machine.checked is not machine.desk:
                self.purged |= {one.op.op_id for one in machine.desk.journal if one.letter is None}

    def _machine(self, a: int) -> Machine:
        return self.machines[a % len(self.machines)]

    def _save(self, a: int, b: int) -> None:
        machine = self._machine(a)
        if machine.desk.stopped:
            return
        op = self._act(machine, b)
        if op is None:
            return
        try:
            machine.save(op)
        finally:
            if op.op_id in machine.desk.by_op:
                self.saved[op.op_id] = op

    def _act(self, machine: Machine, b: int) -> Op | None:
        """The b-th of the acts that this machine could do now."""
        role = Role.AGENT if machine.role == VILLAGE else Role.CLERK
        by = Actor(role, "clerk", machine.node, machine.site)
        poison = {7: "crash", 13: "shut"}.get(b % 16, "")
        ids = {entry.op.application_id for entry in machine.desk.journal} | set(machine.desk.known)
        choices: list[tuple[str, Event | None, int]] = [("", None, 0)] if role is Role.AGENT else []
        for application_id in sorted(ids):
            known = machine.desk.known.get(application_id)
            if known is not None and known.erased:
                continue
            application, basis = machine.shown(application_id)
            if application.site != machine.site and role is Role.AGENT:
                continue
            choices += [(application_id, event, basis) for event in self._events(role, application.state, by)]
        if not choices:
            return None
        application_id, event, basis = choices[b % len(choices)]
        new = event is None
        application_id = application_id or self.fresh()
        event = event or self._collected(application_id, machine.site, by)
        scans = (application_id * 2,) if new and b % 3 == 0 else ()
        return Op(self.fresh(), application_id, (event,), basis, scans, poison=poison)

    def _events(self, role: Role, state: State, by: Actor) -> list[Event]:
        at = self.city.clock
        found: list[Event] = []
        if role is Role.CLERK:
            if state is State.SUBMITTED:
                found = [PreReviewStarted(at=at, by=by)]
            elif state is State.PRE_REVIEW:
                found = [Accepted(at=at, by=by), Returned(at=at, by=by, points=(POINT,))]
        elif state is State.RETURNED:
            found = [Supplemented(at=at, by=by, answers={"applicant_phone": "已补全"})]
        elif state is State.CONCLUDED:
            found = [Delivered(at=at, by=by)]
        if state in (State.SUBMITTED, State.PRE_REVIEW, State.RETURNED, State.ACCEPTED, State.UNDER_REVIEW):
            found.append(Withdrawn(at=at, by=by))
        return found

    def _collected(self, application_id: str, site: str, by: Actor) -> Event:
        return Collected(
            at=self.city.clock,
            by=by,
            receipt_no=f"{site}-{application_id[-6:]}",
            item_id="GA-YB-001",
            form_id="F",
            catalog_version=1,
            site=site,
            township=SITES[2][0],
            applicant=PERSON,
            form={},
        )

    def _twist(self, a: int, b: int) -> None:
        """A defective program says something of its own under an op_id that another machine has used long ago."""
        machine, ledger = self._machine(a), self.city.ledger
        old = [
            letter.op
            for letters in ledger.journal.values()
            for letter in letters
            if letter.op.op_id not in machine.desk.by_op
            and all(letter.op.op_id in kept.outcomes for kept in (ledger, *self.backups))
        ]
        if old and self.backups and not machine.desk.stopped:
            op = old[b % len(old)]
            self.twisted.add(op.op_id)
            machine.save(replace(op, salt=b + 1, scans=()))

    def _work(self, a: int, _b: int) -> None:
        self._machine(a).work()

    def _ask(self, a: int, _b: int) -> None:
        machine = self._machine(a)
        asked = machine.ask()
        if asked is not None:
            self.up.append((machine.number, asked))

    def _arrive(self, a: int, b: int) -> None:
        """A question reaches the city; b keeps a copy on the road, or lets the gateway answer that was given up."""
        if not self.up:
            return
        number, asked = self.up[a % len(self.up)]
        if b % 4:
            self.up.remove((number, asked))
        city = self._gateway(b)
        try:
            answer = city.exchange(asked)
        except Crash:
            raise
        except Exception:
            if "poison" not in self.off:
                raise
            return
        self.down.append((number, answer))

    def _answer(self, a: int, b: int) -> None:
        """An answer reaches the courier; b keeps a copy on the road."""
        if not self.down:
            return
        number, answer = self.down[a % len(self.down)]
        if b % 4:
            self.down.remove((number, answer))
        self.heard.append((number, answer))
        self.machines[number].hear(answer)

    def _gateway(self, b: int) -> City:
        """The gateway, or the one that was given up and goes on talking."""
        return self.zombie if self.zombie is not None and b % 3 == 0 else self.city

    def _turn(self, a: int, b: int) -> None:
        """Nothing goes wrong for once: one whole round of one machine."""
        machine = self._machine(a)
        machine.work()
        asked = machine.ask()
        if asked is not None:
            try:
                answer = self._gateway(b).exchange(asked)
            except Crash:
                raise
            except Exception:
                if "poison" not in self.off:
                    raise
                return
            self.heard.append((machine.number, answer))
            machine.hear(answer)
            machine.work()

    def _lose(self, a: int, b: int) -> None:
        road: list[object] = self.up if b % 2 else self.down  # type: ignore[assignment]
        if road:
            del road[a % len(road)]

    def _meddle(self, a: int, b: int) -> None:
        """Whoever carries it changes it."""
        meddle(self, a, b)

    def _stick_out(self, a: int, _b: int) -> None:
        machine = self._machine(a)
        if not machine.desk.stopped:
            after = machine.desk.hwm
            self.sticks_up.append((machine.number, machine.question(CARRIED, after)))

    def _stick_city(self, a: int, _b: int) -> None:
        if self.sticks_up:
            number, asked = self.sticks_up[a % len(self.sticks_up)]
            try:
                answer = self.city.exchange(asked)
            except Crash:
                raise
            except Exception:
                if "poison" not in self.off:
                    raise
                return
            if isinstance(answer, Reply):
                self.sticks_down.append((number, answer))

    def _stick_in(self, a: int, _b: int) -> None:
        if self.sticks_down:
            number, answer = self.sticks_down[a % len(self.sticks_down)]
            self.machines[number].carry_in(answer)

    def _rule(self, a: int, _b: int) -> None:
        if self.city.ledger.cases:
            ids = sorted(self.city.ledger.cases)
            self.city.rule(ids[a % len(ids)])

    def _scan(self, a: int, _b: int) -> None:
        machine = self._machine(a)
        for scan in sorted(machine.desk.scans):
            machine.send_scan(scan, self.city)


__all__ = ["START", "Step", "World"]
