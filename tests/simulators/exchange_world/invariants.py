"""What must be true after every step (the numbers are those of `wire/README.md`, section 4), and in the end.

I8 (no plaintext at rest) has no meaning here; I12 is the liveness in the end: poison lies in every third history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.exchange_world.city import PAGE, WHOLE
from tests.simulators.exchange_world.ledger import TOWNSHIP
from tests.simulators.exchange_world.nodes import BATCH, Machine
from wire.audit_chain import GENESIS

if TYPE_CHECKING:
    from tests.simulators.exchange_world.world import World


class Broken(AssertionError):
    """A promise is broken; `what` names it."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what


def check(world: World) -> None:
    """After each step; what did not change since the last one is not looked at again."""
    seen = (world.city.ledger.epoch, world.city.ledger.version, len(world.purged))
    if seen != world.checked:
        _check_city(world)
        world.checked = seen
    for machine in world.machines:
        if machine.checked is not machine.desk:
            _check_machine(world, machine)
            machine.checked = machine.desk


def _check_city(world: World) -> None:
    ledger = world.city.ledger
    held: set[str] = set()
    for node, letters in ledger.journal.items():
        row = ledger.rows[node]
        last = (letters[-1].seq, letters[-1].hash) if letters else (GENESIS.seq, GENESIS.hash)
        if (row.head.seq, row.head.hash) != last or len(letters) != row.head.seq:
            raise Broken("I4", f"the mark of {node} covers what is not held")
        if row.stable > row.head.seq:
            raise Broken("I5", f"the stable mark of {node} lies beyond its head")
        for letter in letters:
            held.add(letter.op.op_id)
            if letter.op.op_id not in world.saved and not letter.op.note:
                raise Broken("I2", f"{letter.op.op_id} was never saved")
    for op_id, outcome in ledger.outcomes.items():
        if outcome.result == "applied" and outcome.body_hash != world.saved[op_id].body_hash:
            raise Broken("I3", f"another body of {op_id} took effect")
    for op_id in world.purged - held:
        raise Broken("I5", f"{op_id} was purged and the city does not hold it")
    for application_id, case in ledger.cases.items():
        if [step.case_seq for step in ledger.steps[application_id]] != list(range(1, case.case_seq + 1)):
            raise Broken("I6", f"the steps of {application_id} are not in one order")
    if world.city.refused_ahead:
        raise Broken("I6", f"{world.city.refused_ahead[0]} was refused for being ahead of the city")


def _check_machine(world: World, machine: Machine) -> None:
    desk = machine.desk
    if desk.misunderstood:
        raise Broken("I6", f"machine {machine.number} cannot follow the city's order")
    receipt = desk.receipt
    if receipt is not None and "mark" not in world.off:
        said = (desk.node, receipt.epoch, receipt.hwm, bytes.fromhex(receipt.head_hash), receipt.stable_hwm)
        if said not in world.city.signed:
            raise Broken("I9", f"machine {machine.number} obeyed what nobody signed")
    floor = world.floors.get(machine.number)
    if floor is not None and (desk.floor is None or desk.floor < floor):
        raise Broken("I10", f"trusted time of machine {machine.number} went back")
    if desk.floor is not None:
        world.floors[machine.number] = desk.floor
    _check_epochs(machine)


def _check_epochs(machine: Machine) -> None:
    """A timeline that another one, once believed, has left does not come back."""
    over: set[str] = set()
    for epoch, left in machine.obeyed:
        if epoch in over:
            raise Broken("I9", f"machine {machine.number} believed an abandoned epoch")
        over.update(left)


def heal(world: World) -> int:
    """All faults stop; the rounds that it took until nothing moved any more."""
    world.fuses.clear()
    world.zombie = None
    world.up.clear()
    world.down.clear()
    most, before = _bound(world), (-1, -1)
    for rounds in range(1, most + 1):
        for machine in world.machines:
            _one_round(world, machine)
        world.city.unpark()
        for application_id in sorted({letter.op.application_id for letter in world.city.ledger.parked.values()}):
            if application_id in world.city.ledger.cases:
                world.city.rule(application_id)
        check(world)
        if all(_is_quiet(world, machine) for machine in world.machines):
            return rounds
        now = _brought(world)
        if world.city.ledger.parked and now == before:
            world.city.decide()
        before = now
    raise Broken("liveness", f"not quiet after {most} rounds: {_waits(world)}")


