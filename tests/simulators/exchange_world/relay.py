"""A relay that is hostile or broken: it re-orders, cuts, changes, forges and plays again what passes through it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulators.exchange_world.sealing import RELAY, No, Reply, altered
from wire.receipt import CARRIED

if TYPE_CHECKING:
    from tests.simulators.exchange_world.world import World


def meddle(world: World, a: int, b: int) -> None:
    """Do something to the a-th message; b says what."""
    how = b % 8
    if how < 4 and world.up:
        number, asked = world.up[a % len(world.up)]
        letters = asked.letters
        changed = {
            0: tuple(reversed(letters)),
            1: letters[: len(letters) // 2],
            2: tuple(altered(one) if place == a % max(1, len(letters)) else one for place, one in enumerate(letters)),
            3: (*letters, *letters),
        }[how]
        world.up[a % len(world.up)] = (number, replace(asked, letters=changed))
    elif how == 4 and world.heard:
        number, old = world.heard[a % len(world.heard)]
        world.machines[number].hear(old)  # in place of an answer to the question that is open now
    elif how == 5:
        _forge(world, a)
    elif how == 6 and world.down:
        number, answer = world.down[a % len(world.down)]
        if isinstance(answer, Reply) and answer.page:
            world.down[a % len(world.down)] = (number, replace(answer, page=answer.page[1:], data=answer.data[:-1]))
    elif how == 7 and world.heard:
        number, old = world.heard[a % len(world.heard)]
        machine = world.machines[number]
        if isinstance(old, Reply):
            machine.carry_in(old)  # an answer over the line is no answer on a stick


def _forge(world: World, a: int) -> None:
    """A receipt that says that everything is safe, signed by whoever carries it."""
    machine = world.machines[a % len(world.machines)]
    talk, head = machine.talk, machine.desk.head
    last = machine.desk.receipt
    if last is None:
        return
    forged = last.model_copy(
        update={
            "hwm": head.seq,
            "head_hash": head.hash.hex(),
            "stable_hwm": head.seq,
            "nonce": talk.nonce if talk and talk.nonce else CARRIED,
            "server_time": last.server_time + timedelta(hours=1),
            "feed_head": max(last.feed_head, machine.feed_place().seq),
        }
    )
    first = talk.asked_after + 1 if talk and talk.nonce else machine.feed_place().seq + 1
    reply = world.seals.reply(forged, (), first, RELAY)
    if talk and talk.nonce:
        machine.hear(reply)
    else:
        machine.carry_in(reply)


__all__ = ["No", "meddle"]
