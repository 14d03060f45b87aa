"""From a seed to a history, through it, and back to a short one.

Laws: a seed gives the same list of steps for ever as long as the world is the same; a history that fails is cut down
to the steps that are needed, and printed so that it can be played again by name.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulators.exchange_world.invariants import Broken, check, heal, oracle
from tests.simulators.exchange_world.sealing import Seals
from tests.simulators.exchange_world.world import Step, World

WEIGHTS = {
    "save": 30, "turn": 24, "work": 10, "ask": 10, "arrive": 12, "answer": 11, "lose": 3, "meddle": 5, "crash": 6,
    "halt": 2,
    "stick_out": 2, "stick_city": 2, "stick_in": 3, "backup": 3, "verify": 3, "restore": 2, "clone": 1, "image": 1,
    "rollback": 1, "reenrol": 2, "clock": 1, "tick": 3, "rotate": 1, "dictionary": 1, "catalog": 2, "rule": 4,
    "scan": 3, "rot": 1, "twist": 1,
}  # fmt: skip
LONGEST = 140
LEAST = 40
REGRESSIONS = Path(__file__).parent / "regressions.json"


@dataclass(frozen=True, slots=True)
class Told:
    """How a history ended."""

    seed: int
    steps: int
    rounds: int
    what: str | None = None
    detail: str = ""


def drawn(seed: int) -> list[Step]:
    """The steps of a seed; each history has its own mood, so that rare things come together in some."""
    rng = random.Random(seed)
    weights = [weight * rng.choice((0, 1, 1, 1, 2, 4)) if weight < 10 else weight for weight in WEIGHTS.values()]
    names = rng.choices(list(WEIGHTS), weights, k=rng.randint(LEAST, LONGEST))
    return [(name, rng.randrange(1 << 16), rng.randrange(1 << 16)) for name in names]


def played(
    steps: Sequence[Step], off: frozenset[str] = frozenset(), seals: Seals | None = None, seed: int = -1
) -> Told:
    """Go through a history and heal it."""
    world = World.founded(off, seals)
    try:
        for step in steps:
            world.do(step)
            check(world)
        rounds = heal(world)
        oracle(world)
    except Broken as broken:
        return Told(seed, world.steps_done, 0, broken.what, str(broken))
    except Exception as broken:
        if not off:
            raise
        return Told(seed, world.steps_done, 0, type(broken).__name__, str(broken))
    return Told(seed, len(steps), rounds)


def run_seed(seed: int, off: frozenset[str] = frozenset(), seals: Seals | None = None) -> Told:
    """One history."""
    return played(drawn(seed), off, seals, seed)


def shrunk(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], most: int = 4000) -> list[Step]:
    """Fewer steps that still fail: parts are left out, from halves down to single steps."""
    kept, size, tried = list(steps), max(1, len(steps) // 2), 0
    while tried < most:
        at, shorter = 0, False
        while at < len(kept) and tried < most:
            candidate = kept[:at] + kept[at + size :]
            tried += 1
            if fails(candidate):
                kept, shorter = candidate, True
            else:
                at += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return kept


def shrunk_seed(seed: int, off: frozenset[str] = frozenset()) -> list[Step]:
    """The shortest history found that fails like this seed."""
    steps = drawn(seed)
    what = _what(steps, off)
    return shrunk(steps, lambda some: _what(some, off) == what) if what else []


def _what(steps: Sequence[Step], off: frozenset[str]) -> str | None:
    try:
        return played(steps, off).what
    except Exception as broken:  # noqa: BLE001 - it fails; by its type it is known again
        return type(broken).__name__


def regressions() -> list[tuple[str, list[Step]]]:
    """Histories that found something once: a sentence and the steps."""
    kept = json.loads(REGRESSIONS.read_text("utf-8"))
    return [(one["found"], [(name, a, b) for name, a, b in one["steps"]]) for one in kept]