def _brought(world: World) -> tuple[int, int]:
    """How much mail the city holds and has said: when it stays so for a round, nobody has anything more to bring."""
    ledger = world.city.ledger
    return sum(map(len, ledger.journal.values())), sum(map(len, ledger.feeds.values()))


def _bound(world: World) -> int:
    """Twelve rounds for the people, and one for each batch and each page, three times (a restored feed is told anew, a
    stopped identity sends again)."""
    letters = max(len(machine.desk.journal) for machine in world.machines)
    entries = sum(len(steps) for steps in world.city.ledger.steps.values()) + letters * len(world.machines)
    return 12 + 3 * (letters // BATCH + entries // PAGE)


def _one_round(world: World, machine: Machine) -> None:
    number = machine.number
    world.do(("catalog", number, 0))
    machine.work()
    world.do(("reenrol", number, 0))
    asked = machine.ask()
    if asked is not None:
        machine.hear(world.city.exchange(asked))
    machine.work()
    for _ in range(WHOLE):
        world.do(("scan", number, 0))


def _is_quiet(world: World, machine: Machine) -> bool:
    desk, ledger = machine.desk, world.city.ledger
    return (
        not desk.stopped
        and desk.node in ledger.rows
        and ledger.rows[desk.node].stopped_for is None
        and desk.hwm == len(desk.journal) == ledger.rows[desk.node].head.seq
        and all(entry.outcome is not None for entry in desk.journal)
        and desk.feed == ledger.feed_head(desk.node)
        and not any(
            status == "outgoing" and machine.folder.vault.get(scan) == "whole" for scan, status in desk.scans.items()
        )
    )


def _waits(world: World) -> str:
    told = []
    for machine in world.machines:
        desk, ledger = machine.desk, world.city.ledger
        row = ledger.rows.get(desk.node)
        told.append(
            f"{machine.number}: written {len(desk.journal)} hwm {desk.hwm} city {row.head.seq if row else None}"
            f" stopped {desk.stopped}/{row.stopped_for if row else None}"
            f" feed {desk.feed.seq}/{len(ledger.feeds.get(desk.node, ()))}"
            f" open {[entry.seq for entry in desk.journal if entry.outcome is None]} scans {desk.scans}"
        )
    return "; ".join(told) + f"; parked {[(k, v.op.basis) for k, v in world.city.ledger.parked.items()]}"


def oracle(world: World) -> None:
    """When all is healed: nothing lost, doubled, invented or falsely called received; all readers see one order."""
    ledger = world.city.ledger
    known = world.excused | set(ledger.outcomes)
    lost = [op_id for op_id in world.saved if op_id not in known]
    if lost:
        raise Broken("lost", ", ".join(lost))
    effects = [step.op_id for steps in ledger.steps.values() for step in steps if step.op_id]
    if len(effects) != len(set(effects)):
        raise Broken("duplicated", ", ".join(sorted({one for one in effects if effects.count(one) > 1})))
    if not set(effects) <= set(world.saved):
        raise Broken("phantom", ", ".join(set(effects) - set(world.saved)))
    for machine in world.machines:
        _agrees(world, machine)


def _agrees(world: World, machine: Machine) -> None:
    desk, ledger = machine.desk, world.city.ledger
    for entry in desk.journal:
        if entry.seq <= desk.hwm and ledger.hash_at(desk.node, entry.seq) != entry.hash:
            raise Broken("false_sent", f"machine {machine.number} number {entry.seq}")
        twisted = entry.op.op_id in world.twisted
        if not twisted and entry.outcome != ledger.outcomes[entry.op.op_id].result:
            raise Broken("I6", f"machine {machine.number} believes {entry.op.op_id} {entry.outcome}")
    for application_id, case in ledger.cases.items():
        if machine.role != TOWNSHIP and machine.site != case.site:
            continue
        known = desk.known.get(application_id)
        if known is None or (not known.erased and known.confirmed != case.application):
            raise Broken("I6", f"machine {machine.number} sees another {application_id} than the city")
        if not known.erased and known.case_seq != case.case_seq:
            raise Broken("I6", f"machine {machine.number} stands at {known.case_seq} of {case.case_seq}")
    for scan, status in desk.scans.items():
        if status == "stored" and ledger.scans.get(scan, 0) < WHOLE:
            raise Broken("false_sent", f"scan {scan}")


__all__ = ["Broken", "check", "heal", "oracle"]
