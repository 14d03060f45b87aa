"""`python -m tests.simulators.exchange_world --seeds N --from K [--without PROTECTION] [--replay SEED]`."""

from __future__ import annotations

import argparse
import collections
import sys
import time

from tests.simulators.exchange_world.histories import drawn, played, run_seed, shrunk_seed
from tests.simulators.exchange_world.invariants import check
from tests.simulators.exchange_world.sealing import RealSeals
from tests.simulators.exchange_world.world import World

PROTECTIONS = ("mark", "stable", "op_id", "fork", "chain", "order", "poison", "unsigned", "epoch", "feed", "told")


def main() -> int:
    """Play, count, and print a table; failing seeds are cut down and printed."""
    parser = argparse.ArgumentParser(prog="exchange_world", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--without", choices=PROTECTIONS, action="append", default=[])
    parser.add_argument("--real", action="store_true", help="real seals and signatures")
    parser.add_argument("--replay", type=int, help="one seed, shrunk, step by step")
    asked = parser.parse_args()
    off = frozenset(asked.without)
    if asked.replay is not None:
        return _replay(asked.replay, off)
    begun, found, steps, rounds = time.monotonic(), collections.Counter[str](), 0, 0
    failing: list[int] = []
    for seed in range(asked.first, asked.first + asked.seeds):
        told = run_seed(seed, off, RealSeals() if asked.real else None)
        steps, rounds = steps + told.steps, max(rounds, told.rounds)
        found[told.what or "whole"] += 1
        if told.what:
            failing.append(seed)
    took = time.monotonic() - begun
    print(f"{asked.seeds} histories, {steps} steps, {took:.1f} s, most rounds to quiet {rounds}, without {sorted(off)}")
    for what, count in found.most_common():
        print(f"  {what:<12} {count}")
    print("  failing:", failing[:20])
    if failing and not off:
        _replay(failing[0], off)
    return 1 if failing else 0


def _replay(seed: int, off: frozenset[str]) -> int:
    steps = shrunk_seed(seed, off)
    told = played(steps or drawn(seed), off, seed=seed)
    print(f"seed {seed}: {told.what or 'whole'} {told.detail}")
    print(f"replay: python -m tests.simulators.exchange_world --replay {seed}")
    world = World.founded(off)
    for step in steps:
        world.do(step)
        print("  ", list(step))
        check(world) if told.what is None else None
    return 1 if told.what else 0


if __name__ == "__main__":
    sys.exit(main())
